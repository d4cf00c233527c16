"""How SQLite reads what is asked at every decision or page: never all items of a million."""

from __future__ import annotations

from typing import Any

import pytest

from db.store import Filter, Store, turns
from db.store.browse import _COLUMNS, _find

PAIR = "en-zh"
PERSON = {"pair": PAIR, "who": "Ann", "now": 0.0, "overlap": 1, "after": 0}


def plan(store: Store, sql: str, values: dict[str, Any]) -> list[str]:
    with store._connections.read() as db:
        return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.mark.parametrize(
    "chosen",
    [
        Filter(), Filter(status="open"), Filter(word_class="noun"), Filter(shape="split"),
        Filter(reported=True), Filter(corrected=True), Filter(import_id=1), Filter(text="打破"),
        Filter(status="open", import_id=1),
    ],
)  # fmt: skip
def test_a_page_is_read_in_order(store: Store, chosen: Filter) -> None:
    with store._connections.read() as db:
        found = _find(db, chosen, PAIR)
    sql = f"""{_COLUMNS} FROM {found.source} JOIN query ON query.id = item.query_id
        LEFT JOIN label ON label.id = item.label_id
        WHERE {found.rules} AND {found.key} > :after ORDER BY {found.key} LIMIT :limit"""
    steps = plan(store, sql, found.values | {"after": 0, "limit": 50})
    inner = [step for step in steps if step == "USE TEMP B-TREE FOR ORDER BY"]
    assert len(inner) <= 1, steps  # the one is that of an item's flags
    assert steps.index("USE TEMP B-TREE FOR ORDER BY") > steps.index("CORRELATED SCALAR SUBQUERY 3")


def test_what_waits_is_read_from_its_own_index(store: Store) -> None:
    conflicts, flagged, reported = (plan(store, sql, PERSON) for sql in turns._WAITING)
    for steps in (conflicts, flagged):
        assert any("item_" in step and "status=?" in step for step in steps), steps
    assert any("USING INDEX item_reported" in step for step in reported), reported
