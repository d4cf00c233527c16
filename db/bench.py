"""How the store grows: python -m db bench RESULT.json [--queries N]. Wants an idle machine.

Brings N ready rows in, has one in fifty decided, and measures the next item of the queue, pages of
the table by filter and search, and an export: medians of five, and the memory an export takes.
"""

from __future__ import annotations

import json
import os
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from tqdm import tqdm

from db.dataset.exporting import export
from db.dataset.importing import bring
from db.store import Filter, Origin, Store, open_store
from engine.sense import CLASSES, Sense

PAIR = "en-zh"
ROUNDS = 5
WORDS_ASKED = 5  # of a sentence
_DECIDED = 50  # one in so many
_NEXT = 50  # items asked for in a round
_SYLLABLES = ("ba", "co", "di", "fu", "ga", "le", "mi", "no", "pa", "re", "so", "tu", "ve", "zi")
_HAN = "天地人大小上下中出入来去说看听写走跑打破开关水火山石田土金木"
FILTERS: dict[str, Filter] = {
    "by state": Filter(status="accepted"),
    "by person": Filter(who="Ann"),
    "by class": Filter(word_class="particle"),
    "split phrases": Filter(shape="split"),
    "corrected": Filter(corrected=True),
    "an English word": Filter(text="banana"),
    "two Chinese characters": Filter(text="打破"),
    "one Chinese character": Filter(text="破"),
    "state and class and text": Filter(status="open", word_class="verb", text="大小"),
}


def bench(result: Path, queries: int) -> dict[str, Any]:
    """Measure all there is and write what was found to `result`."""
    result.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {"machine": machine(), "queries": queries}
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "ctx.db") as store:
        rows = Path(folder) / "rows.jsonl"
        write_rows(rows, queries)
        found["import"] = importing(store, rows)
        found["decided"] = decide(store, queries // _DECIDED)
        found["next_ms"] = next_items(store)
        found["page_ms"] = {
            name: pages(store, chosen) for name, chosen in tqdm(FILTERS.items(), unit="filter")
        }
        found["export"] = exporting(store, Path(folder) / "out.jsonl")
        found["database_mb"] = round(store.path.stat().st_size / 1e6)
    result.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return found


def write_rows(file: Path, count: int) -> None:
    """Ready rows in the flat form: sentences of ten words, five of them answered."""
    random.seed(1)
    words = ["".join(random.choices(_SYLLABLES, k=3)) for _ in range(20_000)] + ["banana"]
    with file.open("w", encoding="utf-8") as out:
        for number in range(0, count, WORDS_ASKED):
            chosen = random.sample(words, 9)
            context = f"{number} " + " ".join(chosen) + "."
            for target in chosen[: min(WORDS_ASKED, count - number)]:
                row = {"context": context, "target": target, "idx": 1} | _answer(chosen, target)
                out.write(json.dumps(row, ensure_ascii=False) + "\n")


def _answer(words: list[str], target: str) -> dict[str, str]:
    phrase = ""
    if random.random() < 0.15:
        first, last = sorted([words.index(target), random.randrange(9)])
        if first < last:
            phrase = f"{words[first]} {words[last]}|{''.join(random.sample(_HAN, 4))}"
    meaning = "".join(random.sample(_HAN, 2))
    return {"class": random.choice(CLASSES), "zh": meaning, "phrase": phrase}


def importing(store: Store, rows: Path) -> dict[str, Any]:
    """Rows a second until they are stored, and until the queue knows them, too."""
    start = time.perf_counter()
    _, counts = bring(store, rows, Origin("rows", "", who="T"))
    stored = time.perf_counter() - start
    store.review.work_off()
    ready = time.perf_counter() - start
    return {
        "rows": counts.labels,
        "refused": sum(counts.refused.values()),
        "rows_per_second": round(counts.labels / stored),
        "rows_per_second_with_queue": round(counts.labels / ready),
    }


def decide(store: Store, count: int) -> int:
    """Decide so many queries, two hundred at once; how many were."""
    done = 0
    for after in tqdm(range(0, count, 200), unit="page"):
        rows = store.browse.page(PAIR, Filter(status="open"), after * _DECIDED, 200)
        kind = "reject" if after % 1000 == 0 else "accept"
        store.review.decide_many("Ann", kind, [row.id for row in rows])
        for row in rows[:3]:
            store.review.decide("Bob", "edit", row.id, Sense("noun", "改"))
        done += len(rows)
    return done


def next_items(store: Store) -> dict[str, float]:
    """Milliseconds until the next item is leased and read, each behind a decision."""
    times = []
    for _ in range(ROUNDS * _NEXT):
        start = time.perf_counter()
        found = store.review.next(PAIR, "Cid")
        assert found is not None
        opened = store.review.open(found, "Cid")
        times.append(1000 * (time.perf_counter() - start))
        sense = opened.standing.sense if opened.standing else Sense("noun", "改")
        store.review.decide("Cid", "accept", found, sense)
    ordered = sorted(times)
    return {
        "median": round(statistics.median(ordered), 2),
        "p95": round(ordered[int(0.95 * len(ordered))], 2),
    }


def pages(store: Store, chosen: Filter) -> float:
    """Milliseconds of a page of fifty and the count of all, as the table asks."""

    def page() -> None:
        store.browse.page(PAIR, chosen, 0, 50)
        store.browse.count(PAIR, chosen)

    return round(1000 * _median(page), 1)


def exporting(store: Store, file: Path) -> dict[str, Any]:
    """Rows a second of a whole export, and the memory it takes."""
    process = psutil.Process()
    before, start = process.memory_info().rss, time.perf_counter()
    told = export(store, file, "flat", PAIR, accepted=False)
    seconds = time.perf_counter() - start
    return {
        **told,
        "rows_per_second": round(told["written"] / seconds),
        "grew_mb": round((process.memory_info().rss - before) / 1e6),
    }


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.system(),
    }


def _median(run: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
