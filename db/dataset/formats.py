"""What a file holds, line by line: sentences, or rows with a teacher's or a person's answer. Pure.

    text     plain text: every sentence of it
    pairs    sentence ⇥ translation ⇥ attribution (.tsv, .csv), as manythings.org gives them
    wire     {"prompt": "{context, target, idx}", "response": "{class, zh, phrase}"}: JSON in JSON
    flat     {context, target, idx, class, zh, phrase} as JSON; as .csv or .tsv with a header:
             table; or as parquet

A line that does not fit becomes a `Bad` with its reason; it never stops the others.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from db.dataset.incoming import (
    QUESTION,
    Bad,
    Row,
    Sentence,
    bad,
    is_row,
    read_json,
    read_object,
    read_row,
    read_sentence,
    unwrap,
)
from db.dataset.opening import Unreadable, find_encoding, read_lines
from engine.passage import split_passage

_JSON = (".json", ".jsonl", ".ndjson")
_PROBED = 20  # lines, of which one must be a row: the first may be broken


@dataclass(frozen=True)
class Line:
    """One line of a file, verbatim, from 1, and what it holds."""

    number: int
    raw: str
    holds: tuple[Sentence | Row | Bad, ...]


@dataclass(frozen=True)
class Source:
    """A file whose format and encoding are known."""

    file: Path
    format: str
    encoding: str


def recognise(file: Path, encoding: str = "") -> Source:
    """What a file is, by its name and first lines; Unreadable where that is nothing known. Its
    encoding is found out where it is not said."""
    if file.suffix.lower() == ".parquet":
        return Source(file, "parquet", "")
    encoding = encoding or find_encoding(file)
    lines = (line for line in read_lines(file, encoding) if line.strip())
    begin = list(itertools.islice(lines, _PROBED))
    first = begin[0] if begin else ""
    if first.lstrip().startswith("{") or file.suffix.lower() in _JSON:
        for row in filter(is_row, map(read_json, begin)):
            if "prompt" in row:
                return Source(file, "wire", encoding)
            if all(name in row for name in QUESTION):
                return Source(file, "flat", encoding)
        raise Unreadable("unknown_format")
    if file.suffix.lower() in (".tsv", ".csv") or first.count("\t") in (1, 2):
        header = next(csv.reader([first], delimiter=_delimiter(file, first)), [])
        labelled = set(QUESTION) <= set(_names(header))
        return Source(file, "table" if labelled else "pairs", encoding)
    return Source(file, "text", encoding)


def read_source(source: Source, pair: str) -> Iterator[Line]:
    """The file's lines that hold anything, in order."""
    return READERS[source.format](source, pair)


def _read_text(source: Source, pair: str) -> Iterator[Line]:
    language = pair.partition("-")[0]
    for number, raw in _numbered(source):
        sentences = split_passage(raw, language)
        yield Line(number, raw, tuple(read_sentence(s.text) for s in sentences if s.text.strip()))


def _read_pairs(source: Source, pair: str) -> Iterator[Line]:
    for number, raw, cells in _cells(source):
        if cells is None:
            yield Line(number, raw, (bad("unended_cell"),))
            continue
        context, translation, attribution = (*cells, "", "")[:3]
        yield Line(number, raw, (read_sentence(context, translation, attribution),))


def _read_table(source: Source, pair: str) -> Iterator[Line]:
    lines = _cells(source)
    _, _, header = next(lines)
    for number, raw, cells in lines:
        if cells is None or header is None:
            yield Line(number, raw, (bad("unended_cell"),))
            continue
        row = {name: cell or None for name, cell in zip(_names(header), cells)}
        yield Line(number, raw, (read_row(row, pair),))


def _names(header: Iterable[str]) -> list[str]:
    """A table's columns, however they are capitalised."""
    return [name.strip().lower() for name in header]


def _read_flat(source: Source, pair: str) -> Iterator[Line]:
    for number, raw in _numbered(source):
        row = read_object(raw)
        yield Line(number, raw, (row if isinstance(row, Bad) else read_row(row, pair),))


def _read_wire(source: Source, pair: str) -> Iterator[Line]:
    for number, raw in _numbered(source):
        row = unwrap(raw)
        yield Line(number, raw, (row if isinstance(row, Bad) else read_row(row, pair),))


def _read_parquet(source: Source, pair: str) -> Iterator[Line]:
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    try:
        table = ParquetFile(source.file)
    except ArrowInvalid as error:
        raise Unreadable("not_text_file") from error
    if not set(QUESTION) <= set(table.schema_arrow.names):
        raise Unreadable("no_parquet_columns")
    rows = itertools.chain.from_iterable(batch.to_pylist() for batch in table.iter_batches(1000))
    for number, row in enumerate(rows, 1):
        raw = json.dumps(row, ensure_ascii=False, default=str)
        yield Line(number, raw, (read_row(row, pair),))


READERS: dict[str, Callable[[Source, str], Iterator[Line]]] = {
    "text": _read_text,
    "pairs": _read_pairs,
    "table": _read_table,
    "flat": _read_flat,
    "wire": _read_wire,
    "parquet": _read_parquet,
}


def _numbered(source: Source) -> Iterator[tuple[int, str]]:
    lines = enumerate(read_lines(source.file, source.encoding), 1)
    return ((number, line) for number, line in lines if line.strip())


def _cells(source: Source) -> Iterator[tuple[int, str, list[str] | None]]:
    """The records of a table: number of the first line, verbatim, cells; None where a cell never
    ends. In .csv a quoted cell may hold line ends; in .tsv nothing is quoted."""
    seen: list[str] = []
    lines = read_lines(source.file, source.encoding)
    first = next(lines, "")
    delimiter = _delimiter(source.file, first)

    def kept() -> Iterator[str]:
        for line in itertools.chain([first], lines):
            seen.append(line)
            yield f"{line}\n"

    plain = csv.reader(kept(), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    records = plain if delimiter == "\t" else csv.reader(kept(), delimiter=delimiter)
    number = 1
    while True:
        try:
            cells = next(records)
        except StopIteration:
            return
        except csv.Error:  # a cell without an end; the reader goes on at the next line
            cells = None
        if cells is None or any(cell.strip() for cell in cells):
            yield number, "\n".join(seen), cells
        number += len(seen)
        seen.clear()


def _delimiter(file: Path, first: str) -> str:
    if "\t" in first or file.suffix.lower() == ".tsv":
        return "\t"
    return ";" if first.count(";") > first.count(",") else ","
