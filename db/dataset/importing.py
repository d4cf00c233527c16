"""A file into the store: looked at first, then brought in line by line, taken back as a whole.

Streams: neither looking nor bringing holds more than a batch of lines in memory.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from db.dataset.ahead import ahead
from db.dataset.formats import Bad, Line, Row, Sentence, Source, read_source, recognise
from db.dataset.words import queries_of
from db.store import Refused, Store
from db.store.checks import check_label
from db.store.imports import Brought, Counts, Origin
from db.store.lines import Checked, check_line
from engine.rules import broken_rules

BATCH = 2000  # lines of one transaction
MOST_WORDS = 12  # queries that a sentence becomes
_LARGE = 4_000_000  # bytes from which a process of its own is worth its start
_SHOWN = 10  # good and bad lines of a preview
_LOOKED = 500  # lines between two ticks of a preview
_ALL = 10**6  # words, of one sentence

Tick = Callable[[int, Counts], bool]
"""Called after each batch with the lines read and what became of them; False stops."""

Watch = Callable[[int], bool]
"""Called now and then with the lines read; False stops."""


@dataclass(frozen=True)
class Preview:
    """What a file holds before anything is stored: its format and encoding, how many sentences,
    rows and questions, what would be refused by reason, and some lines of both kinds.

    `against`: how many rows would be kept though their answer breaks labelling rules; `broken`: how
    often each rule; `odd`: some of those rows.

    `words`: how many sentences have how many words worth asking, whatever the limit; the good lines
    have a query for each of them. `whole` is False where looking was stopped after `lines` lines.
    """

    format: str
    encoding: str
    sentences: int
    rows: int
    queries: int
    refused: dict[str, int]
    good: tuple[Brought, ...]
    bad: tuple[Brought, ...]
    words: dict[int, int]
    lines: int
    whole: bool
    against: int = 0
    broken: dict[str, int] = field(default_factory=dict)
    odd: tuple[Brought, ...] = ()


def preview(
    file: Path,
    pair: str = "en-zh",
    most_words: int = MOST_WORDS,
    tick: Watch = lambda lines: True,
    encoding: str = "",
) -> Preview:
    """Read a whole file without storing anything; Unreadable where it is none that is known."""
    source = recognise(file, encoding)
    found = _Found(source, most_words)
    for count, one in enumerate(_brought(source, pair, _ALL), 1):
        found.add(_checked(one))
        if count % _LOOKED == 0 and not tick(one.number):
            return found.told(whole=False)
    return found.told(whole=True)


class _Found:
    """What a preview counts on its way."""

    def __init__(self, source: Source, most_words: int):
        self._source, self._most_words = source, most_words
        self._kinds: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._words: Counter[int] = Counter()
        self._good: list[Brought] = []
        self._bad: list[Brought] = []
        self._broken: Counter[str] = Counter()
        self._odd: list[Brought] = []
        self._against = 0
        self._lines = 0

    def add(self, one: Brought) -> None:
        self._lines = one.number
        shown = self._bad if one.reason else self._good
        if len(shown) < _SHOWN:
            shown.append(one)
        if one.reason:
            self._refused[one.reason] += 1
            return
        self._kinds["rows" if one.sense else "sentences"] += 1
        self._kinds["queries"] += min(len(one.queries), self._most_words)
        self._words[len(one.queries)] += 1
        if one.sense:
            self._weigh(one, broken_rules(one.queries[0], one.sense))

    def _weigh(self, one: Brought, broken: tuple[str, ...]) -> None:
        if not broken:
            return
        self._against += 1
        self._broken.update(broken)
        if len(self._odd) < _SHOWN:
            self._odd.append(replace(one, detail=" ".join(broken)))

    def told(self, whole: bool) -> Preview:
        return Preview(
            self._source.format,
            self._source.encoding,
            self._kinds["sentences"],
            self._kinds["rows"],
            self._kinds["queries"],
            dict(self._refused),
            tuple(self._good),
            tuple(self._bad),
            dict(self._words),
            self._lines,
            whole,
            self._against,
            dict(self._broken),
            tuple(self._odd),
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
    import_id = begin(store, source, origin)
    return import_id, carry(store, import_id, source, origin, most_words, tick)


def begin(store: Store, source: Source, origin: Origin) -> int:
    """The id of a new import, without lines yet; Refused where it cannot be one."""
    origin = replace(origin, name=origin.name or source.file.name, format=source.format)
    return store.imports.begin(origin)


def carry(
    store: Store, import_id: int, source: Source, origin: Origin, most_words: int, tick: Tick
) -> Counts:
    """Store a file's lines under an import that was begun; what became of them."""
    counts = Counts()
    with closing(batches_of(source, origin.pair, most_words)) as batches:
        for batch in batches:
            counts.add(store.imports.add(import_id, origin, batch))
            if not tick(batch[-1].number, counts):
                return counts
    store.imports.finish(import_id)
    return counts


def batches_of(source: Source, pair: str, most_words: int) -> Generator[list[Checked], None, None]:
    """A file's lines, checked, some at a time. A large file is read by another process, while this
    one stores."""
    read = partial(check_batches, source, pair, most_words)
    return ahead(read) if source.file.stat().st_size > _LARGE else read()


def check_batches(
    source: Source, pair: str, most_words: int
) -> Generator[list[Checked], None, None]:
    """The same in this process."""
    lines = (check_line(one, pair) for one in _brought(source, pair, most_words))
    while batch := list(itertools.islice(lines, BATCH)):
        yield batch


def _brought(source: Source, pair: str, most_words: int) -> Iterator[Brought]:
    for line in read_source(source, pair):
        for part, held in enumerate(line.holds):
            yield _one(line, part, held, pair, most_words)


def _one(line: Line, part: int, held: Sentence | Row | Bad, pair: str, most_words: int) -> Brought:
    at = (line.number, part, "" if part else line.raw)
    if isinstance(held, Bad):
        return Brought(*at, reason=held.code, detail=held.text)
    if isinstance(held, Row):
        return Brought(*at, context=held.query.context, queries=(held.query,), sense=held.sense)
    queries = queries_of(held.context, pair, most_words)
    if not queries and most_words:  # 0: sentences are brought whole, none of their words is asked
        detail = "no word here is worth asking"
        return Brought(*at, reason="no_words", detail=detail, context=held.context)
    return Brought(
        *at,
        context=held.context,
        translation=held.translation,
        attribution=held.attribution,
        queries=queries,
    )


def _checked(one: Brought) -> Brought:
    """The line as the store would take it: it refuses some answers that have a row's form."""
    if one.reason or one.sense is None:
        return one
    try:
        check_label(one.queries[0], one.sense)
    except Refused as error:
        return replace(one, reason=error.code, detail=str(error))
    return one
