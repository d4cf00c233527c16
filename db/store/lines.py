"""Lines of a file as they come in: a sentence, its queries, and a row's answer, each kept once.

A query is stored once, whatever brings it; a label that says the same as one of the same origin is
not added again. So the same file can be imported twice, or again after a kill, and nothing doubles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlite_utils import Database

from db.store.checks import check_label, check_query
from db.store.errors import Refused
from db.store.queries import TASK
from db.store.rows import sense_columns, utc_now
from engine.rules import broken_rules
from engine.sense import Query, QueryError, Sense, context_words


@dataclass(frozen=True)
class Origin:
    """What is said of a whole import: the file's name and format, its pair, where it is from, and
    who brings it. Its answers become labels of this source and status by `who`."""

    name: str
    format: str
    pair: str = "en-zh"
    text: str = ""
    who: str = ""
    source: str = "teacher"
    status: str = "proposed"


@dataclass(frozen=True)
class Brought:
    """One sentence or row of a line. `reason` where it is refused; else its `queries`, and the
    sense that answers the only one where it has an answer."""

    number: int
    part: int
    raw: str
    reason: str = ""
    detail: str = ""
    context: str = ""
    translation: str = ""
    attribution: str = ""
    queries: tuple[Query, ...] = ()
    sense: Sense | None = None


@dataclass
class Counts:
    """What became of lines: new queries, queries that were known, new labels, new sentences, those
    near-identical to a known one, what was refused, by reason, and rows that were kept though their
    answer breaks rules, by rule."""

    queries: int = 0
    known: int = 0
    labels: int = 0
    sentences: int = 0
    similar: int = 0
    against: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, more: Counts) -> None:
        for name in ("queries", "known", "labels", "sentences", "similar", "against"):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        self.refused.update(more.refused)
        self.broken.update(more.broken)

    def copy(self) -> Counts:
        """What is counted so far, for another thread while this one counts on."""
        return replace(self, refused=Counter(self.refused), broken=Counter(self.broken))


@dataclass(frozen=True, slots=True)
class Checked:
    """What is stored of a line, checked and laid out: plain values, so that another process can do
    that. `queries`: position, target and idx of each; `sense`: the columns of a label; `broken`:
    the labelling rules that it breaks."""

    number: int
    part: int
    raw: str
    reason: str = ""
    detail: str = ""
    context: str = ""
    folded: str = ""
    translation: str = ""
    attribution: str = ""
    queries: tuple[tuple[int, str, int], ...] = ()
    sense: tuple[Any, ...] = ()
    broken: tuple[str, ...] = ()


def check_line(one: Brought, pair: str) -> Checked:
    """The line as it will be stored: refused, with the reason, where its query or answer breaks the
    structure; who gave an answer that breaks labelling rules may have meant it, but whoever brings
    it must hear of it."""
    at = (one.number, one.part, one.raw)
    if one.reason:
        return Checked(*at, one.reason, one.detail)
    try:
        queries = [check_query(query) for query in one.queries]
        sense = check_label(queries[0], one.sense) if one.sense else None
    except (Refused, QueryError) as error:
        return Checked(*at, error.code, str(error))
    broken = broken_rules(queries[0], sense) if sense else ()
    return Checked(
        *at, "", " ".join(broken) if sense else one.detail, one.context,
        " ".join(word.text.lower() for word in context_words(one.context, pair)),
        one.translation, one.attribution,
        tuple((query.position, query.target, query.idx) for query in queries),
        tuple(sense_columns(sense).values()) if sense else (), broken,
    )  # fmt: skip


def keep_lines(
    db: Database, import_id: int, origin: Origin, lines: Iterable[Brought | Checked]
) -> Counts:
    """`ImportTable.add` inside the caller's transaction."""
    counts = Counts()
    batch = _Batch(db, import_id, origin, counts)
    for one in lines:
        batch.add(one if isinstance(one, Checked) else check_line(one, origin.pair))
    batch.finish()
    return counts


class _Batch:
    """Stores lines inside the caller's transaction."""

    def __init__(self, db: Database, import_id: int, origin: Origin, counts: Counts):
        self._execute, self._execute_many = db.conn.execute, db.conn.executemany
        self._import_id, self._origin, self._counts = import_id, origin, counts
        self._now = utc_now()
        # Rows of one sentence mostly come one after the other: it is looked up once.
        self._context, self._sentence_id = "", 0
        self._known: dict[int, int] = {}  # its queries' ids, by position
        self._lines: list[tuple[Any, ...]] = []

    def add(self, one: Checked) -> None:
        sentence_id = query_id = label_id = None
        if one.reason:
            self._counts.refused[one.reason] += 1
        else:
            if one.context != self._context:
                self._take_up(one)
            sentence_id = self._sentence_id
            ids = [self._query(one.context, query) for query in one.queries]
            if len(ids) == 1:
                query_id = ids[0][0]
            if one.sense:
                label_id = self._label(*ids[0], one.sense)
                self._counts.against += bool(one.broken)
                self._counts.broken.update(one.broken)
        self._lines.append(
            (self._import_id, one.number, one.part, one.raw, one.reason, one.detail, sentence_id,
             query_id, label_id)
        )  # fmt: skip

    def finish(self) -> None:
        """Store the lines themselves, which refer to what was stored before."""
        self._execute_many(_ADD_LINE, self._lines)

    def _take_up(self, one: Checked) -> None:
        """Find or store the sentence, and find its queries."""
        key = (self._origin.pair, TASK, one.context)
        self._known = dict(self._execute(_FIND_QUERIES, key).fetchall())
        self._sentence_id, self._context = self._sentence(one), one.context

    def _sentence(self, one: Checked) -> int:
        pair = self._origin.pair
        found = self._execute(_FIND_SENTENCE, (pair, one.context)).fetchone()
        if found:
            return found[0]
        self._counts.sentences += 1
        self._counts.similar += bool(self._execute(_FIND_FOLDED, (pair, one.folded)).fetchone())
        row = (self._import_id, pair, one.context, one.folded, one.translation, one.attribution)
        return self._new_id(_ADD_SENTENCE, row)

    def _query(self, context: str, query: tuple[int, str, int]) -> tuple[int, bool]:
        """The query's id, and whether it is new."""
        position, target, idx = query
        found = self._known.get(position)
        if found is not None:
            self._counts.known += 1
            return found, False
        self._counts.queries += 1
        row = (self._origin.pair, TASK, context, position, target, idx, self._now)
        self._known[position] = new = self._new_id(_ADD_QUERY, row)
        return new, True

    def _label(self, query_id: int, new: bool, sense: tuple[Any, ...]) -> int:
        """The id of a label that says the same and is of the same origin, or else of a new one."""
        origin = self._origin
        same = (query_id, *sense, origin.source, origin.who, origin.status)
        found = None if new else self._execute(_FIND_LABEL, same).fetchone()
        if found:
            return found[0]
        self._counts.labels += 1
        (last,) = (0,) if new else self._execute(_LAST_LABEL, (query_id,)).fetchone()
        return self._new_id(_ADD_LABEL, (*same, last + 1, self._now))

    def _new_id(self, sql: str, row: tuple[Any, ...]) -> int:
        new_id = self._execute(sql, row).lastrowid
        assert new_id is not None
        return new_id


_FIND_SENTENCE = "SELECT id FROM sentence WHERE pair = ? AND context = ?"
_FIND_FOLDED = "SELECT 1 FROM sentence WHERE pair = ? AND folded = ?"
_ADD_SENTENCE = """
    INSERT INTO sentence (import_id, pair, context, folded, translation, attribution)
    VALUES (?, ?, ?, ?, ?, ?)
"""
_FIND_QUERIES = "SELECT position, id FROM query WHERE pair = ? AND task = ? AND context = ?"
_ADD_QUERY = """
    INSERT INTO query (pair, task, context, position, target, idx, created)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_FIND_LABEL = """
    SELECT id FROM label WHERE query_id = ? AND class = ? AND meaning = ? AND members IS ?
        AND phrase_meaning = ? AND source = ? AND who = ? AND status = ?
"""
_LAST_LABEL = "SELECT coalesce(max(version), 0) FROM label WHERE query_id = ?"
_ADD_LABEL = """
    INSERT INTO label (query_id, class, meaning, members, phrase_meaning, source, who, status,
        version, created)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ADD_LINE = """
    INSERT INTO imported_line (import_id, number, part, raw, reason, detail, sentence_id, query_id,
        label_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
