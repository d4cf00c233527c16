"""Who decided, as a choice: everybody there is, once however they spell their name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from db.store import Brought, Filter, Origin, Store, open_store
from engine.sense import Query, Sense
from engine.settings import read_settings
from tests.fake_engine import FakeLookup
from ui.access import Access
from ui.label.data import DataDesk
from ui.label.queue import QueueDesk
from ui.label.table import TableDesk
from ui.services import Services

PAIR = "en-zh"
DOG = Sense("noun", "狗")


@pytest.fixture
def store(tmp_path: Path):
    with open_store(tmp_path / "ctx.db") as store:
        origin = Origin("rows", "flat", who="T")
        rows = [
            Brought(n, 0, "raw", context=text, queries=(Query(text, 0),), sense=DOG)
            for n in range(6)
            for text in [f"Dogs {'abcdef'[n]} bark."]
        ]
        store.imports.add(store.imports.begin(origin), origin, rows)
        for who, query_id in (("ann", 6), ("Ann", 1), ("Ann", 3), ("王伟", 2), ("Bob", 4)):
            store.review.decide(who, "accept", query_id, DOG)
        yield store


def ids(store: Store, who: str, **more: object) -> list[int]:
    return [row.id for row in store.browse.page(PAIR, Filter(who=who, **more))]


def test_everybody_is_there_once_with_a_count(store: Store) -> None:
    assert store.browse.people(PAIR) == (("Ann", 3), ("Bob", 1), ("王伟", 1))
    store.review.undo("Bob")  # nothing is left of Bob
    assert ids(store, "Bob") == []
    assert store.browse.people(PAIR) == (("Ann", 3), ("王伟", 1))


def test_case_does_not_matter(store: Store) -> None:
    assert ids(store, "Ann") == ids(store, "ANN") == ids(store, "ann") == [1, 3, 6]
    assert ids(store, "bob") == [4] and ids(store, "王伟") == [2] and ids(store, "Cid") == []
    assert ids(store, "ann", status="accepted", text="Dogs f") == [6]
    assert store.browse.count(PAIR, Filter(who="aNN")) == 3
    assert store.review.next(PAIR, "Cid", Filter(who="BOB", status="accepted")) == 4
    frozen = store.datasets.freeze("anns", PAIR, chosen=Filter(who="ann"))
    assert frozen.rows == 3


def test_pages_go_on_where_they_ended(store: Store) -> None:
    first = store.browse.page(PAIR, Filter(who="ann"), limit=2)
    rest = store.browse.page(PAIR, Filter(who="ann"), after=first[-1].id)
    assert [row.id for row in (*first, *rest)] == [1, 3, 6]


def test_every_view_with_a_filter_can_ask(store: Store) -> None:
    settings = read_settings({"CTX_HOME": str(store.path.parent)})
    services = Services(settings, FakeLookup(), store, Access(False))
    data = DataDesk(services, Path("/none"), lambda file: None)
    for desk in (QueueDesk(services), TableDesk(services), data):
        reply = asyncio.run(desk.served()["people"]({"who": "Ann"}))
        assert reply["people"][0] == {"who": "Ann", "n": 3}
