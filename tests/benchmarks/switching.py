"""Measures what exchanging adapters costs: python -m tests.benchmarks.switching [RESULT.json]

Five pairs over the real base, three ways: adapters resident beside one base, one model that is
merged and unmerged for each request, one full model a pair. Prints a table and writes
assets/bench/switching.json. Wants an idle machine; the load average and the processor's own time
stand beside the clock's, so that a busy one shows.
"""

from __future__ import annotations

import copy
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from engine.adapters import linear_sizes, open_adapter
from engine.checking import Adapter, BaseShape, read_adapter
from engine.greedy import Growing
from engine.models import Base, embedded_folder, load_base
from engine.residents import Residents
from engine.settings import Settings, assets
from engine.together import Batch, Sentence
from engine.translation import TranslationPrompt
from tests.adapter_kinds import PAIRS
from tests.made_adapters import make_adapter
from tests.real import ROOT

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
SENTENCE = "The old man went down to the sea with his dog."
TOKENS = 8  # of an answer
SWITCHES, LOADS, REQUESTS, ROUNDS = 200, 25, 15, 3


class Clock:
    """Milliseconds of what is run, by the clock and by the processor."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def run(self, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        done = work()
        self.wall.append(1000 * (time.perf_counter() - wall))
        self.cpu.append(1000 * (time.process_time() - cpu))
        return done

    def figures(self) -> dict[str, float]:
        def p95(times: list[float]) -> float:
            return sorted(times)[round(0.95 * (len(times) - 1))]

        return {
            "n": len(self.wall),
            "median_ms": round(statistics.median(self.wall), 3),
            "p95_ms": round(p95(self.wall), 3),
            "processor_median_ms": round(statistics.median(self.cpu), 3),
            "processor_p95_ms": round(p95(self.cpu), 3),
        }


def apart(base: Base) -> Any:
    """The base's weights under a structure of its own."""
    return copy.deepcopy(base.model, {id(one): one for one in base.model.parameters()})


def write(model: Any, prompt: TranslationPrompt, pair: str) -> None:
    growing = Growing(model, [prompt.parts(SENTENCE, pair)])
    for _ in range(TOKENS):
        growing.step()


def resident(base: Base, adapters: list[Adapter]) -> dict[str, Any]:
    residents, prompt = Residents(base), TranslationPrompt(base.tokenizer)
    loads, switches, requests = Clock(), Clock(), Clock()

    def use(adapter: Adapter | None) -> None:
        with residents.using(adapter):
            pass

    def ask(adapter: Adapter) -> None:
        with residents.using(adapter) as model:
            write(model, prompt, adapter.card.pair)

    for number in range(LOADS):
        adapter = adapters[number % len(adapters)]
        residents.unload(adapter.version)
        loads.run(lambda adapter=adapter: use(adapter))
    for number in range(SWITCHES):
        switches.run(lambda number=number: use(adapters[number % len(adapters)]))
    for number in range(REQUESTS):
        requests.run(lambda number=number: ask(adapters[number % len(adapters)]))
    return {
        "load": loads.figures(),
        "switch": switches.figures(),
        "request": requests.figures(),
        "adapters": [
            {"pair": one.pair, "memory_bytes": one.bytes, "disk_bytes": adapter.bytes}
            for one, adapter in zip(residents.loaded(), adapters)
        ],
        "memory_bytes": residents.base_bytes + residents.bytes,
        "disk_bytes": residents.base_bytes + sum(one.bytes for one in adapters),
    }


def together(base: Base, adapters: list[Adapter]) -> dict[str, Any]:
    """Eight sentences in five pairs: one after the other, and as one batch."""
    residents = Residents(base)
    asked = sorted(
        (Sentence(SENTENCE, adapters[number % len(adapters)]) for number in range(8)),
        key=lambda one: one.adapter.version,
    )
    turns, batch = Clock(), Clock()

    def run(sentences: list[Sentence]) -> None:
        written = Batch(residents, sentences, TOKENS)
        while written.rows:
            written.step()

    for _ in range(ROUNDS):
        turns.run(lambda: [run([one]) for one in asked])
        batch.run(lambda: run(asked))
    return {"one_after_the_other": turns.figures(), "one_batch": batch.figures()}


def merging(base: Base, adapters: list[Adapter]) -> dict[str, Any]:
    """PEFT on a copy: merge for the request, unmerge behind it."""
    before = [one.clone() for one in base.model.parameters()]
    model: Any = copy.deepcopy(base.model)
    for adapter in adapters:
        model = open_adapter(model, adapter, base, adapter.card.pair)
    model.eval()
    prompt, switches, requests = TranslationPrompt(base.tokenizer), Clock(), Clock()

    def merge(pair: str) -> None:
        model.set_adapter(pair)
        model.merge_adapter()

    for number in range(REQUESTS):
        pair = adapters[number % len(adapters)].card.pair

        def ask(pair: str = pair) -> None:
            switch = Clock()
            switch.run(lambda: merge(pair))
            write(model, prompt, pair)
            switch.run(model.unmerge_adapter)
            switches.wall.append(sum(switch.wall))
            switches.cpu.append(sum(switch.cpu))

        requests.run(ask)
    after = [p for name, p in model.named_parameters() if "lora_" not in name]
    changed = sum(int((a != b).sum()) for a, b in zip(before, after))
    weights = sum(one.nbytes for one in model.parameters())
    return {
        "switch": switches.figures(),
        "request": requests.figures(),
        "weights_changed": changed,  # of the base: what unmerging does not give back
        "weights": sum(one.numel() for one in before),
        "memory_bytes": weights,
        "disk_bytes": sum(one.nbytes for one in before) + sum(one.bytes for one in adapters),
    }


def whole(base: Base, adapters: list[Adapter], settings: Settings) -> dict[str, Any]:
    """A full model for each pair: nothing is exchanged. One is made, the others are as large."""
    loads, requests, prompt = Clock(), Clock(), TranslationPrompt(base.tokenizer)
    model: Any = open_adapter(copy.deepcopy(base.model), adapters[0], base, "x").merge_and_unload()
    loads.run(lambda: load_base(settings))
    for _ in range(REQUESTS):
        requests.run(lambda: write(model, prompt, adapters[0].card.pair))
    size = sum(one.nbytes for one in model.parameters())
    return {
        "load": loads.figures(),
        "switch": {"n": 0, "median_ms": 0.0, "p95_ms": 0.0},
        "request": requests.figures(),
        "memory_bytes": size * len(adapters),
        "disk_bytes": size * len(adapters),
    }


def table(found: dict[str, Any]) -> str:
    """Milliseconds by the clock, in brackets those of the processor."""

    def cell(figures: dict[str, float] | None, which: str) -> str:
        if not figures or not figures["n"]:
            return "–"
        return f"{figures[f'{which}_ms']:,.1f} ({figures[f'processor_{which}_ms']:,.1f})"

    load = found["machine"]["load_average"]
    rows = [
        f"Clock (processor), ms; load average {load[0]} to {load[1]}.\n",
        "| five pairs | exchange, p95 | first load, p95"
        f" | {TOKENS} tokens, median | memory | disk |",
        "|---|---|---|---|---|---|",
    ]
    for name, title in (
        ("resident", "**resident beside one base**"),
        ("merging", "merged and unmerged for each request"),
        ("whole", "one full model a pair"),
    ):
        one = found[name]
        rows.append(
            f"| {title} | {cell(one['switch'], 'p95')} | {cell(one.get('load'), 'p95')} |"
            f" {cell(one['request'], 'median')} |"
            f" {one['memory_bytes'] / 1e6:,.0f} MB | {one['disk_bytes'] / 1e6:,.0f} MB |"
        )
    turns, batch = (found["together"][way] for way in ("one_after_the_other", "one_batch"))
    rows.append(
        f"\nEight sentences at once: {cell(turns, 'median')} one after the other,"
        f" {cell(batch, 'median')} in one batch."
    )
    changed = found["merging"]["weights_changed"], found["merging"]["weights"]
    rows.append(
        f"After {REQUESTS} merges, {changed[0]:,} of the base's {changed[1]:,} weights are others."
    )
    return "\n".join(rows)


def main(result: Path) -> None:
    home = ROOT / ".venv" / "test-home"
    embedded_folder(home)
    settings = Settings(home=home)
    base = load_base(settings)
    shape = BaseShape(base.name, base.revision, linear_sizes(base.model))
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        adapters = [
            read_adapter(
                make_adapter(
                    Path(folder) / pair, shape, seed, pair, rank=16, targets=LINEAR, strength=0.02
                )
            )
            for seed, pair in enumerate(PAIRS)
        ]
        found: dict[str, Any] = {
            "resident": resident(base, adapters),
            "together": together(base, adapters),
            "merging": merging(base, adapters),
            "whole": whole(base, adapters, settings),
        }
    found["machine"] = {
        "dtype": base.choice.dtype_name, "device": base.choice.device,
        "threads": torch.get_num_threads(), "processors": os.cpu_count(),
        "load_average": [round(load, 1), round(os.getloadavg()[0], 1)], "torch": torch.__version__,
    }  # fmt: skip
    result.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else assets() / "bench" / "switching.json")
