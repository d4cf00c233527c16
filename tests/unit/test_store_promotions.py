"""What readers get is history: added to, never changed, and nobody overtakes unseen."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from db.store import Promoted, Refused, Store

SHIPPED = Promoted("en-zh", "sense", "shipped", "aa", "sense-v2")
RUN = Promoted(
    "en-zh", "sense", "run:7", "bb", "first-try", "adapters/en-zh-sense/bb", "asked\nfor", "Ann",
    figures={"right": {"value": 0.5, "interval": [0.4, 0.6]}},
)  # fmt: skip


def test_history_comes_back_as_it_was(store: Store) -> None:
    first = store.promotions.add(RUN)
    back = replace(SHIPPED, undoes=first.id)
    second = store.promotions.add(back, after=first.id)
    other = store.promotions.add(replace(RUN, pair="de-en"))
    assert store.promotions.history("en-zh", "sense") == (first, second)
    assert [one.promoted for one in store.promotions.history()] == [RUN, back, other.promoted]
    assert first.created.endswith("+00:00")


def test_the_second_of_two_at_once_is_refused(store: Store) -> None:
    first = store.promotions.add(RUN)
    for after in (0, first.id + 1):
        with pytest.raises(Refused) as caught:
            store.promotions.add(SHIPPED, after=after)
        assert caught.value.code == "promoted_meanwhile"
    assert len(store.promotions.history()) == 1


def test_one_promotion_is_taken_back_once(store: Store) -> None:
    first = store.promotions.add(RUN)
    second = store.promotions.add(replace(SHIPPED, undoes=first.id), after=first.id)
    with pytest.raises(sqlite3.IntegrityError):
        store.promotions.add(replace(SHIPPED, undoes=first.id), after=second.id)


@pytest.mark.parametrize("statement", ["UPDATE promotion SET who = 'x'", "DELETE FROM promotion"])
def test_history_is_never_changed(store: Store, statement: str) -> None:
    store.promotions.add(RUN)
    with (
        pytest.raises(sqlite3.IntegrityError, match="history"),
        store._connections.write() as db,
    ):
        db.execute(statement)
    assert store.promotions.history()[0].promoted == RUN


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"reason": "x" * 501}, "too_long"),
        ({"reason": "a\x00"}, "control_characters"),
        ({"who": 5}, "not_text"),
        ({"pair": "enzh"}, "unknown_value"),
        ({"task": "all"}, "unknown_value"),
        ({"model": "run:\n7"}, "control_characters"),
    ],
)
def test_what_does_not_fit_is_refused(store: Store, values: dict, code: str) -> None:
    with pytest.raises(Refused) as caught:
        store.promotions.add(replace(RUN, **values))
    assert caught.value.code == code
    assert store.promotions.history() == ()
