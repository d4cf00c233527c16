"""Whose turn an item is: SQL conditions on `item` for a person, and what else waits for them.

Values: :who, :now (seconds of UTC), :overlap (how many people decide each query), :after (the query
they come from).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from db.store.labels import counts

MOST = 1000  # that wait are counted

_LEASES = """
    (SELECT count(*) FROM lease WHERE lease.query_id = item.query_id AND who <> :who
        AND until > :now)
"""
_DECIDED = f"""
    EXISTS (
        SELECT 1 FROM label WHERE label.query_id = item.query_id AND label.who = :who
            AND label.source = 'person' AND label.status <> 'proposed' AND {counts()}
    )
"""
# Open queries: not with as many others as are still wanted, nor skipped or decided by this person.
_OPEN = f"""
    {_LEASES} < max(1, :overlap - given)
    AND NOT EXISTS (
        SELECT 1 FROM decision_query JOIN decision ON decision.id = decision_query.decision_id
        WHERE decision_query.query_id = item.query_id AND decision.who = :who
            AND decision.kind = 'skip'
            AND NOT EXISTS (SELECT 1 FROM undone WHERE undone.decision_id = decision.id)
    )
    AND (reported OR NOT {_DECIDED})
"""
# Any others are gone through from the first to the last; nobody settles what they decided.
_OTHER = f"{_LEASES} = 0 AND query_id > :after AND (status <> 'conflict' OR NOT {_DECIDED})"


@dataclass(frozen=True)
class Waiting:
    """How many of each this person could open now, each counted up to MOST: conflicts to settle,
    flagged items, open ones that a reader complained about."""

    conflicts: int
    flagged: int
    reported: int


def turn(status: str) -> str:
    """The condition for items of a status, with their order."""
    if status == "open":
        return f"{_OPEN} ORDER BY place, query_id"
    return f"{_OTHER} ORDER BY query_id"


def waiting(db: Database, values: Mapping[str, Any]) -> Waiting:
    """What waits for a person; `values` also has the :pair."""
    return Waiting(*(db.execute(sql, {**values, "after": 0}).fetchone()[0] for sql in _WAITING))


_WAITING = tuple(
    f"""
    SELECT count(*) FROM (
        SELECT 1 FROM item WHERE item.pair = :pair AND {kind} LIMIT {MOST}
    )
    """
    for kind in (
        f"status = 'conflict' AND {_OTHER}",
        f"status = 'flagged' AND {_OTHER}",
        f"+status = 'open' AND reported AND {_OPEN}",  # few are reported, a million may be open
    )
)
