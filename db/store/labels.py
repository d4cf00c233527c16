"""Labels: every version of an answer to a query, with who gave it and when. Only ever added to.

A correction is a new label; triggers in the schema refuse any change, so that no label is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from db.store.checks import MAX_NAME, check_choice, check_label, check_query, check_text
from db.store.connection import Connections, insert_row
from db.store.queries import TASK, find_query, keep_query
from db.store.rows import read_sense, sense_columns, utc_now
from engine.sense import Answer, Query, Sense, clean_context

SOURCES = ("teacher", "model", "person", "reader")
STATUSES = ("proposed", "accepted", "rejected")


@dataclass(frozen=True)
class Label:
    """One version of an answer to a query; versions count from 1."""

    id: int
    query: Query
    version: int
    sense: Sense
    source: str
    who: str
    status: str
    created: str  # UTC, ISO


class LabelTable:
    """The labels in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def add_label(self, query: Query, sense: Sense, source: str, who: str, status: str) -> int:
        """The new label's id; Refused (or QueryError, for the context) where it cannot be kept."""
        query = check_query(query)
        columns = {
            **sense_columns(check_label(query, sense)),
            "source": check_choice("source", source, SOURCES),
            "who": check_text("who", who, MAX_NAME),
            "status": check_choice("status", status, STATUSES),
        }
        with self._connections.write() as db:
            query_id = keep_query(db, query)
            last = "SELECT coalesce(max(version), 0) FROM label WHERE query_id = ?"
            version = db.execute(last, [query_id]).fetchone()[0] + 1
            columns |= {"query_id": query_id, "version": version, "created": utc_now()}
            return insert_row(db, "label", columns)

    def history(self, query: Query) -> tuple[Label, ...]:
        """All labels of a query, the oldest first."""
        with self._connections.read() as db:
            query_id = find_query(db, query)
            sql = "SELECT * FROM label WHERE query_id = ? ORDER BY version"
            rows = list(db.query(sql, [query_id]))
        return tuple(
            Label(
                id=row["id"],
                query=query,
                version=row["version"],
                sense=read_sense(row),
                source=row["source"],
                who=row["who"],
                status=row["status"],
                created=row["created"],
            )
            for row in rows
        )

    def accepted(self, pair: str, context: str) -> dict[int, Answer]:
        """What people accepted for words of a context: position → answer.

        A query's latest label that a person accepted or rejected decides; proposals change nothing.
        """
        with self._connections.read() as db:
            rows = list(db.query(_DECISIONS, [pair, TASK, clean_context(context)]))
        answers: dict[int, Answer] = {}
        for row in rows:
            if row["status"] == "accepted":
                sense = read_sense(row)
                phrase = sense.phrase and replace(sense.phrase, source="person")
                sense = replace(sense, phrase=phrase)
                answer = Answer(sense, source="person", engine=row["who"])
                answers[row["position"]] = answer
            else:
                answers.pop(row["position"], None)
        return answers


_DECISIONS = """
    SELECT query.position, label.* FROM label JOIN query ON query.id = label.query_id
    WHERE query.pair = ? AND query.task = ? AND query.context = ?
        AND label.source = 'person' AND label.status IN ('accepted', 'rejected')
    ORDER BY label.query_id, label.version
"""
