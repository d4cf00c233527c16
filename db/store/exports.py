"""What goes out: every query that counts, with the answer that stands for it. Streams.

A person's latest decision stands before all proposals; a rejected query has no answer. A query
counts where an import that was not undone brought it, a reader reported it, or a person labelled
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from db.store.connection import Connections
from db.store.errors import named_errors
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
    return f"{_STANDING}{only} ORDER BY counted.id"


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
        """How many queries count, how many of them are answered and accepted, and how many do not
        count."""
        with self._connections.read() as db:
            (stored,) = db.execute(_STORED, [pair]).fetchone()
            (counted,) = db.execute(f"SELECT count(*) FROM ({_COUNTED})", [pair]).fetchone()
            (answered, accepted) = db.execute(_STATUS, [pair]).fetchone()
        return {
            "queries": counted,
            "answered": answered,
            "accepted": accepted or 0,
            "not_counted": stored - counted,
        }


_COUNTED = """
    SELECT query.* FROM query WHERE query.pair = ? AND query.task = 'sense' AND (
        EXISTS (
            SELECT 1 FROM imported_line JOIN import ON import.id = imported_line.import_id
            WHERE imported_line.query_id = query.id AND import.undone IS NULL
        )
        OR EXISTS (
            SELECT 1 FROM sentence
            JOIN imported_line ON imported_line.sentence_id = sentence.id
                AND imported_line.query_id IS NULL
            JOIN import ON import.id = imported_line.import_id AND import.undone IS NULL
            WHERE sentence.pair = query.pair AND sentence.context = query.context
        )
        OR EXISTS (SELECT 1 FROM feedback WHERE feedback.query_id = query.id)
        OR EXISTS (
            SELECT 1 FROM label WHERE label.query_id = query.id AND label.source = 'person'
                AND NOT EXISTS (SELECT 1 FROM imported_line WHERE label_id = label.id)
        )
    )
"""
# The label that stands for a query: a person's latest decision, or else the latest proposal.
_STANDING = f"""
    SELECT counted.id AS query_id, counted.context, counted.position, counted.pair, label.*
    FROM ({_COUNTED}) AS counted JOIN label ON label.id = (
        SELECT id FROM label AS mine WHERE mine.query_id = counted.id
        ORDER BY (mine.source = 'person' AND mine.status <> 'proposed') DESC, mine.version DESC
        LIMIT 1
    )
    WHERE label.status <> 'rejected'
"""
_FROZEN = """
    SELECT query.context, query.position, query.pair, label.*
    FROM dataset JOIN dataset_row ON dataset_row.dataset_id = dataset.id
    JOIN label ON label.id = dataset_row.label_id JOIN query ON query.id = label.query_id
    WHERE dataset.name = ? ORDER BY query.id
"""
_STATUS = f"SELECT count(*), sum(status = 'accepted') FROM ({_STANDING})"
_STORED = "SELECT count(*) FROM query WHERE pair = ? AND task = 'sense'"
