"""What people decided, as history: notes on it, how much of it was today, all of it to take along.

Only ever added to: a note is a row of its own, and of several the last counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from db.store.checks import MAX_NAME, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused, named_errors
from db.store.rows import read_sense, utc_now
from engine.sense import Query, Sense

MAX_WHY = 200  # characters of a reason


@dataclass(frozen=True)
class Made:
    """A decision about one query, with the answer it gave, if any; `undone`: when it was taken
    back."""

    query: Query
    kind: str
    who: str
    note: str
    created: str
    undone: str | None
    sense: Sense | None


class DecisionTable:
    """The decisions in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def add_note(self, who: str, decision_id: int, note: str) -> None:
        """Say something of one's own decision, why one flagged, say; Refused where it is another's
        or was taken back."""
        who, note = check_text("who", who, MAX_NAME), check_text("note", note, MAX_WHY)
        with self._connections.write() as db:
            if not db.execute(_MINE, [decision_id, who]).fetchone():
                raise Refused("unknown_value", field="decision", value=decision_id)
            row = {"decision_id": decision_id, "note": note, "created": utc_now()}
            insert_row(db, "decision_note", row)

    def count_since(self, who: str, since: str) -> int:
        """How often this person has decided since a moment in UTC, and not taken it back."""
        with self._connections.read() as db:
            return db.execute(_SINCE, {"who": who, "since": since}).fetchone()[0]

    def made(self, pair: str) -> Iterator[Made]:
        """All decisions about queries of a pair, the oldest first. Streams."""
        with named_errors(self._connections.path), closing(self._connections.new_reader()) as db:
            for row in db.query(_MADE, [pair]):
                yield Made(
                    Query(row["context"], row["position"], row["pair"]),
                    row["kind"],
                    row["decided_by"],
                    row["told"],
                    row["decided"],
                    row["undone"],
                    read_sense(row) if row["class"] else None,
                )


def told(decision: str = "decision") -> str:
    """SQL for what was said of a decision: the last note, or what came with it."""
    return f"""coalesce((
        SELECT note FROM decision_note WHERE decision_note.decision_id = {decision}.id
        ORDER BY decision_note.id DESC LIMIT 1
    ), {decision}.note)"""


_MINE = """
    SELECT 1 FROM decision WHERE id = ? AND who = ?
        AND NOT EXISTS (SELECT 1 FROM undone WHERE undone.decision_id = decision.id)
"""
# From the last decision before that moment on: older ones are not read.
_SINCE = """
    SELECT count(*) FROM decision
    WHERE who = :who AND kind IN ('accept', 'edit', 'reject', 'settle') AND id > coalesce((
        SELECT id FROM decision WHERE who = :who AND created < :since ORDER BY id DESC LIMIT 1
    ), 0) AND NOT EXISTS (SELECT 1 FROM undone WHERE undone.decision_id = decision.id)
"""
_MADE = f"""
    SELECT query.context, query.position, query.pair, decision.kind, decision.who AS decided_by,
        {told()} AS told, decision.created AS decided, undone.created AS undone, label.class,
        label.meaning, label.members, label.phrase_meaning
    FROM decision JOIN decision_query ON decision_query.decision_id = decision.id
    JOIN query ON query.id = decision_query.query_id AND query.pair = ?
    LEFT JOIN undone ON undone.decision_id = decision.id
    LEFT JOIN label ON label.id = decision_query.label_id
    ORDER BY decision.id, query.id
"""
