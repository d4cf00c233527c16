"""Imports: what came in from which file, every line verbatim beside what became of it.

A query is stored once, whatever brings it; a label that says the same as one of the same origin is
not added again. So the same file can be imported twice, or again after a kill, and nothing doubles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from db.store.checks import MAX_NAME, check_choice, check_label, check_query, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused
from db.store.labels import SOURCES, STATUSES
from db.store.queries import TASK
from db.store.rows import sense_columns, utc_now
from engine.sense import Query, QueryError, Sense, context_words

MAX_ORIGIN = 500  # characters of where a file is from
_LAST_PART = 2**62  # no line has so many


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
    near-identical to a known one, and what was refused, by reason."""

    queries: int = 0
    known: int = 0
    labels: int = 0
    sentences: int = 0
    similar: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def add(self, more: Counts) -> None:
        for name in ("queries", "known", "labels", "sentences", "similar"):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        for reason, count in more.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + count


@dataclass(frozen=True)
class Import:
    """One import as it stands; `finished` and `undone` are moments or None."""

    id: int
    name: str
    format: str
    pair: str
    origin: str
    who: str
    created: str
    finished: str | None
    undone: str | None
    lines: int
    refused: dict[str, int]


class ImportTable:
    """The imports in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def begin(self, origin: Origin) -> int:
        """A new import's id; Refused where what is said of it cannot be kept."""
        row = {
            "name": check_text("name", origin.name, MAX_NAME),
            "format": check_text("format", origin.format, MAX_NAME),
            "pair": origin.pair,
            "origin": check_text("origin", origin.text, MAX_ORIGIN),
            "who": check_text("who", origin.who, MAX_NAME),
            "created": utc_now(),
        }
        check_choice("source", origin.source, SOURCES)
        check_choice("status", origin.status, STATUSES)
        with self._connections.write() as db:
            return insert_row(db, "import", row)

    def add(self, import_id: int, origin: Origin, brought: Sequence[Brought]) -> Counts:
        """Store some lines, all of them or, after an error, none; what became of them."""
        with self._connections.write() as db:
            return keep_lines(db, import_id, origin, brought)

    def finish(self, import_id: int) -> None:
        """Note that the whole file was read."""
        self._mark("finished", import_id)

    def undo(self, import_id: int) -> None:
        """Take an import back: what it alone brought counts no more. Nothing is deleted, as labels
        are history; Refused where it is undone already or never was."""
        self._mark("undone", import_id)

    def _mark(self, column: str, import_id: int) -> None:
        sql = f"UPDATE import SET {column} = ? WHERE id = ? AND {column} IS NULL"
        with self._connections.write() as db:
            if db.execute(sql, [utc_now(), import_id]).rowcount != 1:
                raise Refused("unknown_value", field="import", value=import_id)

    def list_imports(self) -> tuple[Import, ...]:
        """All imports, the newest first."""
        with self._connections.read() as db:
            rows = list(db.query("SELECT * FROM import ORDER BY id DESC"))
            found = list(db.query(_REASONS))
        return tuple(_import(row, found) for row in rows)

    def refused(
        self, import_id: int, after: int = 0, limit: int = 100, after_part: int = _LAST_PART
    ) -> tuple[Brought, ...]:
        """Refused sentences and rows with their whole lines, in order, at most `limit`: those in
        lines with numbers above `after`, and in that line those behind `after_part`."""
        with self._connections.read() as db:
            rows = db.query(_REFUSED, [import_id, after, after_part, limit])
            return tuple(Brought(**row) for row in rows)

    def similar(self, pair: str, limit: int = 100) -> tuple[tuple[str, ...], ...]:
        """Sentences whose words are the same but for case and marks, in groups."""
        sql = """
            SELECT folded, context FROM sentence WHERE pair = ? AND folded IN (
                SELECT folded FROM sentence WHERE pair = ? GROUP BY folded HAVING count(*) > 1
                ORDER BY folded LIMIT ?
            ) ORDER BY folded, id
        """
        groups: dict[str, list[str]] = {}
        with self._connections.read() as db:
            for folded, context in db.execute(sql, [pair, pair, limit]):
                groups.setdefault(folded, []).append(context)
        return tuple(map(tuple, groups.values()))


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
                label_id = self._label(*ids[0], sense) if sense else None
        if reason:
            self._counts.refuse(reason)
        self._execute(
            _ADD_LINE,
            (self._import_id, one.number, one.part, one.raw, reason, detail, sentence_id,
             query_id, label_id),
        )  # fmt: skip

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


def _import(row: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> Import:
    mine = [one for one in found if one["import_id"] == row["id"]]
    return Import(
        **row,
        lines=sum(one["count"] for one in mine),
        refused={one["reason"]: one["count"] for one in mine if one["reason"]},
    )


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
_REASONS = """
    SELECT import_id, reason, count(*) AS count FROM imported_line GROUP BY import_id, reason
"""
# A line is kept verbatim once, with its first part.
_REFUSED = """
    SELECT number, part, reason, detail, (
        SELECT raw FROM imported_line AS whole
        WHERE whole.import_id = line.import_id AND whole.number = line.number AND whole.part = 0
    ) AS raw
    FROM imported_line AS line
    WHERE import_id = ? AND (number, part) > (?, ?) AND reason <> '' ORDER BY number, part LIMIT ?
"""
