"""Votes: which of two answers somebody liked better without knowing whose they were. A row is never
changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.store.checks import MAX_NAME, check_choice, check_pair, check_query, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused
from db.store.promotions import TASKS
from db.store.rows import utc_now
from engine.sense import Query, check_context

CHOICES = ("left", "right", "both", "neither")
SIDES = ("left", "right")


@dataclass(frozen=True)
class Side:
    """One of the two: a model's name in the catalogue, and its version then."""

    model: str
    version: str


@dataclass(frozen=True)
class Vote:
    """One choice about a word of a context, or about all of it where `position` is None."""

    left: Side
    right: Side
    context: str
    position: int | None
    choice: str
    shown_first: str
    pair: str = "en-zh"
    task: str = "sense"
    who: str = ""
    id: int = 0
    created: str = ""  # UTC, ISO


@dataclass(frozen=True)
class Tally:
    """How often each choice was made between two versions; which of them is called left says
    nothing."""

    left: str
    right: str
    left_won: int = 0
    right_won: int = 0
    both: int = 0
    neither: int = 0


class VoteTable:
    """The votes in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def add(self, vote: Vote) -> int:
        """The new vote's id; Refused (or QueryError, for the context) where it is not kept."""
        row = _to_row(vote)
        with self._connections.write() as db:
            return insert_row(db, "vote", row)

    def list_votes(
        self, pair: str = "en-zh", task: str = "sense", after: int = 0, limit: int = 1000
    ) -> tuple[Vote, ...]:
        """Votes with ids above `after`, the oldest first, at most `limit`."""
        sql = "SELECT * FROM vote WHERE pair = ? AND task = ? AND id > ? ORDER BY id LIMIT ?"
        with self._connections.read() as db:
            rows = list(db.query(sql, [pair, task, after, limit]))
        return tuple(_read(row) for row in rows)

    def tallies(self, pair: str = "en-zh", task: str = "sense") -> tuple[Tally, ...]:
        """The votes counted, a line for each two versions, on whatever side they stood. Of a
        person's votes on the same word between the same two the last one counts; those without a
        name are taken for one person's."""
        with self._connections.read() as db:
            rows = db.execute(_TALLIES, [pair, task]).fetchall()
        return tuple(Tally(*row) for row in rows)


_TALLIES = """
    SELECT one, other, sum(choice = iif(left_version = one, 'left', 'right')),
        sum(choice = iif(left_version = one, 'right', 'left')),
        sum(choice = 'both'), sum(choice = 'neither')
    FROM (
        SELECT *, min(left_version, right_version) AS one,
            max(left_version, right_version) AS other, row_number() OVER (
                PARTITION BY who, min(left_version, right_version),
                    max(left_version, right_version), context, position
                ORDER BY id DESC
            ) AS age
        FROM vote WHERE pair = ? AND task = ?
    ) WHERE age = 1 GROUP BY one, other ORDER BY one, other
"""


def _to_row(vote: Vote) -> dict[str, Any]:
    if vote.left.version == vote.right.version:
        raise Refused("unknown_value", field="right", value=vote.right.version)
    pair, task = check_pair(vote.pair), check_choice("task", vote.task, TASKS)
    if vote.position is None:
        if not isinstance(vote.context, str):
            raise Refused("not_text", field="context")
        context = check_context(vote.context)
    else:
        context = check_query(Query(vote.context, vote.position, pair)).context
    return {
        "created": utc_now(),
        "who": check_text("who", vote.who, MAX_NAME),
        "pair": pair,
        "task": task,
        "left_model": check_text("left", vote.left.model, MAX_NAME),
        "left_version": check_text("left", vote.left.version, MAX_NAME),
        "right_model": check_text("right", vote.right.model, MAX_NAME),
        "right_version": check_text("right", vote.right.version, MAX_NAME),
        "context": context,
        "position": vote.position,
        "choice": check_choice("choice", vote.choice, CHOICES),
        "shown_first": check_choice("shown_first", vote.shown_first, SIDES),
    }


def _read(row: Mapping[str, Any]) -> Vote:
    return Vote(
        Side(row["left_model"], row["left_version"]),
        Side(row["right_model"], row["right_version"]),
        row["context"], row["position"], row["choice"], row["shown_first"], row["pair"],
        row["task"], row["who"], row["id"], row["created"],
    )  # fmt: skip
