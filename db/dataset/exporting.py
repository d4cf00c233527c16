"""Rows out of the store into a file, one by one: the same rows come in again.

    flat     {context, target, idx, class, zh, phrase}, a JSON object a line
    wire     {"prompt": "{context, target, idx}", "response": "{class, zh, phrase}"}
    csv      flat, with a header
    parquet  flat

What an export leaves out, it says.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from db.store import Answered, Store
from engine.sense import to_wire

COLUMNS = ("context", "target", "idx", "class", "zh", "phrase")
_BATCH = 10_000  # rows of a Parquet row group

Flat = dict[str, str | int]


def export_dataset(store: Store, file: Path, form: str, name: str) -> dict[str, int]:
    """Write a frozen dataset, all of it; Refused where there is none of the name."""
    store.datasets.get(name)
    return {"written": _write(store.exports.of_dataset(name), file, form)}


def export(store: Store, file: Path, form: str, pair: str, accepted: bool) -> dict[str, int]:
    """Write the answered queries of a pair; how many were written and left out."""
    written = _write(store.exports.answered(pair, accepted), file, form)
    counts = store.exports.counts(pair)
    left = {
        "unanswered": counts["queries"] - counts["answered"],
        "undone": counts["not_counted"],
    }
    if accepted:
        left["not_accepted"] = counts["answered"] - counts["accepted"]
    return {"written": written, **left}


def _write(rows: Iterator[Answered], file: Path, form: str) -> int:
    """Write rows to a file that appears when it is whole; how many."""
    fresh = file.with_name(f"{file.name}.part")
    written = WRITERS[form](fresh, map(flat, rows))
    os.replace(fresh, file)
    return written


def flat(row: Answered) -> Flat:
    """A row's six fields."""
    query = row.query
    asked: Flat = {"context": query.context, "target": query.target, "idx": query.idx}
    return asked | to_wire(query, row.sense)


def _write_flat(file: Path, rows: Iterator[Flat]) -> int:
    return _write_lines(file, (json.dumps(row, ensure_ascii=False) for row in rows))


def _write_wire(file: Path, rows: Iterator[Flat]) -> int:
    def line(row: Flat) -> str:
        parts = [
            json.dumps({name: row[name] for name in names}, ensure_ascii=False)
            for names in (COLUMNS[:3], COLUMNS[3:])
        ]
        return json.dumps(dict(zip(("prompt", "response"), parts)), ensure_ascii=False)

    return _write_lines(file, map(line, rows))


def _write_lines(file: Path, lines: Iterator[str]) -> int:
    count = 0
    with file.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(line + "\n")
            count += 1
    return count


def _write_csv(file: Path, rows: Iterator[Flat]) -> int:
    count = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, COLUMNS)
        table.writeheader()
        for row in rows:
            table.writerow(row)
            count += 1
    return count


def _write_parquet(file: Path, rows: Iterator[Flat]) -> int:
    from pyarrow import Table, int64, schema, string
    from pyarrow.parquet import ParquetWriter

    kinds = schema([(name, int64() if name == "idx" else string()) for name in COLUMNS])
    count = 0
    with ParquetWriter(file, kinds) as out:
        while batch := list(itertools.islice(rows, _BATCH)):
            out.write_table(Table.from_pylist(batch, kinds))
            count += len(batch)
    return count


WRITERS: dict[str, Callable[[Path, Iterator[Flat]], int]] = {
    "flat": _write_flat,
    "wire": _write_wire,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
