"""Feedback: a reader's "not right", with the answer that was shown and what would be better.

Readers are strangers, so everything is checked here, whatever the screen already limited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.store.checks import (
    MAX_MEANING,
    MAX_NAME,
    MAX_NOTE,
    check_answer,
    check_phrase,
    check_query,
    check_text,
)
from db.store.connection import Connections, insert_row
from db.store.errors import Refused
from db.store.queries import keep_query
from db.store.rows import answer_columns, phrase_columns, read_answer, read_phrase, utc_now
from engine.sense import Answer, Phrase, Query, Sense

# What stands in the columns of the answer shown where there was none.
_NOTHING = Answer(Sense("", ""), confidence=0.0, source="")


@dataclass(frozen=True)
class Feedback:
    """One "not right"; what the reader left open is empty or None. `shown` is None where nothing
    answers words of the pair yet, and the reader says what this one means."""

    id: int
    query: Query
    shown: Answer | None
    better_meaning: str
    phrase: Phrase | None
    note: str
    who: str
    created: str  # UTC, ISO


class FeedbackTable:
    """The feedback in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def add_feedback(
        self,
        query: Query,
        shown: Answer | None,
        better_meaning: str = "",
        phrase: Phrase | None = None,
        note: str = "",
        who: str = "",
    ) -> int:
        """The new feedback's id; Refused (or QueryError, for the context) where it is not kept. Of
        a word that had no answer (`shown` is None) it must say the meaning."""
        query = check_query(query)
        shown_columns = answer_columns(check_answer(query, shown) if shown else _NOTHING)
        better_meaning = check_text("better_meaning", better_meaning, MAX_MEANING)
        if shown is None and not better_meaning:
            raise Refused("no_text", field="better_meaning")
        columns = {
            **{f"shown_{name}": value for name, value in shown_columns.items()},
            "better_meaning": better_meaning,
            **phrase_columns(check_phrase(query, phrase, MAX_MEANING)),
            "note": check_text("note", note, MAX_NOTE, lines=True),
            "who": check_text("who", who, MAX_NAME),
        }
        with self._connections.write() as db:
            columns |= {"query_id": keep_query(db, query), "created": utc_now()}
            return insert_row(db, "feedback", columns)

    def list_feedback(self, after: int = 0, limit: int = 1000) -> tuple[Feedback, ...]:
        """Feedback with ids above `after`, the oldest first, at most `limit`."""
        sql = """
            SELECT query.context, query.position, query.pair, feedback.*
            FROM feedback JOIN query ON query.id = feedback.query_id
            WHERE feedback.id > ? ORDER BY feedback.id LIMIT ?
        """
        with self._connections.read() as db:
            rows = list(db.query(sql, [after, limit]))
        return tuple(_read_feedback(row) for row in rows)

    def count(self) -> int:
        """How much feedback there is."""
        with self._connections.read() as db:
            return int(db.execute("SELECT count(*) FROM feedback").fetchone()[0])


def _read_feedback(row: Mapping[str, Any]) -> Feedback:
    return Feedback(
        id=row["id"],
        query=Query(row["context"], row["position"], row["pair"]),
        shown=read_answer(row, "shown_") if row["shown_class"] else None,
        better_meaning=row["better_meaning"],
        phrase=read_phrase(row),
        note=row["note"],
        who=row["who"],
        created=row["created"],
    )
