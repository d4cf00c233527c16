"""Sources as streams of rows, read by Hugging Face `datasets`: text, JSON lines, Parquet, tables
with tabs, all also compressed, and datasets of the hub. Nothing is held but the part that is being
read.

    train.txt.gz                    a line each
    train.de.gz train.en.gz         of pairs: two files, aligned by line
    pairs.tsv                       of pairs: the first two columns
    rows.jsonl, rows.parquet        the recipe's columns
    hub:OWNER/NAME:CONFIG:SPLIT     the same, from the hub; CONFIG and SPLIT may be left out

A frozen set of sentences is a table by then.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from engine.passage import split_passage
from trainer.scratch.corpus.recipe import HUB, CorpusRecipe, is_hub_name
from trainer.scratch.corpus.stages import Row

_PACKED = (".gz", ".xz", ".bz2", ".zst")
_JSON, _PARQUET, _TABLE = (".jsonl", ".ndjson", ".json"), (".parquet",), (".tsv",)
_PART = 1 << 20  # bytes of a file that are held at once
_ROWS = 1000  # the same, of Parquet
_PROBE = 256 * 1024  # bytes that are looked at before a file is read
_BROKEN = (OSError, EOFError, zlib.error)  # what reading a file that is not whole raises
_INSTALL = "pip install -r requirements.txt"


class CorpusError(RuntimeError):
    """A corpus that cannot be made. `code` names the reason, the text says what to do."""

    def __init__(self, code: str, text: str):
        self.code = code
        super().__init__(text)


@dataclass(frozen=True)
class Opened:
    """One source: what it is called, its rows from the start, as often as asked, and how many they
    are where that is known without reading them."""

    name: str
    rows: Callable[[], Iterator[Row]]
    total: int | None


def open_sources(recipe: CorpusRecipe) -> tuple[Opened, ...]:
    """The recipe's sources, looked at but not read; CorpusError says which cannot be."""
    if find_spec("datasets") is None:
        raise CorpusError("no_datasets", f"reading a corpus needs datasets: run  {_INSTALL}")
    if not recipe.sources:
        raise CorpusError("no_source", "sources: name at least one file, or hub:OWNER/NAME")
    left, opened = list(recipe.sources), []
    while left:
        first = left.pop(0)
        if len(recipe.sides) == 2 and kind_of(first) == "text":
            if not left or kind_of(left[0]) != "text":
                raise CorpusError(
                    "no_translation",
                    f"{first}: the file with its translations, aligned by line, must follow it",
                )
            opened.append(_open_aligned(first, left.pop(0)))
        else:
            opened.append(_open(first, recipe))
    return tuple(opened)


def kind_of(source: str) -> str:
    """What a source is, by its name: hub, json, parquet, table or text."""
    if source.startswith(HUB):
        return "hub"
    suffix = _suffix(source)
    known = {"json": _JSON, "parquet": _PARQUET, "table": _TABLE}
    return next((kind for kind, suffixes in known.items() if suffix in suffixes), "text")


def _suffix(source: str) -> str:
    """The end of a file's name that says what it is, without that of its compression."""
    path = Path(source.lower())
    return path.with_suffix("").suffix if path.suffix in _PACKED else path.suffix


def _open(source: str, recipe: CorpusRecipe) -> Opened:
    kind = kind_of(source)
    if kind == "hub":
        if not is_hub_name(source.removeprefix(HUB)):
            raise CorpusError(
                "no_hub_name", f"{source}: a dataset of the hub is hub:OWNER/NAME[:CONFIG[:SPLIT]]"
            )
        return Opened(source, partial(_chosen, source, recipe, partial(_from_hub, source)), None)
    _check_file(source, kind)
    if kind == "text":
        return Opened(source, partial(_lines, source), _count_lines(source))
    if kind == "table":
        rows = partial(_cells, source, len(recipe.sides))
        return Opened(source, rows, _count_lines(source))
    total = _count_rows(source) if kind == "parquet" else _count_lines(source)
    total = total if len(recipe.sides) == 2 else None  # a text may have several lines
    part = {"batch_size": _ROWS} if kind == "parquet" else {"chunksize": _PART}
    return Opened(
        source, partial(_chosen, source, recipe, partial(_from_file, source, kind, **part)), total
    )


def _open_aligned(source: str, target: str) -> Opened:
    """Two text files as pairs; CorpusError where they have not equally many lines."""
    for file in (source, target):
        _check_file(file, "text")
    name = f"{source} + {target}"
    counts = _count_lines(source), _count_lines(target)
    if None not in counts and counts[0] != counts[1]:
        raise CorpusError(
            "not_aligned", f"{name}: {counts[0]:,} and {counts[1]:,} lines: not aligned by line"
        )

    def rows() -> Iterator[Row]:
        try:
            for (one,), (other,) in zip(_lines(source), _lines(target), strict=True):
                yield one, other
        except ValueError as error:
            raise CorpusError("not_aligned", f"{name}: one ends before the other") from error

    return Opened(name, rows, counts[0])


def _check_file(source: str, kind: str) -> None:
    """CorpusError where the file is not there, or its beginning is not UTF-8."""
    path = Path(source)
    if not path.is_file():
        raise CorpusError("no_file", f"{source}: there is no such file")
    if kind == "parquet":
        return
    try:
        with _open_bytes(path) as data:
            probe = data.read(_PROBE)
    except _BROKEN as error:
        raise CorpusError("unreadable", f"{source}: {error}") from error
    if _is_packed_else(path):
        return  # what datasets opens and Python's gzip does not is read as it comes
    whole = probe[: probe.rfind(b"\n") + 1] or probe
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(
            "not_utf8",
            f"{source}: byte {error.start:,} is not UTF-8; save it as UTF-8 first:"
            f"  iconv -f WINDOWS-1252 -t UTF-8 {source} > {path.stem}.utf8{path.suffix}",
        ) from error


def _open_bytes(path: Path) -> Any:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _is_packed_else(path: Path) -> bool:
    return path.suffix in _PACKED and path.suffix != ".gz"


def _count_lines(source: str) -> int | None:
    """How many lines a text file has, whatever ends them: a lone carriage return does, too. None
    where it is packed as Python does not read it here; CorpusError where it is not whole."""
    path = Path(source)
    if _is_packed_else(path):
        return None
    count, last = 0, b"\n"
    try:
        with _open_bytes(path) as data:
            while part := data.read(1 << 20):
                count += part.count(b"\n") + part.count(b"\r") - part.count(b"\r\n")
                count -= last == b"\r" and part.startswith(b"\n")
                last = part[-1:]
    except _BROKEN as error:
        raise CorpusError("unreadable", f"{source}: {error}") from error
    return count + (last not in (b"\n", b"\r"))


def _count_rows(source: str) -> int:
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(source).metadata.num_rows
    except ArrowInvalid as error:
        raise CorpusError("unreadable", f"{source}: {error}") from error


def _from_file(source: str, kind: str, **more: Any) -> Iterator[Mapping[str, Any]]:
    import datasets

    # Or the library counts each load on the hub: which files are read here is nobody's business.
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    load = partial(datasets.load_dataset, kind, data_files=source, split="train", streaming=True)
    return _guarded(source, partial(load, **more))


def _from_hub(source: str) -> Iterator[Mapping[str, Any]]:
    import datasets

    name, _, rest = source.removeprefix(HUB).partition(":")
    config, _, split = rest.partition(":")
    return _guarded(
        source,
        lambda: datasets.load_dataset(name, config or None, split=split or "train", streaming=True),
    )


def _guarded(source: str, load: Callable[[], Any]) -> Iterator[Mapping[str, Any]]:
    """The rows of a dataset; what the library raises becomes a CorpusError with the source."""
    try:
        yield from load()
    except Exception as error:  # of many kinds: files, tables, network, the hub's own
        cause = error.__cause__ or error
        raise CorpusError("unreadable", f"{source}: {cause}") from error


def _lines(source: str) -> Iterator[Row]:
    # A byte that is no UTF-8 becomes U+FFFD, and its line is dropped and counted.
    for row in _from_file(source, "text", encoding_errors="replace", chunksize=_PART):
        yield (row["text"],)


def _cells(source: str, count: int) -> Iterator[Row]:
    for (line,) in _lines(source):
        cells = line.split("\t")
        # One that is not there is empty, and its row is dropped and counted.
        yield tuple((*cells, *[""] * count)[:count])


def _chosen(
    source: str, recipe: CorpusRecipe, read: Callable[[], Iterator[Mapping[str, Any]]]
) -> Iterator[Row]:
    rows = read()
    first = next(rows, None)
    if first is None:
        return
    columns = find_columns(source, recipe, first)
    for row in itertools.chain([first], rows):
        texts = tuple(_text(row, column) for column in columns)
        if len(texts) == 1:
            yield from ((line,) for line in texts[0].splitlines() or [""])
        else:
            yield texts


def find_columns(source: str, recipe: CorpusRecipe, row: Mapping[str, Any]) -> Sequence[str]:
    """Which columns of a source are the sides; CorpusError names those that are not there."""
    usual = recipe.sides if len(recipe.sides) == 2 else ("text",)
    wanted = recipe.columns or usual
    if not recipe.columns and isinstance(row.get("translation"), Mapping):
        wanted = tuple(f"translation.{code}" for code in recipe.sides)
    for column in wanted:
        if not isinstance(_cell(row, column), str):
            raise CorpusError(
                "no_column",
                f"{source}: no column {column!r} with text; there are {', '.join(map(str, row))}",
            )
    return wanted


def _cell(row: Mapping[str, Any], column: str) -> Any:
    """What stands in a column; `a.b` is b inside of a."""
    found: Any = row
    for name in [column] if column in row else column.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def cut_sentences(rows: Iterator[Row], language: str) -> Iterator[Row]:
    """The sentences of lines, each a row of its own."""
    for (text,) in rows:
        found = (one.text.strip() for one in split_passage(text, language))
        yield from ((sentence,) for sentence in found if sentence)


def _text(row: Mapping[str, Any], column: str) -> str:
    """A column's text; nothing where there is none."""
    found = _cell(row, column)
    return found if isinstance(found, str) else ""
