"""Answers that a source other than a person gives as accepted: not asked again, not for readers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.dataset.importing import bring
from db.store import Filter, Origin, Store, open_store
from engine.sense import Answer, Phrase, Query, Sense

PAIR = "en-zh"
CONTEXT = "She meant to call them back."
CALL, BACK = Query(CONTEXT, 3), Query(CONTEXT, 5)
ROW = {
    "context": CONTEXT, "target": "back", "idx": 1, "class": "adverb", "zh": "回",
    "phrase": "call back|回电话",
}  # fmt: skip
SENSE = Sense("adverb", "回", Phrase((3, 5), "回电话"))
OTHER = Sense("noun", "后背")
GOLD = Origin("gold", "flat", who="gold", source="teacher", status="accepted")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    file = tmp_path / "gold.jsonl"
    rows = [ROW, ROW | {"target": "call", "class": "verb", "zh": "打"}]
    file.write_text("\n".join(json.dumps(row) for row in rows))
    with open_store(tmp_path / "ctx.db") as store:
        bring(store, file, GOLD)
        yield store


def state(store: Store, query: Query) -> tuple[str, Sense | None]:
    opened = store.review.open(store.queries.find(query) or 0, "Ann")
    return opened.status, opened.standing.sense if opened.standing else None


def test_it_is_accepted_and_not_offered(store: Store) -> None:
    assert state(store, BACK) == ("accepted", SENSE)
    assert store.review.next(PAIR, "Ann") is None
    assert store.review.next(PAIR, "Ann", Filter(status="accepted"))
    assert SENSE in [row.sense for row in store.exports.answered(PAIR, accepted=True)]


def test_readers_do_not_get_it(store: Store) -> None:
    assert store.labels.accepted(PAIR, CONTEXT) == {}
    assert store.labels.phrases(PAIR) == ()


def test_a_later_proposal_of_a_model_does_not_take_its_place(store: Store) -> None:
    store.labels.add_label(BACK, OTHER, "model", "m", "proposed")
    assert state(store, BACK) == ("accepted", SENSE)


def test_a_reader_who_complains_or_a_flag_opens_it(store: Store) -> None:
    store.feedback.add_feedback(BACK, Answer(SENSE, "", 0.9, "model", "m"))
    assert state(store, BACK)[0] == "open"
    store.review.decide("Ann", "flag", store.queries.find(CALL) or 0)
    assert state(store, CALL)[0] == "flagged"


def test_a_person_decides_over_it_and_takes_that_back(store: Store) -> None:
    query_id = store.queries.find(BACK) or 0
    store.review.decide("Ann", "edit", query_id, OTHER)
    assert state(store, BACK) == ("accepted", OTHER)
    store.review.undo("Ann")
    assert state(store, BACK) == ("accepted", SENSE)


def test_a_phrase_that_a_person_corrects_on_one_member_opens_the_other(store: Store) -> None:
    back, call = (store.queries.find(query) or 0 for query in (BACK, CALL))
    store.review.decide("Ann", "edit", back, Sense("adverb", "回"), also=[call])
    assert state(store, CALL) == ("open", Sense("verb", "打"))


def test_taken_back_it_is_gone(store: Store) -> None:
    store.imports.undo(1)
    assert store.browse.count(PAIR) == 0
