"""Finished runs with adapters of a few bytes, and evaluations of two models, made up: nothing is
trained, nothing answered.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from db.store import Store
from tests.told_runs import SCORES
from trainer.catalogue import Model
from trainer.jobs.process import job_folder, this_process

CONFIG = {"peft_type": "LORA", "target_modules": ["q_proj"], "r": 4}


def weights_named(name: str) -> bytes:
    """A safetensors file of one matrix of nothing, with the name in its header."""
    key = "base_model.model.model.layers.0.self_attn.q_proj"
    header: dict[str, Any] = {"__metadata__": {"name": name}}
    for at, (part, shape) in enumerate((("A", (4, 8)), ("B", (8, 4)))):
        span = [at * 64, (at + 1) * 64]
        header[f"{key}.lora_{part}.weight"] = {
            "dtype": "BF16", "shape": shape, "data_offsets": span,
        }  # fmt: skip
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(128)


def add_tuned(
    store: Store, home: Path, name: str, fit: bool | None = True, why: str = "", **card: Any
) -> str:
    """The name of a finished run's model; its weights are told by its name."""
    job_id = store.jobs.add("train", "compute", {"name": name, "sources": []}, "Ann")
    store.jobs.take(job_id, this_process(), None)
    store.jobs.report(job_id, this_process(), 10, 10, {"fit": fit, "reason": why})
    store.jobs.end(job_id, this_process(), "done")
    folder = job_folder(home, job_id) / "adapter"
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(weights_named(name))
    (folder / "adapter_config.json").write_text(json.dumps(CONFIG))
    data = [{"name": "mine", "rows": 12, "licence": "CC BY 4.0", "origin": "written here"}]
    told = {"name": name, "base": "gemma-3-270m@1", "made": "2026-11-26", "scores": SCORES}
    (folder / "card.json").write_text(json.dumps({**told, "data": data, **card}))
    return f"run:{job_id}"


def add_evaluation(
    store: Store,
    home: Path,
    left: Model,
    right: Model,
    value: float = 0.02,
    spread: float = 0.01,
    split: str = "test",
    dataset: str = "en-zh-gold",
    turned: bool = False,
    rows: int = 616,
    **others: float,
) -> int:
    """A finished evaluation in which `right` is better by `value`, plus or minus `spread`;
    `turned`: the two stand the other way round in it; `others`: figures with differences of their
    own."""
    pair, sign = ((right, left), -1) if turned else ((left, right), 1)
    scores = {left.version: 0.53, right.version: 0.53 + value}
    job_id = store.jobs.add("evaluate", "compute", {"models": [m.name for m in pair]}, "Ann")
    figures = {
        "models": [m.name for m in pair], "versions": [m.version for m in pair],
        "scores": [scores[m.version] for m in pair], "ms": [12.0, 12.5],
        "dataset": dataset, "split": split, "sha256": "ab" * 32,
    }  # fmt: skip
    store.jobs.take(job_id, this_process(), None)
    store.jobs.report(job_id, this_process(), 616, 616, figures)
    store.jobs.end(job_id, this_process(), "done")
    differences = {
        name: {"value": sign * by, "interval": sorted(sign * by + s * spread for s in (-1, 1))}
        for name, by in {"right": value, "meaning_match": value, **others}.items()
    }
    told = {
        "split": {"dataset": dataset, "sha256": "ab" * 32, "split": split, "task": "sense",
                  "pair": "en-zh", "rows": rows, "sentences": 226},
        "models": [
            {"name": m.name, "title": m.title, "version": m.version, "figures": {
                name: {"value": scores[m.version], "interval": [0.5, 0.6]}
                for name in differences}}
            for m in pair
        ],
        "pairs": [{"left": 0, "right": 1, "differences": differences}],
        "lower_is_better": ["ms"],
    }  # fmt: skip
    folder = job_folder(home, job_id)
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_text(json.dumps(told))
    return job_id
