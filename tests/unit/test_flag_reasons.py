"""Why somebody flagged: said afterwards, kept with the decision, shown and exported with it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from db.dataset.exporting import export_decisions
from db.store import Brought, Filter, Origin, Refused, Store, open_store
from engine.sense import Query, Sense
from engine.settings import read_settings
from tests.fake_engine import FakeLookup
from ui.access import Access
from ui.label.queue import QueueDesk
from ui.label.table import TableDesk
from ui.services import Services

PAIR = "en-zh"
CONTEXT = "They will call you back."
FLAGGED = Filter(status="flagged")


@pytest.fixture
def store(tmp_path: Path):
    with open_store(tmp_path / "ctx.db") as store:
        origin = Origin("rows", "flat", who="T")
        rows = [
            Brought(n, 0, "raw", context=CONTEXT, queries=(Query(CONTEXT, n),), sense=sense)
            for n, sense in enumerate([Sense("pronoun", "他们"), Sense("auxiliary", "会")])
        ]
        store.imports.add(store.imports.begin(origin), origin, rows)
        store.review.work_off()
        yield store


def ask(desk, store: Store, name: str, **question: object) -> dict:
    settings = read_settings({"CTX_HOME": str(store.path.parent)})
    served = desk(Services(settings, FakeLookup(), store, Access(False))).served()
    return asyncio.run(served[name]({"who": "Ann", **question}))


def flag(store: Store, query_id: int = 1) -> int:
    reply = ask(QueueDesk, store, "decide", kind="flag", id=query_id)
    assert reply["decided"] == "flag"
    return reply["decision"]


def test_a_flag_is_one_key_and_its_reason_comes_after(store: Store) -> None:
    decision = flag(store)
    assert store.browse.page(PAIR, FLAGGED)[0].why == ""
    assert ask(QueueDesk, store, "why", decision=decision, why="two senses") == {
        "decision": decision
    }
    ask(QueueDesk, store, "why", decision=decision, why=" three senses ")
    assert store.browse.page(PAIR, FLAGGED)[0].why == "three senses"
    item = ask(QueueDesk, store, "open", who="Bob", id=1)["item"]
    assert item["flag"] == {"who": "Ann", "why": "three senses"}
    told = [(one["kind"], one["text"]) for one in item["history"]]
    assert ("decision_flag", "three senses") in told
    (row,) = ask(TableDesk, store, "rows", after=0, filter={"status": "flagged"})["rows"]
    assert row["why"] == "three senses"


def test_it_goes_with_the_flag(store: Store) -> None:
    decision = flag(store)
    store.decisions.add_note("Ann", decision, "two senses")
    store.review.undo("Ann")
    assert ask(QueueDesk, store, "open", id=1)["item"]["flag"] is None
    with pytest.raises(Refused):
        store.decisions.add_note("Ann", decision, "again")


def test_many_flags_at_once_have_one_reason(store: Store) -> None:
    decision = ask(TableDesk, store, "decide_many", kind="flag", ids=[1, 2])["decision"]
    ask(TableDesk, store, "why", decision=decision, why="not English")
    assert {row.why for row in store.browse.page(PAIR, FLAGGED)} == {"not English"}


def test_where_people_decide_blind_only_ones_own_is_seen(store: Store) -> None:
    store.review.set_overlap(2)
    store.decisions.add_note("Ann", flag(store), "it means 他们")
    assert store.browse.page(PAIR, FLAGGED, blind_for="Bob")[0].why == ""
    assert store.browse.page(PAIR, FLAGGED, blind_for="Ann")[0].why == "it means 他们"
    assert ask(QueueDesk, store, "open", who="Bob", id=1)["item"]["flag"] is None


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"decision": 99, "why": "x"}, "unknown_value"),
        ({"decision": 1, "why": "x", "who": "Bob"}, "unknown_value"),
        ({"decision": 1, "why": "x" * 201}, "too_long"),
        ({"decision": 1, "why": "a\0b"}, "control_characters"),
        ({"decision": "1", "why": "x"}, "not_understood"),
        ({"decision": 1, "why": ["x"]}, "not_understood"),
    ],
)
def test_what_does_not_fit_is_refused(store: Store, question: dict, code: str) -> None:
    assert flag(store) == 1
    for desk in (QueueDesk, TableDesk):
        assert ask(desk, store, "why", **question) == {"error": code}


def test_notes_are_history(store: Store) -> None:
    store.decisions.add_note("Ann", flag(store), "x")
    for sql in ("UPDATE decision_note SET note = 'y'", "DELETE FROM decision_note"):
        with store._connections.write() as db, pytest.raises(sqlite3.IntegrityError):
            db.execute(sql)


def test_decisions_are_exported_with_it(store: Store, tmp_path: Path) -> None:
    store.decisions.add_note("Ann", flag(store), "two senses")
    store.review.decide("Bob", "edit", 2, Sense("auxiliary", "将"))
    store.review.undo("Bob")
    assert export_decisions(store, tmp_path / "out.jsonl", PAIR) == 2
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text("utf-8").splitlines())
    assert (first["kind"], first["note"], first["target"]) == ("flag", "two senses", "They")
    assert (second["who"], second["zh"], bool(second["undone"])) == ("Bob", "将", True)
