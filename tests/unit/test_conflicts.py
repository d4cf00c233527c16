"""Where several people decide each query: blind, compared, settled by another."""

from __future__ import annotations

import pytest

from db.store import Filter, Refused, Store
from engine.sense import Answer, Query, Sense
from tests.reviewed import (
    BACK,
    CALL,
    CONTEXT,
    PAIR,
    PHRASE,
    RIGHT,
    WRONG,
    propose,
)


def test_with_overlap_people_decide_blind_and_differences_are_settled(store: Store) -> None:
    store.review.set_overlap(2)
    query_id = propose(store, BACK, WRONG)
    imported_id = query_id
    store.feedback.add_feedback(BACK, Answer(WRONG, "", 0.9, "model", "m"))
    assert store.review.next(PAIR, "Ann") == imported_id
    store.review.decide("Ann", "edit", query_id, RIGHT)
    seen_by_bob = store.review.open(query_id, "Bob")
    assert seen_by_bob.blind and all(label.who != "Ann" for label in seen_by_bob.labels)
    assert store.review.next(PAIR, "Ann") is None
    assert store.review.next(PAIR, "Bob") == query_id
    store.review.decide("Bob", "accept", query_id, WRONG, seen=seen_by_bob.seen)
    opened = store.review.open(query_id, "Cid")
    assert (opened.status, opened.standing) == ("conflict", None)
    assert store.exports.counts(PAIR)["conflicts"] == 1
    assert list(store.exports.answered(PAIR)) == []
    assert store.review.next(PAIR, "Cid", Filter(status="conflict")) == query_id
    store.review.decide("Cid", "settle", query_id, RIGHT, seen=opened.seen)
    assert store.review.open(query_id, "Ann").status == "accepted"
    (row,) = store.exports.answered(PAIR)
    assert (row.who, row.sense) == ("Cid", RIGHT)
    store.review.undo("Cid")
    assert store.review.open(query_id, "Ann").status == "conflict"


def test_two_who_agree_need_nobody_to_settle(store: Store) -> None:
    store.review.set_overlap(2)
    query_id = propose(store, BACK, WRONG)
    store.review.decide("Ann", "accept", query_id, WRONG)
    assert store.review.open(query_id, "Cid").status == "open"
    store.review.decide("Bob", "accept", query_id, WRONG)
    assert store.review.open(query_id, "Cid").status == "accepted"


def test_where_several_decide_nobody_takes_an_answer_over_unseen(store: Store) -> None:
    store.review.set_overlap(2)
    query_id = propose(store, BACK, WRONG)
    store.review.decide("Ann", "edit", query_id, Sense("adverb", "回"))
    (row,) = store.browse.page(PAIR, blind_for="Bob")
    assert (row.sense, row.who) == (None, "")
    (row,) = store.browse.page(PAIR, blind_for="Ann")
    assert row.who == "Ann"
    with pytest.raises(Refused):
        store.review.decide_many("Bob", "accept", [query_id])
    store.review.decide("Cid", "flag", query_id)
    assert store.review.open(query_id, "Bob").blind


def test_ones_own_proposal_for_a_phrase_is_seen_where_others_are_not(store: Store) -> None:
    store.review.set_overlap(2)
    call, back = propose(store, CALL, Sense("verb", "打")), propose(store, BACK, WRONG)
    store.review.decide("Ann", "edit", back, Sense("adverb", "回", PHRASE), also=[call])
    assert store.review.open(call, "Ann").standing.sense.phrase.members == PHRASE.members
    assert store.review.open(call, "Bob").standing.sense.phrase is None


def test_nobody_settles_what_they_decided_themselves(store: Store) -> None:
    store.review.set_overlap(2)
    query_id = propose(store, BACK, WRONG)
    store.review.decide("Ann", "accept", query_id, WRONG)
    store.review.decide("Bob", "edit", query_id, Sense("adverb", "回"))
    conflicts = Filter(status="conflict")
    assert store.review.next(PAIR, "Ann", conflicts) is None
    assert store.review.next(PAIR, "Cid", conflicts) == query_id


def test_another_overlap_holds_for_all_at_once(filled: Store) -> None:
    filled.review.set_overlap(2)
    first = filled.review.next(PAIR, "Ann")
    filled.review.decide("Ann", "accept", first, WRONG)
    filled.review.set_overlap(1)
    assert filled.browse.states(PAIR)["accepted"] == 1
    assert filled.review.next(PAIR, "Bob") != first


def conflict(store: Store, query: Query = BACK, *, by: tuple[str, str] = ("Ann", "Bob")) -> int:
    store.review.set_overlap(2)
    query_id = propose(store, query, WRONG)
    for who, sense in zip(by, (WRONG, RIGHT)):
        store.review.decide(who, "edit", query_id, sense)
    return query_id


def test_the_sides_of_a_conflict_are_each_persons_last_word(store: Store) -> None:
    query_id = conflict(store)
    store.review.decide("Ann", "edit", query_id, Sense("adverb", "回"))
    sides = store.review.open(query_id, "Cid").sides
    assert [(side.who, side.sense.meaning) for side in sides] == [("Bob", "打电话"), ("Ann", "回")]
    store.review.decide("Cid", "settle", query_id, RIGHT)
    assert store.review.open(query_id, "Dan").sides == ()
    store.review.decide("Dan", "edit", query_id, WRONG)  # opened from a list, it is one again
    sides = store.review.open(query_id, "Eve").sides
    assert [side.who for side in sides] == ["Cid", "Dan"]


def test_a_conflict_can_be_settled_by_rejecting(store: Store) -> None:
    query_id = conflict(store)
    store.review.decide("Cid", "settle", query_id, WRONG, rejected=True)
    assert store.review.open(query_id, "Dan").status == "rejected"
    assert list(store.exports.answered(PAIR)) == []
    store.review.undo("Cid")
    assert store.review.open(query_id, "Dan").status == "conflict"


def test_what_waits_is_counted_for_who_could_open_it(store: Store) -> None:
    conflict(store)
    conflict(store, CALL, by=("Bob", "Cid"))
    other = propose(store, Query(CONTEXT, 0), WRONG)
    store.review.decide("Dan", "flag", other)
    meant = Query(CONTEXT, 1)
    propose(store, meant, WRONG)
    store.feedback.add_feedback(meant, Answer(WRONG, "", 0.9, "model", "m"))
    store.review.work_off()

    def waits(who: str) -> tuple[int, int, int]:
        found = store.review.waiting(PAIR, who)
        return found.conflicts, found.flagged, found.reported

    assert waits("Dan") == (2, 1, 1)
    assert waits("Ann") == (1, 1, 1) and waits("Bob") == (0, 1, 1)
    held = store.review.next(PAIR, "Dan", Filter(status="conflict"))
    assert waits("Eve") == (1, 1, 1)  # one is before Dan
    store.review.decide("Dan", "settle", held, RIGHT)
    store.review.decide("Dan", "skip", store.queries.find(meant))
    assert waits("Dan") == (1, 1, 0) and waits("Eve") == (1, 1, 1)
