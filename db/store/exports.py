"""What goes out: every query that counts, with the answer that stands for it. Streams.

A person's latest decision stands before all proposals; a rejected query has no answer, nor one
about which people do not agree. A query counts where an import that was not undone brought it, a
reader reported it, or a person labelled it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from db.store.browse import EVERYTHING, Filter, where
from db.store.connection import Connections
from db.store.errors import named_errors
from db.store.items import work_off_all
from db.store.rows import read_sense
from engine.sense import Query, Sense

Values = dict[str, Any]


@dataclass(frozen=True)
class Answered:
    """A query with the answer that stands for it, and whose that is. `attribution` is its
    sentence's; `raw` is a line of the wire format that said the same when it came in, if any."""

    query: Query
    sense: Sense
    source: str
    who: str
    status: str
    query_id: int
    label_id: int
    attribution: str = ""
    raw: str = ""


@dataclass(frozen=True)
class Provenance:
    """Rows of one origin: the import their questions came by ("" for none), what is said of it,
    and what kind of answerer gave their answers."""

    name: str
    origin: str
    source: str
    rows: int


def standing(
    pair: str, accepted: bool = False, chosen: Filter = EVERYTHING, full: bool = False
) -> tuple[str, Values]:
    """SQL, without an order, for the labels that stand for a pair's queries, and its values."""
    rules, values = where(chosen, pair)
    only = " AND label.status = 'accepted'" if accepted else ""
    return f"SELECT {_columns(full)} {_STANDING} WHERE {rules}{only}", values


def frozen(name: str, full: bool = False) -> tuple[str, Values]:
    """SQL, without an order, for the labels of a frozen dataset, and its values."""
    return f"SELECT {_columns(full)} {_FROZEN} WHERE dataset.name = :name", {"name": name}


def read_answered(row: Mapping[str, Any]) -> Answered:
    """An answered query from a row of `standing` or `frozen`."""
    query = Query(row["context"], row["position"], row["pair"])
    return Answered(
        query, read_sense(row), row["source"], row["who"], row["status"], row["query_id"],
        row["id"], row.get("attribution") or "", row.get("raw") or "",
    )  # fmt: skip


class ExportTable:
    """The answered queries in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def answered(
        self,
        pair: str,
        accepted: bool = False,
        chosen: Filter = EVERYTHING,
        full: bool = False,
    ) -> Iterator[Answered]:
        """The pair's answered queries in order of their coming; with `accepted` only those that
        somebody accepted; with `full` also attributions and raw lines."""
        work_off_all(self._connections)
        return self._stream(*standing(pair, accepted, chosen, full))

    def of_dataset(self, name: str, full: bool = False) -> Iterator[Answered]:
        """The rows of a frozen dataset, in the same order."""
        return self._stream(*frozen(name, full))

    def taught(self, name: str) -> Iterator[Answered]:
        """The last answer of a teacher to each query of a frozen dataset that has one."""
        return self._stream(_TAUGHT, {"name": name})

    def _stream(self, sql: str, values: Values) -> Iterator[Answered]:
        """Rows of one moment of the database, whatever is written meanwhile."""
        with (
            named_errors(self._connections.path),
            closing(self._connections.new_reader()) as db,
        ):
            for row in db.query(f"{sql} ORDER BY query.id", values):
                yield read_answered(row)

    def origins(
        self, pair: str, accepted: bool = False, chosen: Filter = EVERYTHING
    ) -> tuple[Provenance, ...]:
        """Where the rows of `answered` are from, those with most rows first."""
        return self._origins(*standing(pair, accepted, chosen))

    def origins_of_dataset(self, name: str) -> tuple[Provenance, ...]:
        """Where the rows of a frozen dataset are from, those with most rows first."""
        return self._origins(*frozen(name))

    def _origins(self, sql: str, values: Values) -> tuple[Provenance, ...]:
        with self._connections.read() as db:
            rows = db.query(_ORIGINS.format(rows=sql), values)
            return tuple(Provenance(**row) for row in rows)

    def counts(self, pair: str) -> dict[str, int]:
        """How many queries count, how many of them are answered and accepted, about how many people
        do not agree, and how many do not count."""
        work_off_all(self._connections)
        with self._connections.read() as db:
            found = db.execute(_COUNTS, [pair]).fetchone()
        names = ("queries", "answered", "accepted", "conflicts", "not_counted")
        return dict(zip(names, found, strict=True))


def _columns(full: bool) -> str:
    plain = "query.context, query.position, query.pair, label.*"
    return f"{plain}, {_ATTRIBUTION} AS attribution, {_RAW} AS raw" if full else plain


_STANDING = """
    FROM item JOIN query ON query.id = item.query_id JOIN label ON label.id = item.label_id
"""
_FROZEN = """
    FROM dataset JOIN dataset_row ON dataset_row.dataset_id = dataset.id
    JOIN label ON label.id = dataset_row.label_id JOIN query ON query.id = label.query_id
"""
_TAUGHT = """
    SELECT query.context, query.position, query.pair, label.*
    FROM dataset JOIN dataset_row ON dataset_row.dataset_id = dataset.id
    JOIN label AS kept ON kept.id = dataset_row.label_id JOIN query ON query.id = kept.query_id
    JOIN label ON label.id = (
        SELECT max(id) FROM label AS given
        WHERE given.query_id = query.id AND given.source = 'teacher'
    )
    WHERE dataset.name = :name
"""
_ATTRIBUTION = """(
    SELECT sentence.attribution FROM sentence
    WHERE sentence.pair = query.pair AND sentence.context = query.context
)"""
_RAW = """(
    SELECT imported_line.raw FROM imported_line
    JOIN import ON import.id = imported_line.import_id
        AND import.format = 'wire' AND import.undone IS NULL
    JOIN label AS came ON came.id = imported_line.label_id
    WHERE imported_line.query_id = query.id
        AND came.class = label.class AND came.meaning = label.meaning
        AND came.members IS label.members AND came.phrase_meaning = label.phrase_meaning
    ORDER BY imported_line.import_id, imported_line.number LIMIT 1
)"""
_ORIGINS = """
    SELECT coalesce(import.name, '') AS name, coalesce(import.origin, '') AS origin,
        answered.source AS source, count(*) AS rows
    FROM ({rows}) AS answered LEFT JOIN item ON item.query_id = answered.query_id
    LEFT JOIN import ON import.id = item.import_id
    GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 3
"""
_COUNTS = """
    SELECT coalesce(sum(item.status <> 'gone'), 0),
        coalesce(sum(item.status <> 'gone' AND label_id NOT NULL), 0),
        coalesce(sum(item.status <> 'gone' AND label.status = 'accepted'), 0),
        coalesce(sum(item.status = 'conflict'), 0), coalesce(sum(item.status = 'gone'), 0)
    FROM item LEFT JOIN label ON label.id = item.label_id WHERE item.pair = ?
"""
