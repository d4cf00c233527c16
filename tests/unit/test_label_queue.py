"""The desks of the review queue and the table: what pages may ask, and what strangers may not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.store import Brought, Origin, Store, open_store
from engine.sense import Phrase, Query, Sense
from engine.settings import read_settings
from tests.fake_engine import FakeLookup
from ui.access import Access
from ui.label.queue import QueueDesk
from ui.label.table import TableDesk
from ui.services import Services

CONTEXT = "They will call you back."
BACK = Query(CONTEXT, 4)
ANSWER = {"class": "adverb", "meaning": "回", "members": [2, 4], "phraseMeaning": "回电话"}
HOSTILE = [None, 1, "x", [], {}, {"who": 1}, {"who": "A", "id": -1}, {"who": "A", "id": True}]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "ctx.db") as store:
        origin = Origin("rows", "flat", who="T", source="teacher")
        sense = Sense("noun", "背", Phrase((2, 4), "打回"))
        row = Brought(1, 0, "raw", context=CONTEXT, queries=(BACK,), sense=sense)
        store.imports.add(store.imports.begin(origin), origin, [row])
        yield store


def make(desk, store: Store, hosted: bool = False) -> dict:
    settings = read_settings({"CTX_HOME": str(store.path.parent)})
    served = desk(Services(settings, FakeLookup(), store, Access(hosted))).served()

    def ask(name: str, data: object) -> dict:
        return asyncio.run(served[name](data))

    ask.names = list(served)
    return ask


@pytest.fixture
def ask(store: Store):
    return make(QueueDesk, store)


def decide(ask, item: dict, **fields: object) -> dict:
    asked = {"who": "Ann", "kind": "save", "id": item["id"], "seen": item["seen"], **ANSWER}
    return ask("decide", asked | fields)


def test_an_item_has_all_that_the_page_paints(ask) -> None:
    reply = ask("next", {"who": "Ann"})
    item = reply["item"]
    assert reply["left"] == 1
    assert "".join(item["pieces"]) == CONTEXT and item["position"] == 4
    assert item["standing"] == {**ANSWER, "class": "noun", "meaning": "背", "phraseMeaning": "打回"}
    assert item["answers"][0]["by"] == [{"source": "teacher", "who": "T", "status": "proposed"}]


def test_accepted_as_it_stood_or_corrected(ask, store: Store) -> None:
    item = ask("next", {"who": "Ann"})["item"]
    assert decide(ask, item, **item["standing"])["decided"] == "accept"
    again = ask("undo", {"who": "Ann"})
    assert again["kind"] == "accept" and again["item"]["status"] == "open"
    assert decide(ask, again["item"])["decided"] == "edit"
    assert store.labels.accepted("en-zh", CONTEXT)[4].sense.meaning == "回"


def test_a_broken_rule_is_said_and_may_be_saved_anyway(ask, store: Store) -> None:
    item = ask("next", {"who": "Ann"})["item"]
    assert decide(ask, item, meaning="回，回来") == {"rules": ["several_meanings"]}
    assert store.labels.accepted("en-zh", CONTEXT) == {}
    assert decide(ask, item, meaning="回，回来", anyway=True)["decided"] == "edit"


@pytest.mark.parametrize(
    "fields, code",
    [
        ({"meaning": ""}, "no_text"),
        ({"meaning": 7}, "not_understood"),
        ({"meaning": "回" * 300}, "too_long"),
        ({"meaning": "a\0b"}, "control_characters"),
        ({"class": "verbish"}, "unknown_value"),
        ({"members": [2]}, "phrase_needs_two"),
        ({"members": [0, 2]}, "phrase_needs_two"),
        ({"members": [4, 99]}, "no_such_word"),
        ({"members": "24"}, "no_such_word"),
        ({"who": ""}, "no_text"),
        ({"who": "x" * 500}, "too_long"),
        ({"kind": "drop"}, "unknown_value"),
        ({"id": 999}, "unknown_value"),
        ({"also": ["1"]}, "not_understood"),
        ({"also": list(range(500))}, "not_understood"),
        ({"seen": -1}, "not_understood"),
        ({"filter": {"status": "all"}}, "not_understood"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_kept(ask, store: Store, fields, code) -> None:
    item = ask("next", {"who": "Ann"})["item"]
    before = store.labels.history(BACK)
    reply = decide(ask, item, anyway=True, **fields)
    assert reply.get("error") == code
    assert store.labels.history(BACK) == before


@pytest.mark.parametrize("data", HOSTILE)
def test_no_question_breaks_a_desk(ask, store: Store, data: object) -> None:
    for name in ask.names:
        reply = ask(name, data)
        assert reply.get("error") != "unexpected", (name, reply)
    table = make(TableDesk, store)
    for name in table.names:
        assert table(name, data).get("error") != "unexpected", name


def test_the_models_answer_is_kept_beside_the_decision(ask, store: Store) -> None:
    item = ask("next", {"who": "Ann"})["item"]
    proposal = ask("propose", {"who": "Ann", "id": item["id"]})["proposal"]
    assert proposal["meaning"] == "回" and proposal["members"] == [2, 4]
    decide(ask, item)
    sources = [(x.source, x.who, x.status) for x in store.labels.history(BACK)]
    assert sources[1:] == [("model", "fake", "proposed"), ("person", "Ann", "accepted")]


def test_a_hosted_app_refuses_everything(store: Store) -> None:
    for desk in (QueueDesk, TableDesk):
        ask = make(desk, store, hosted=True)
        for name in ask.names:
            if name == "overlap":
                assert ask(name, {"people": 2}) == {"error": "hosted_read_only"}
            else:
                data = {"who": "A", "id": 1, "after": 0, "ids": [1], "decision": 1, "kind": "flag"}
                assert ask(name, data) == {"error": "hosted_read_only"}, name
    assert store.review.overlap() == 1


def test_the_table_pages_and_decides(store: Store) -> None:
    ask = make(TableDesk, store)
    page = ask("rows", {"after": 0})
    assert page["count"] == 1 and not page["more"]
    (row,) = page["rows"]
    assert (row["status"], row["who"]) == ("open", "T")
    reply = ask("decide_many", {"who": "Ann", "kind": "accept", "ids": [row["id"]]})
    assert store.browse.states("en-zh")["accepted"] == 1
    assert ask("undo_many", {"who": "Ann", "decision": reply["decision"]})["count"] == 1


def test_a_readers_meaning_starts_a_pair_that_nothing_answers(ask, store: Store) -> None:
    house = Query("Das alte Haus ist seit vielen Jahren leer.", 2, "de-en")
    store.feedback.add_feedback(house, None, "house that is lived in")
    assert ask("next", {"who": "Ann"})["item"]["pieces"][1] == "They"  # en-zh has its own queue
    item = ask("next", {"who": "Ann", "pair": "de-en"})["item"]
    assert (item["pieces"][5], item["pair"], item["standing"]) == ("Haus", "de-en", None)
    assert item["told"] and [event["kind"] for event in item["history"]] == ["told"]
    by = [{"source": "reader", "who": "", "status": "proposed"}]
    assert [(one["class"], one["meaning"], one["by"]) for one in item["answers"]] == [
        ("", "house that is lived in", by)
    ]
    fields = {"class": "", "meaning": "house", "members": [], "phraseMeaning": "", "pair": "de-en"}
    assert decide(ask, item, **fields)["error"] == "no_class"
    reply = decide(ask, item, **fields | {"class": "noun"})
    assert (reply["decided"], reply["left"], reply["item"]) == ("edit", 0, None)
    assert store.labels.accepted("de-en", house.context)[2].sense == Sense("noun", "house")
    assert ask("next", {"who": "Ann", "pair": "no pair"})["error"] == "unknown_value"
