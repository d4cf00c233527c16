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

from db.store.connection import Connections
from db.store.errors import named_errors
from db.store.items import work_off_all
from db.store.rows import read_sense
from engine.sense import Query, Sense


@dataclass(frozen=True)
class Answered:
    """A query with the answer that stands for it, and whose that is."""

    query: Query
    sense: Sense
    source: str
    who: str
    status: str


def standing(accepted: bool) -> str:
    """SQL for the labels that stand for a pair's queries, with their queries, in order."""
    only = " AND label.status = 'accepted'" if accepted else ""
    return f"{_STANDING}{only} ORDER BY query.id"


def read_answered(row: Mapping[str, Any]) -> Answered:
    """An answered query from a row of `standing`."""
    query = Query(row["context"], row["position"], row["pair"])
    return Answered(query, read_sense(row), row["source"], row["who"], row["status"])


class ExportTable:
    """The answered queries in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def answered(self, pair: str, accepted: bool = False) -> Iterator[Answered]:
        """The pair's answered queries in order of their coming; with `accepted` only those that
        somebody accepted."""
        work_off_all(self._connections)
        return self._stream(standing(accepted), [pair])

    def of_dataset(self, name: str) -> Iterator[Answered]:
        """The rows of a frozen dataset, in the same order."""
        return self._stream(_FROZEN, [name])

    def _stream(self, sql: str, values: list[str]) -> Iterator[Answered]:
        """Rows of one moment of the database, whatever is written meanwhile."""
        with (
            named_errors(self._connections.path),
            closing(self._connections.new_reader()) as db,
        ):
            for row in db.query(sql, values):
                yield read_answered(row)

    def counts(self, pair: str) -> dict[str, int]:
        """How many queries count, how many of them are answered and accepted, about how many people
        do not agree, and how many do not count."""
        work_off_all(self._connections)
        with self._connections.read() as db:
            found = db.execute(_COUNTS, [pair]).fetchone()
        names = ("queries", "answered", "accepted", "conflicts", "not_counted")
        return dict(zip(names, found, strict=True))


_STANDING = """
    SELECT query.context, query.position, query.pair, label.*
    FROM item JOIN query ON query.id = item.query_id JOIN label ON label.id = item.label_id
    WHERE item.pair = ? AND item.status <> 'gone'
"""
_FROZEN = """
    SELECT query.context, query.position, query.pair, label.*
    FROM dataset JOIN dataset_row ON dataset_row.dataset_id = dataset.id
    JOIN label ON label.id = dataset_row.label_id JOIN query ON query.id = label.query_id
    WHERE dataset.name = ? ORDER BY query.id
"""
_COUNTS = """
    SELECT coalesce(sum(item.status <> 'gone'), 0),
        coalesce(sum(item.status <> 'gone' AND label_id NOT NULL), 0),
        coalesce(sum(item.status <> 'gone' AND label.status = 'accepted'), 0),
        coalesce(sum(item.status = 'conflict'), 0), coalesce(sum(item.status = 'gone'), 0)
    FROM item LEFT JOIN label ON label.id = item.label_id WHERE item.pair = ?
"""
