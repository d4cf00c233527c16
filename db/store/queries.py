"""Queries as rows: each question once, however many labels and feedback it gets."""

from __future__ import annotations

from sqlite_utils import Database

from db.store.checks import check_query
from db.store.connection import Connections, insert_row
from db.store.rows import utc_now
from engine.sense import Query, clean_context

TASK = "sense"
_PAIRS = "SELECT DISTINCT pair FROM query ORDER BY pair"
_FIND = "SELECT id FROM query WHERE pair = ? AND task = ? AND context = ? AND position = ?"


class QueryTable:
    """The queries in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def add(self, query: Query) -> int:
        """The query's id, new or known; Refused or QueryError where it cannot be asked."""
        query = check_query(query)
        with self._connections.write() as db:
            return keep_query(db, query)

    def find(self, query: Query) -> int | None:
        """The query's id, or None if it was never stored."""
        with self._connections.read() as db:
            return find_query(db, query)

    def pairs(self) -> tuple[str, ...]:
        """The pairs that there are queries of."""
        with self._connections.read() as db:
            return tuple(pair for (pair,) in db.execute(_PAIRS).fetchall())

    def get(self, query_id: int) -> Query | None:
        """The query with this id, or None."""
        with self._connections.read() as db:
            sql = "SELECT context, position, pair FROM query WHERE id = ?"
            row = db.execute(sql, [query_id]).fetchone()
        return Query(*row) if row else None


def find_query(db: Database, query: Query) -> int | None:
    """The id of a query, looked up inside the caller's transaction."""
    key = [query.pair, TASK, clean_context(query.context), query.position]
    row = db.execute(_FIND, key).fetchone()
    return row[0] if row else None


def keep_query(db: Database, query: Query) -> int:
    """The id of a checked query, which is added inside the caller's transaction if it is new."""
    known = find_query(db, query)
    if known is not None:
        return known
    row = {
        "pair": query.pair,
        "task": TASK,
        "context": query.context,
        "position": query.position,
        "target": query.target,
        "idx": query.idx,
        "created": utc_now(),
    }
    return insert_row(db, "query", row)
