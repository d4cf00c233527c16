"""All measurements in one run, into one JSON file with the machine's description."""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import torch

from engine.bench import growth
from engine.bench.roof import roof
from engine.bench.sides import Case, Side, cold, llama, measure, plain, read_cases, spread
from engine.engine import ModelEngine, make_engine
from engine.models import Base, load_base
from engine.sense import Query
from engine.settings import Settings, assets
from engine.views import views

_MORE = 1000  # sentences for what grows


def bench(settings: Settings, result: Path, rounds: int, sentences: int) -> dict[str, Any]:
    """Measure all there is and write what was found to `result`."""
    result.parent.mkdir(parents=True, exist_ok=True)
    more = read_cases(assets() / "datasets" / "en-zh-gold", max(sentences, _MORE))
    cases = more[:sentences]
    base = load_base(settings)
    folder = settings.adapter_folder
    engine = make_engine(base, folder)
    growth.clicks(engine, cases[:3])
    memory = psutil.Process().memory_info().rss
    found: dict[str, Any] = {
        "machine": machine(base),
        "engine": engine.id,
        "rounds": rounds,
        "sentences": len(cases),
        "words": sum(len(case.query.words) for case in cases),
        "resident_mb": round(memory / 1e6),
    }
    sides: dict[str, Side] = {"engine": cold(engine), "plain": plain(base)}
    with tempfile.TemporaryDirectory() as place:
        sides |= llama(Path(place))
        seconds = measure(sides, cases, rounds)
    del sides
    found |= {
        "cold_click": {name: spread(times) for name, times in seconds.items()},
        "words_per_second": words_per_second(engine, cases, rounds),
        "known_click": growth.known_click(engine, cases),
        "beside_training": growth.beside_training(engine, cases),
        "roof": roof(engine, base.model, cases),
        "by_sentence": growth.by_sentence(engine, more),
        "by_passage": growth.by_passage(engine, more),
        "by_readers": growth.by_readers(engine, more),
        "by_lookups": growth.by_lookups(
            engine,
            [Query(case.query.context, i) for case in more for i in range(len(case.query.words))],
        ),
    }
    if folder:
        found["by_adapters"] = growth.by_adapters(engine, base, folder, more)
    result.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return found


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
    """What the figures of this base were taken on."""
    return machine_of() | {"dtype": base.choice.dtype_name, "device": base.choice.device}


def machine_of() -> dict[str, Any]:
    """The machine and what it computes with."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
