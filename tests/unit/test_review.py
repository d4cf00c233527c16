"""The review queue: who gets which query, what a decision does, and that nothing is ever lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from db.dataset.importing import bring
from db.store import Filter, Origin, Refused, Store
from db.store.review import LEASE_SECONDS, ReviewTable
from engine.sense import Answer, Query, Sense
from tests.reviewed import (
    BACK,
    CALL,
    CONTEXT,
    PAIR,
    PHRASE,
    RIGHT,
    RIGHT_NOUN,
    WRONG,
    imported,
    propose,
)


def test_everybody_gets_another_query_and_each_comes_once(filled: Store) -> None:
    seen = []
    while True:
        found = [filled.review.next(PAIR, who) for who in ("Ann", "Bob", "Cid")]
        assert len({one for one in found if one}) == len([one for one in found if one])
        for who, one in zip(("Ann", "Bob", "Cid"), found):
            if one:
                filled.review.decide(who, "accept", one, WRONG)
                seen.append(one)
        if not any(found):
            break
    assert len(seen) == len(set(seen)) == 60
    assert filled.browse.states(PAIR)["accepted"] == 60


def test_asking_again_gives_the_same_query_and_a_lease_ends(filled: Store) -> None:
    now = [1000.0]
    review = ReviewTable(filled._connections, lambda: now[0])
    first = review.next(PAIR, "Ann")
    assert review.next(PAIR, "Ann") == first
    assert review.next(PAIR, "Bob") != first
    now[0] += LEASE_SECONDS + 1
    assert review.next(PAIR, "Cid") == first


def test_a_skipped_query_goes_to_others_only(filled: Store) -> None:
    first = filled.review.next(PAIR, "Ann")
    filled.review.decide("Ann", "skip", first)
    assert filled.review.next(PAIR, "Ann") != first
    assert filled.review.next(PAIR, "Bob") == first
    filled.review.undo("Ann")
    filled.review.decide("Bob", "accept", first, WRONG)


def test_what_readers_reported_comes_first_then_the_unsure_then_what_differs(
    filled: Store, tmp_path: Path
) -> None:
    imported(filled, tmp_path, CONTEXT, "Banks lend money.")
    unsure, differing = Query("Banks lend money.", 0), Query("Banks lend money.", 2)
    with filled._connections.write() as db:
        from db.store.labels import keep_label

        keep_label(db, unsure, WRONG, "model", "m", "proposed", 0.3)
    propose(filled, differing, WRONG, "T")
    propose(filled, differing, RIGHT_NOUN, "U")
    filled.feedback.add_feedback(BACK, Answer(WRONG, "", 0.9, "model", "m"), better_meaning="回")
    order = []
    for _ in range(3):
        found = filled.review.next(PAIR, "Ann")
        order.append(filled.queries.get(found))
        filled.review.decide("Ann", "accept", found, WRONG)
    assert order == [BACK, unsure, differing]


def test_a_complaint_opens_an_accepted_query_again(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    store.review.decide("Ann", "accept", query_id, WRONG)
    assert store.review.next(PAIR, "Ann") is None
    store.feedback.add_feedback(BACK, Answer(WRONG, "", 0.9, "person", "Ann"), better_meaning="回")
    assert store.review.next(PAIR, "Ann") == query_id
    opened = store.review.open(query_id, "Ann")
    assert [one.meaning for one in opened.complaints] == ["回"]
    store.review.decide("Ann", "edit", query_id, RIGHT)
    assert store.review.next(PAIR, "Ann") is None


def test_a_decision_reaches_readers_and_undo_takes_it_back(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    before, _ = store.labels.decided_since((0, 0))
    store.review.decide("Ann", "edit", query_id, RIGHT)
    assert store.labels.accepted(PAIR, CONTEXT)[5].sense.meaning == "打电话"
    assert store.labels.phrases(PAIR)
    moment, decided = store.labels.decided_since(before)
    assert decided
    store.review.undo("Ann")
    assert store.labels.accepted(PAIR, CONTEXT) == {}
    assert store.labels.phrases(PAIR) == ()
    assert store.labels.decided_since(moment)[1]
    assert len(store.labels.history(BACK)) == 2  # nothing is deleted
    opened = store.review.open(query_id, "Ann")
    assert (opened.status, opened.standing.sense) == ("open", WRONG)
    assert [(event.kind, bool(event.undone)) for event in opened.events] == [("edit", True)]
    with pytest.raises(Refused, match="nothing"):
        store.review.undo("Ann")


def test_undo_is_ones_own(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    decision = store.review.decide("Ann", "accept", query_id, WRONG)
    with pytest.raises(Refused):
        store.review.undo("Bob", decision)


def test_somebody_elses_newer_decision_is_not_overwritten_unseen(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    seen = store.review.open(query_id, "Ann").seen
    store.review.decide("Bob", "edit", query_id, RIGHT, seen=seen)
    with pytest.raises(Refused) as refused:
        store.review.decide("Ann", "accept", query_id, WRONG, seen=seen)
    assert refused.value.code == "changed"
    again = store.review.open(query_id, "Ann")
    assert again.standing.who == "Bob"
    store.review.decide("Ann", "accept", query_id, WRONG, seen=again.seen)
    assert store.review.open(query_id, "Bob").standing.who == "Ann"


def test_the_same_token_decides_once(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    first = store.review.decide("Ann", "accept", query_id, WRONG, token="t1")
    assert store.review.decide("Ann", "accept", query_id, WRONG, token="t1") == first
    assert len(store.labels.history(BACK)) == 2


def test_a_phrase_goes_to_its_other_members(store: Store) -> None:
    call, back = propose(store, CALL, Sense("verb", "打")), propose(store, BACK, WRONG)
    siblings = store.review.siblings(BACK)
    assert siblings == {3: call}
    store.review.decide("Ann", "edit", back, Sense("adverb", "回", PHRASE), also=[call])
    other = store.review.open(call, "Ann")
    assert other.status == "open"  # nobody looked at its meaning yet
    assert other.standing.sense == Sense("verb", "打", PHRASE)
    store.review.decide("Ann", "accept", call, other.standing.sense)
    store.review.decide("Ann", "edit", back, Sense("adverb", "回"), also=[call])
    assert store.labels.accepted(PAIR, CONTEXT)[3].sense == Sense("verb", "打")
    store.review.undo("Ann")
    assert store.labels.accepted(PAIR, CONTEXT)[3].sense.phrase.members == (3, 5)


def test_a_phrase_is_not_given_to_words_outside_it(store: Store) -> None:
    back = propose(store, BACK, WRONG)
    other = propose(store, Query(CONTEXT, 1), Sense("verb", "想要"))
    with pytest.raises(Refused, match="phrase"):
        store.review.decide("Ann", "edit", back, Sense("adverb", "回", PHRASE), also=[other])
    assert store.review.open(back, "Ann").status == "open"


def test_a_flag_takes_a_query_out_until_it_is_decided_or_unflagged(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    store.feedback.add_feedback(BACK, Answer(WRONG, "", 0.9, "model", "m"))
    store.review.decide("Ann", "flag", query_id)
    assert store.review.next(PAIR, "Bob") is None
    assert store.review.next(PAIR, "Bob", Filter(status="flagged")) == query_id
    store.review.decide("Bob", "unflag", query_id)
    assert store.review.next(PAIR, "Bob") == query_id


def test_an_undone_import_takes_peoples_answers_back_that_it_brought(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(
        '{"context": "She meant to call them back.", "target": "back", "idx": 1,'
        ' "class": "adverb", "zh": "回", "phrase": ""}\n'
    )
    bring(store, file, Origin("rows", "", who="Ann", source="person", status="accepted"))
    moment, _ = store.labels.decided_since((0, 0))
    assert store.labels.accepted(PAIR, CONTEXT)
    store.imports.undo(1)
    assert store.labels.accepted(PAIR, CONTEXT) == {}
    assert store.labels.decided_since(moment)[1]


def test_eight_people_at_once_lose_nothing(filled: Store) -> None:
    def work(who: str) -> list[int]:
        mine = []
        while (found := filled.review.next(PAIR, who)) is not None:
            filled.review.decide(who, "accept", found, WRONG)
            mine.append(found)
        return mine

    with ThreadPoolExecutor(8) as pool:
        done = [one for mine in pool.map(work, [f"P{n}" for n in range(8)]) for one in mine]
    assert len(done) == len(set(done)) == 60
    assert filled.check() == ()


def test_undo_opens_what_was_before_the_person(store: Store) -> None:
    back, call = propose(store, BACK, WRONG), propose(store, CALL, Sense("verb", "打"))
    store.review.decide("Ann", "edit", call, Sense("verb", "打", PHRASE), also=[back])
    assert store.review.undo("Ann")[2] == (call, back)
