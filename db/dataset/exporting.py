"""Rows out of the store into a file, one by one: the same rows come in again.

    flat     {context, target, idx, class, zh, phrase}, a JSON object a line
    wire     {"prompt": "{context, target, idx}", "response": "{class, zh, phrase}"}; a row that
             came in like this and still says the same goes out as it was, to the letter
    csv      flat, with a header
    parquet  flat
    hf       a folder for Hugging Face `datasets`: a Parquet file for each split, and a card

What an export leaves out, it says.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from db.dataset.card import About
from db.dataset.folder import write_folder
from db.dataset.rows import COLUMNS, Flat, ParquetRows, flat
from db.store import Answered, Filter, Store
from db.store.browse import EVERYTHING
from engine.sense import to_wire

FORMATS = ("flat", "wire", "csv", "parquet", "hf")
_TICK = 1000  # rows between two ticks

Counts = dict[str, int]
Tick = Callable[[int], None]
"""Called now and then with the rows written."""


def export_dataset(
    store: Store, file: Path, form: str, name: str, tick: Tick = lambda rows: None
) -> Counts:
    """Write a frozen dataset, all of it; Refused where there is none of the name."""
    dataset = store.datasets.get(name)
    left = {f"left_out_{reason}": count for reason, count in dataset.left_out.items()}
    about = About(
        dataset.name, dataset.pair, store.exports.origins_of_dataset(name), dataset.left_out,
        dataset.description, dataset.sha256, dataset.created,
    )  # fmt: skip
    rows = store.exports.of_dataset(name, full=form in _FULL)
    return _write(rows, file, form, about, tick) | left


def export_marked(store: Store, file: Path, name: str) -> Counts:
    """Write a frozen dataset in the flat form, with `"person": true` in the rows whose answers
    people gave."""
    fresh = file.with_name(f"{file.name}.part")
    told = _write_flat(fresh, store.exports.of_dataset(name), marked=True)
    os.replace(fresh, file)
    return told


def export_sentences(store: Store, file: Path, name: str) -> Counts:
    """Write a frozen set of sentences, {context, text} a JSON object a line, and by whom the text
    is where a model wrote it; Refused where there is none of the name."""
    rows = store.sentence_sets.marked(name)
    fresh = file.with_name(f"{file.name}.part")
    with fresh.open("w", encoding="utf-8") as out:
        for context, text, by in rows:
            told = {"context": context, "text": text} | ({"synthetic": by} if by else {})
            out.write(json.dumps(told, ensure_ascii=False) + "\n")
    os.replace(fresh, file)
    return {"written": len(rows)}


def export_teacher(store: Store, file: Path, name: str) -> Counts:
    """Write what teachers answered to the queries of a frozen dataset, in the flat form: the last
    answer to each."""
    fresh = file.with_name(f"{file.name}.part")
    told = _write_flat(fresh, store.exports.taught(name))
    os.replace(fresh, file)
    return told


def export(
    store: Store,
    file: Path,
    form: str,
    pair: str,
    accepted: bool,
    chosen: Filter = EVERYTHING,
    tick: Tick = lambda rows: None,
) -> Counts:
    """Write the answered queries of a pair; how many were written and left out."""
    counts = store.exports.counts(pair)
    left = {
        "unanswered": counts["queries"] - counts["answered"],
        "undone": counts["not_counted"],
    }
    if accepted:
        left["not_accepted"] = counts["answered"] - counts["accepted"]
    origins = store.exports.origins(pair, accepted, chosen) if form == "hf" else ()
    about = About("export", pair, origins, {name: n for name, n in left.items() if n})
    rows = store.exports.answered(pair, accepted, chosen, full=form in _FULL)
    told = _write(rows, file, form, about, tick)
    if chosen != EVERYTHING:
        left["not_chosen"] = counts["accepted" if accepted else "answered"] - told["written"]
    return told | left


def export_decisions(store: Store, file: Path, pair: str) -> int:
    """Write all decisions of people, the oldest first, one JSON object a line; how many. Those that
    were taken back say when."""
    fresh, count = file.with_name(f"{file.name}.part"), 0
    with fresh.open("w", encoding="utf-8") as out:
        for made in store.decisions.made(pair):
            query = made.query
            told = {
                "when": made.created, "who": made.who, "kind": made.kind, "note": made.note,
                "undone": made.undone, "context": query.context, "target": query.target,
                "idx": query.idx, **(to_wire(query, made.sense) if made.sense else {}),
            }  # fmt: skip
            out.write(json.dumps(told, ensure_ascii=False) + "\n")
            count += 1
    os.replace(fresh, file)
    return count


def _write(rows: Iterable[Answered], file: Path, form: str, about: About, tick: Tick) -> Counts:
    """Write rows to a file, or a folder, that appears when it is whole; how many."""
    if form == "hf":
        return write_folder(_ticked(rows, tick), file, about)
    fresh = file.with_name(f"{file.name}.part")
    told = WRITERS[form](fresh, _ticked(rows, tick))
    os.replace(fresh, file)
    return told


def _ticked(rows: Iterable[Answered], tick: Tick) -> Iterator[Answered]:
    for count, row in enumerate(rows, 1):
        if count % _TICK == 0:
            tick(count)
        yield row


def _write_flat(file: Path, rows: Iterator[Answered], marked: bool = False) -> Counts:
    count = 0
    with file.open("w", encoding="utf-8") as out:
        for row in rows:
            more = {"person": True} if marked and row.source == "person" else {}
            out.write(json.dumps(flat(row) | more, ensure_ascii=False) + "\n")
            count += 1
    return {"written": count}


def _write_wire(file: Path, rows: Iterator[Answered]) -> Counts:
    count = verbatim = 0
    with file.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write((row.raw or _wire(flat(row))) + "\n")
            count += 1
            verbatim += bool(row.raw)
    return {"written": count, "verbatim": verbatim}


def _wire(row: Flat) -> str:
    parts = [
        json.dumps({name: row[name] for name in names}, ensure_ascii=False)
        for names in (COLUMNS[:3], COLUMNS[3:])
    ]
    return json.dumps(dict(zip(("prompt", "response"), parts)), ensure_ascii=False)


def _write_csv(file: Path, rows: Iterator[Answered]) -> Counts:
    count = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, COLUMNS)
        table.writeheader()
        for row in rows:
            table.writerow(flat(row))
            count += 1
    return {"written": count}


def _write_parquet(file: Path, rows: Iterator[Answered]) -> Counts:
    with ParquetRows(file) as out:
        for row in rows:
            out.add(flat(row))
    return {"written": out.count}


WRITERS: dict[str, Callable[[Path, Iterator[Answered]], Counts]] = {
    "flat": _write_flat,
    "wire": _write_wire,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
_FULL = ("wire", "hf")  # forms that need attributions or raw lines
