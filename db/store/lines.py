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


def keep_lines(db: Database, import_id: int, origin: Origin, brought: Iterable[Brought]) -> Counts:
    """`ImportTable.add` inside the caller's transaction."""
    counts = Counts()
    batch = _Batch(db, import_id, origin, counts)
    for one in brought:
        batch.add(one)
    return counts


class _Batch:
    """Stores lines inside the caller's transaction."""

    def __init__(self, db: Database, import_id: int, origin: Origin, counts: Counts):
        self._execute = db.conn.execute
        self._import_id, self._origin, self._counts = import_id, origin, counts
        self._now = utc_now()

    def add(self, one: Brought) -> None:
        reason, detail = one.reason, one.detail
        sentence_id = query_id = label_id = None
        if not reason:
            try:
                queries = [check_query(query) for query in one.queries]
                sense = check_label(queries[0], one.sense) if one.sense else None
            except (Refused, QueryError) as error:
                reason, detail = error.code, str(error)
            else:
                sentence_id = self._sentence(one)
                ids = [self._query(query) for query in queries]
                if len(ids) == 1:
                    query_id = ids[0][0]
                if sense:
                    label_id = self._label(*ids[0], sense)
                    detail = self._against(queries[0], sense)
        if reason:
            self._counts.refused[reason] += 1
        self._execute(
            _ADD_LINE,
            (self._import_id, one.number, one.part, one.raw, reason, detail, sentence_id,
             query_id, label_id),
        )  # fmt: skip

    def _against(self, query: Query, sense: Sense) -> str:
        """The labelling rules that a kept answer breaks, as its line notes them: who gave it may
        have meant it, but whoever brings it must hear of it."""
        broken = broken_rules(query, sense)
        self._counts.against += bool(broken)
        self._counts.broken.update(broken)
        return " ".join(broken)

    def _sentence(self, one: Brought) -> int:
        pair = self._origin.pair
        found = self._execute(_FIND_SENTENCE, (pair, one.context)).fetchone()
        if found:
            return found[0]
        folded = " ".join(word.text.lower() for word in context_words(one.context, pair))
        self._counts.sentences += 1
        self._counts.similar += bool(self._execute(_FIND_FOLDED, (pair, folded)).fetchone())
        row = (self._import_id, pair, one.context, folded, one.translation, one.attribution)
        return self._new_id(_ADD_SENTENCE, row)

    def _query(self, query: Query) -> tuple[int, bool]:
        """The query's id, and whether it is new."""
        key = (query.pair, TASK, query.context, query.position)
        found = self._execute(_FIND_QUERY, key).fetchone()
        if found:
            self._counts.known += 1
            return found[0], False
        self._counts.queries += 1
        return self._new_id(_ADD_QUERY, (*key, query.target, query.idx, self._now)), True

    def _label(self, query_id: int, new: bool, sense: Sense) -> int:
        """The id of a label that says the same and is of the same origin, or else of a new one."""
        columns = tuple(sense_columns(sense).values())
        origin = self._origin
        same = (query_id, *columns, origin.source, origin.who, origin.status)
        found = None if new else self._execute(_FIND_LABEL, same).fetchone()
        if found:
            return found[0]
        self._counts.labels += 1
        (last,) = (0,) if new else self._execute(_LAST_LABEL, (query_id,)).fetchone()
        return self._new_id(_ADD_LABEL, (*same, last + 1, self._now))

    def _new_id(self, sql: str, row: Iterable[Any]) -> int:
        new_id = self._execute(sql, tuple(row)).lastrowid
        assert new_id is not None
        return new_id


_FIND_SENTENCE = "SELECT id FROM sentence WHERE pair = ? AND context = ?"
_FIND_FOLDED = "SELECT 1 FROM sentence WHERE pair = ? AND folded = ?"
_ADD_SENTENCE = """
    INSERT INTO sentence (import_id, pair, context, folded, translation, attribution)
    VALUES (?, ?, ?, ?, ?, ?)
"""
_FIND_QUERY = "SELECT id FROM query WHERE pair = ? AND task = ? AND context = ? AND position = ?"
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
