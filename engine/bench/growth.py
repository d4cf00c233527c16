"""How the engine grows: with a sentence's length, a passage's, the number of readers and of
adapters; what it does beside a training job; and whether its memory does.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from tqdm import tqdm

from engine.bench.sides import Case, cold, spread
from engine.engine import ModelEngine, make_engine
from engine.lookup import Lookup
from engine.models import Base
from engine.sense import Query
from engine.settings import assets
from engine.views import views

LENGTHS = (4, 8, 12, 16, 20, 24, 28)  # words
PASSAGES = (1, 5, 10, 25, 50)  # sentences
READERS = (1, 2, 4, 8, 16, 32)
ADAPTERS = (1, 2, 4, 8)
LOOKUPS = 10_000
_OF_ONE_LENGTH = 5  # sentences
_CLICKS = 40  # beside a training job, and without one
_PATIENCE = 600  # seconds until a training job trains


def by_sentence(engine: ModelEngine, cases: Sequence[Case]) -> list[dict[str, float]]:
    """Milliseconds of a cold click by the sentence's number of words, medians."""
    found = []
    for length in LENGTHS:
        near = sorted(cases, key=lambda case: (abs(len(case.query.words) - length), case.prompt))
        words = [len(case.query.words) for case in near[:_OF_ONE_LENGTH]]
        times = clicks(engine, near[:_OF_ONE_LENGTH] * 3)
        found.append({"words": statistics.mean(words), **spread(times)})
    return found


def by_passage(engine: ModelEngine, cases: Sequence[Case]) -> list[dict[str, float]]:
    """Seconds until all words of a passage of so many sentences are looked up."""
    found = []
    for count in PASSAGES:
        cut = [v for case in cases[:count] for v in views(case.query.context, case.query.pair)]
        start = time.perf_counter()
        words = sum(len(engine.answer(view)) for view in cut)
        seconds = time.perf_counter() - start
        found.append({"sentences": count, "words": words, "seconds": round(seconds, 2)})
    return found


def by_readers(engine: ModelEngine, cases: Sequence[Case]) -> list[dict[str, float]]:
    """How long readers wait who all click at once, each in a sentence of his own."""

    async def wait(lookup: Lookup, query: Query) -> float:
        start = time.perf_counter()
        await lookup.answer(query)
        return time.perf_counter() - start

    async def all_at_once(lookup: Lookup, count: int) -> list[float]:
        return await asyncio.gather(*(wait(lookup, case.query) for case in cases[:count]))

    found = []
    for count in READERS:
        with serving(engine) as lookup:
            waited = asyncio.run(all_at_once(lookup, count))
        found.append({"readers": count, **spread(waited)})
    return found


def by_adapters(
    engine: ModelEngine, base: Base, folder: Path, cases: Sequence[Case]
) -> list[dict[str, float]]:
    """A cold click when so many adapters are asked in turns, each a merged copy of its own."""
    found = []
    engines = [engine]
    for count in ADAPTERS:
        engines += [make_engine(base, folder) for _ in range(count - len(engines))]
        for one in engines:
            clicks(one, cases[:1])
        times = []
        for number, case in enumerate(cases[:_CLICKS]):
            times += clicks(engines[number % count], [case])
        megabytes = psutil.Process().memory_info().rss / 1e6
        found.append({"adapters": count, **spread(times), "resident_mb": round(megabytes)})
    return found


def known_click(engine: ModelEngine, cases: Sequence[Case]) -> dict[str, float]:
    """A click on a word that is looked up already, in the server."""

    async def ask(lookup: Lookup) -> list[float]:
        times = []
        for case in cases:
            await lookup.answer(case.query)
            start = time.perf_counter()
            await lookup.answer(case.query)
            times.append(time.perf_counter() - start)
        return times

    with serving(engine) as lookup:
        times = asyncio.run(ask(lookup))
    ordered = sorted(1000 * t for t in times)
    return {
        "median_ms": round(statistics.median(ordered), 3),
        "p95_ms": round(ordered[round(0.95 * (len(ordered) - 1))], 3),
    }


def by_lookups(engine: ModelEngine, contexts: Sequence[Query]) -> list[dict[str, float]]:
    """Resident megabytes at every thousandth lookup: of every word of one new sentence after the
    other, as a reader clicks who leaves none out."""

    async def ask(lookup: Lookup) -> list[dict[str, float]]:
        found = []
        for number, query in enumerate(tqdm(contexts[:LOOKUPS], unit="lookup"), 1):
            await lookup.answer(query)
            if number % 1000 == 0:
                megabytes = psutil.Process().memory_info().rss / 1e6
                found.append({"lookups": number, "resident_mb": round(megabytes)})
        return found

    with serving(engine) as lookup:
        return asyncio.run(ask(lookup))


def beside_training(engine: ModelEngine, cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Cold clicks alone, then beside a training run on the gold dataset in a process of its own."""
    alone = clicks(engine, cases[:_CLICKS])
    with tempfile.TemporaryDirectory() as folder, _training(Path(folder)):
        beside = clicks(engine, cases[:_CLICKS])
    return {"alone": spread(alone), "beside": spread(beside)}


def clicks(engine: ModelEngine, cases: Sequence[Case]) -> list[float]:
    """Seconds of cold clicks, one after the other."""
    side, times = cold(engine), []
    for case in cases:
        start = time.perf_counter()
        side(case)
        times.append(time.perf_counter() - start)
    return times


@contextmanager
def serving(engine: ModelEngine) -> Iterator[Lookup]:
    """A lookup that knows nothing yet."""

    def load(progress: Callable[[str, float], None]) -> Any:
        return engine

    lookup = Lookup(load)
    lookup.start()
    try:
        yield lookup
    finally:
        lookup.close()


@contextmanager
def _training(folder: Path) -> Iterator[None]:
    """A training run that has taken its first steps."""
    source = {"name": "gold", "path": str(assets() / "datasets" / "en-zh-gold")}
    recipe = folder / "recipe.json"
    recipe.write_text(
        json.dumps({"sources": [source], "epochs": 100, "batch": 32, "guard_rows": 0})
    )
    command = [sys.executable, "-m", "trainer", "fit", str(recipe), "--folder", str(folder / "run")]
    root = assets().parent
    log = folder / "run" / "log.jsonl"
    with (folder / "out").open("w") as out:
        job = subprocess.Popen(command, cwd=root, stdout=out, stderr=out)
        try:
            until = time.monotonic() + _PATIENCE
            while not (log.exists() and '"event": "step"' in log.read_text()):
                if job.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"no training: {(folder / 'out').read_text()[-500:]}")
                time.sleep(1)
            yield
        finally:
            job.kill()
            job.wait()
