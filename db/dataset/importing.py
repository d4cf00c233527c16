"""A file into the store: looked at first, then brought in line by line, taken back as a whole.

Streams: neither looking nor bringing holds more than a batch of lines in memory.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from db.dataset.formats import Bad, Line, Row, Sentence, read_source, recognise
from db.dataset.words import queries_of
from db.store import Store
from db.store.imports import Brought, Counts, Origin

BATCH = 2000  # lines of one transaction
MOST_WORDS = 12  # queries that a sentence becomes
_SHOWN = 10  # good and bad lines of a preview

Tick = Callable[[int, Counts], bool]
"""Called after each batch with the lines read and what became of them; False stops."""


@dataclass(frozen=True)
class Preview:
    """What a file holds before anything is stored: its format and encoding, how many sentences,
    rows and questions, what would be refused by reason, and some lines of both kinds."""

    format: str
    encoding: str
    sentences: int
    rows: int
    queries: int
    refused: dict[str, int]
    good: tuple[Brought, ...]
    bad: tuple[Brought, ...]


def preview(file: Path, pair: str = "en-zh", most_words: int = MOST_WORDS) -> Preview:
    """Read a whole file without storing anything; Unreadable where it is none that is known."""
    source = recognise(file)
    kinds: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    good: list[Brought] = []
    bad: list[Brought] = []
    for one in _brought(file, pair, most_words):
        if one.reason:
            refused[one.reason] += 1
        else:
            kinds["rows" if one.sense else "sentences"] += 1
            kinds["queries"] += len(one.queries)
        shown = bad if one.reason else good
        if len(shown) < _SHOWN:
            shown.append(one)
    return Preview(
        source.format,
        source.encoding,
        kinds["sentences"],
        kinds["rows"],
        kinds["queries"],
        dict(refused),
        tuple(good),
        tuple(bad),
    )


def bring(
    store: Store,
    file: Path,
    origin: Origin,
    most_words: int = MOST_WORDS,
    tick: Tick = lambda lines, counts: True,
) -> tuple[int, Counts]:
    """Store a file's lines: the import's id, and what became of them. Stopped or killed, what was
    stored stays and the import is unfinished; the same file can be brought again."""
    source = recognise(file)
    origin = replace(origin, name=origin.name or file.name, format=source.format)
    import_id, counts, lines = store.imports.begin(origin), Counts(), 0
    brought = _brought(file, origin.pair, most_words)
    while batch := list(itertools.islice(brought, BATCH)):
        counts.add(store.imports.add(import_id, origin, batch))
        lines = batch[-1].number
        if not tick(lines, counts):
            return import_id, counts
    store.imports.finish(import_id)
    return import_id, counts


def _brought(file: Path, pair: str, most_words: int) -> Iterator[Brought]:
    for line in read_source(recognise(file), pair):
        for part, held in enumerate(line.holds):
            yield _one(line, part, held, pair, most_words)


def _one(line: Line, part: int, held: Sentence | Row | Bad, pair: str, most_words: int) -> Brought:
    one = Brought(line.number, part, "" if part else line.raw)
    if isinstance(held, Bad):
        return replace(one, reason=held.code, detail=held.text)
    if isinstance(held, Row):
        return replace(one, context=held.query.context, queries=(held.query,), sense=held.sense)
    queries = queries_of(held.context, pair, most_words)
    if not queries:
        return replace(one, reason="no_words", detail="no word here is worth asking")
    return replace(
        one,
        context=held.context,
        translation=held.translation,
        attribution=held.attribution,
        queries=queries,
    )
