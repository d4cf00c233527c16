"""Looking through items: filters, search, and decisions about many at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.store import Filter, Refused, Store
from engine.sense import Answer, Phrase, Query, Sense
from tests.reviewed import (
    BACK,
    CALL,
    CONTEXT,
    PAIR,
    RIGHT,
    RIGHT_NOUN,
    WRONG,
    imported,
    propose,
)


def test_many_at_once_and_back(filled: Store) -> None:
    ids = [row.id for row in filled.browse.page(PAIR, limit=10)]
    filled.review.work_off()
    ids = [row.id for row in filled.browse.page(PAIR, limit=10)]
    with pytest.raises(Refused):  # no answers to accept yet
        filled.review.decide_many("Ann", "accept", ids)
    for one in ids:
        propose(filled, filled.queries.get(one), WRONG)
    decision, count = filled.review.decide_many("Ann", "accept", [*ids, *ids])
    assert count == len(ids)
    assert filled.browse.states(PAIR) == {
        "open": 50, "accepted": 10, "rejected": 0, "flagged": 0, "conflict": 0,
    }  # fmt: skip
    assert filled.review.undo("Ann", decision)[2] == tuple(ids)
    assert filled.browse.states(PAIR)["open"] == 60


@pytest.mark.parametrize(
    "text, found",
    [("打破", 1), ("破", 1), ("silence", 1), ("silen", 1), ("沉默 打破", 1), ("打开", 0), ('"', 0)],
)
def test_search_finds_one_or_two_chinese_characters(store: Store, text: str, found: int) -> None:
    query = Query("He broke the silence.", 1)
    propose(store, query, Sense("verb", "打破", Phrase((1, 3), "打破沉默")))
    store.feedback.add_feedback(query, Answer(WRONG, "", 0.9, "model", "m"))
    store.review.work_off()
    assert store.browse.count(PAIR, Filter(text=text)) == found


def test_filters(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, CONTEXT, "Banks lend money.")
    call, money = propose(store, CALL, RIGHT), propose(store, Query("Banks lend money.", 2), WRONG)
    store.review.decide("Ann", "accept", call, RIGHT)
    store.review.decide("Bob", "edit", money, RIGHT_NOUN)

    def ids(**chosen) -> list[int]:
        return [row.id for row in store.browse.page(PAIR, Filter(**chosen))]

    assert ids(who="Ann") == [call]
    assert ids(status="accepted") == [call, money]
    assert ids(word_class="verb") == [call]
    assert ids(shape="split") == ids(shape="with") == [call]
    assert ids(shape="joined") == []
    assert ids(corrected=True) == [money]
    assert ids(status="accepted", text="money") == [money]
    assert ids(import_id=1) == [call, money] and ids(import_id=2) == [call]
    assert store.browse.people(PAIR) == (("Ann", 1), ("Bob", 1))
    assert [row[0] for row in store.browse.progress()] == ["Ann", "Bob"]


def test_an_undone_import_leaves_the_queue(filled: Store) -> None:
    assert filled.review.next(PAIR, "Ann")
    filled.imports.undo(1)
    assert filled.review.next(PAIR, "Bob") is None
    assert filled.browse.count(PAIR) == 0


def test_many_at_once_leaves_out_what_breaks_a_rule(store: Store) -> None:
    good = propose(store, BACK, Sense("adverb", "回"))
    bad = propose(store, CALL, Sense("verb", "打，叫"))
    _, count = store.review.decide_many("Ann", "accept", [good, bad])
    assert count == 1
    assert set(store.labels.accepted(PAIR, CONTEXT)) == {5}
