"""What several people decided about the same queries, for measuring how far they agree. Streams."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from db.store.connection import Connections
from db.store.errors import named_errors
from db.store.labels import counts
from db.store.rows import read_sense
from engine.sense import Sense


@dataclass(frozen=True)
class Decided:
    """A person's latest decision about a query: accepted or rejected, and the sense."""

    who: str
    status: str
    sense: Sense


class AgreementTable:
    """The decisions in the database, by query."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def decided_by_several(self, pair: str, most: int = -1) -> Iterator[tuple[Decided, ...]]:
        """For each query that two or more people decided their decisions, the newest query first;
        at most so many queries. What settled a conflict is left out: whoever settles has seen what
        the others said."""
        with (
            named_errors(self._connections.path),
            closing(self._connections.new_reader()) as db,
        ):
            rows = db.query(_DECIDED, {"pair": pair, "most": most})
            for _, found in itertools.groupby(rows, lambda row: row["query_id"]):
                latest = {row["who"]: row for row in found}
                yield tuple(
                    Decided(who, row["status"], read_sense(row)) for who, row in latest.items()
                )


_BY_PERSON = f"""
    label.source = 'person' AND label.status <> 'proposed' AND {counts()}
    AND NOT EXISTS (
        SELECT 1 FROM decision_query JOIN decision ON decision.id = decision_query.decision_id
        WHERE decision_query.query_id = label.query_id AND decision_query.label_id = label.id
            AND decision.kind = 'settle'
    )
"""
_DECIDED = f"""
    SELECT label.* FROM (
        SELECT query_id FROM label JOIN query ON query.id = label.query_id
        WHERE query.pair = :pair AND {_BY_PERSON}
        GROUP BY query_id HAVING count(DISTINCT who) > 1 ORDER BY query_id DESC LIMIT :most
    ) AS several JOIN label ON label.query_id = several.query_id
    WHERE {_BY_PERSON} ORDER BY label.query_id DESC, label.version
"""
