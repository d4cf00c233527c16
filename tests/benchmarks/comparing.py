"""How long a comparison of two models takes on a split, and what its answers cost.

    python -m tests.benchmarks.comparing [--dataset NAME] [--rows N] [--sentences N] [--out FILE]

A job in a home of its own answers, scores and reports, from the start of its process to its end:
seconds, and the processor's over all its threads, which tell beside other work, too. Then some
sentences on one thread: tokens and processor milliseconds each, as comparisons ask (`brief`), and
with second-best meanings.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import engine  # noqa: F401  # says how threads wait, before torch comes
from db.store import open_store
from engine.bench.run import machine_of
from engine.settings import Settings, read_settings
from engine.views import AT_ONCE, views
from tests.real import ROOT, fresh_home
from trainer.catalogue import BASE, SHIPPED, find_model
from trainer.evaluation.rows import find_rows

MODELS = (BASE, SHIPPED)
PAIR = "en-zh"


def whole(dataset: str, rows: int, settings: Settings) -> dict[str, Any]:
    """One job from its start to its end."""
    recipe = {"models": list(MODELS), "dataset": dataset, "split": "dev", "rows": rows}
    with tempfile.TemporaryDirectory() as folder:
        home = fresh_home(Path(folder) / "home", settings.home)
        with open_store(home / "ctx.db") as store:
            job = store.jobs.add("evaluate", "compute", recipe, "")
            start, before = time.perf_counter(), _processor()
            subprocess.run(
                [sys.executable, "-m", "trainer", "work", str(job)],
                cwd=ROOT, env=os.environ | {"CTX_HOME": str(home)}, check=True,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            taken = time.perf_counter() - start
            assert store.jobs.get(job).state == "done", store.jobs.get(job).detail
        told = json.loads((home / "jobs" / str(job) / "evaluation.json").read_text())
    split = told["split"]
    return {
        "rows": split["rows"], "sentences": split["sentences"], "seconds": round(taken, 1),
        "processor_seconds": round(_processor() - before, 1),
        "ms_an_answer": {one["name"]: one["ms"] for one in told["models"]},
    }  # fmt: skip


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def answers(dataset: str, count: int, settings: Settings) -> dict[str, Any]:
    """Tokens and processor milliseconds a sentence, model by model, on one thread."""
    import torch

    from engine.engine import make_engine
    from engine.models import load_base

    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "ctx.db") as store:
        rows = find_rows(dataset, "dev", 0, 1, PAIR, store, settings)
        some = rows.contexts[:count]
        asking = [(v, set(v.asked) & set(mine)) for c, mine in some for v in views(c, PAIR)]
        base = load_base(settings)
        for name in MODELS:
            decoder = make_engine(base, find_model(name, store, settings).folder).decoder
            decoder.answer_many(asking[:2])
            for way in ("with second best", "brief"):
                tokens, seconds = _answered(decoder, asking, way == "brief")
                found[f"{name}, {way}"] = {
                    "tokens": round(tokens / len(some), 1),
                    "processor_ms": round(1000 * seconds / len(some)),
                }
    return {"sentences": len(some), "rows": sum(len(mine) for _, mine in some), **found}


def _answered(decoder: Any, asking: list[Any], brief: bool) -> tuple[int, float]:
    """How many tokens the answers take, and seconds of the processor."""
    body, tokens = decoder.runner.body, 0

    def counted(module: Any, given: tuple[Any, ...]) -> None:
        nonlocal tokens
        tokens += len(given[0])

    hook = body.register_forward_pre_hook(counted)
    start = time.thread_time()
    for at in range(0, len(asking), AT_ONCE):
        decoder.answer_many(asking[at : at + AT_ONCE], brief)
    taken = time.thread_time() - start
    hook.remove()
    return tokens, taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="en-zh-sentences")
    parser.add_argument("--rows", type=int, default=1000, help="0: no job")
    parser.add_argument("--sentences", type=int, default=32, help="of the second part; 0: none")
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    asked = parser.parse_args()
    settings = read_settings()
    told: dict[str, Any] = {"dataset": asked.dataset, "machine": machine_of()}
    if asked.rows:
        told["comparison"] = whole(asked.dataset, asked.rows, settings)
    if asked.sentences:
        told["answers"] = answers(asked.dataset, asked.sentences, settings)
    print(json.dumps(told, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
