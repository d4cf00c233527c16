"""How much a person decided today, as their own clock has it; and odd moments from strangers."""

from __future__ import annotations

import asyncio

import pytest

from db.store import Store
from engine.settings import read_settings
from tests.fake_engine import FakeLookup
from tests.reviewed import BACK, CALL, PAIR, RIGHT, WRONG, propose
from ui.access import Access
from ui.label.queue import QueueDesk
from ui.services import Services


def ask(store: Store, **question: object) -> dict:
    settings = read_settings({"CTX_HOME": str(store.path.parent)})
    served = QueueDesk(Services(settings, FakeLookup(), store, Access(False))).served()
    return asyncio.run(served["next"]({"who": "Ann", **question}))


@pytest.fixture
def decided(store: Store) -> Store:
    ids = [propose(store, query, WRONG) for query in (CALL, BACK)]
    store.review.decide("Ann", "accept", ids[0], WRONG)
    store.review.decide("Ann", "edit", ids[1], RIGHT)
    store.review.decide("Ann", "flag", ids[1])  # no decision about the answer
    store.review.decide("Bob", "accept", ids[1], RIGHT)
    return store


def test_ones_own_decisions_since_the_day_began(decided: Store) -> None:
    assert ask(decided, since="2020-01-01T00:00:00.000Z")["today"] == 2
    assert ask(decided, since="2020-01-01T00:00:00+08:00")["today"] == 2
    assert ask(decided, since="2999-01-01T00:00:00.000Z")["today"] == 0
    assert "today" not in ask(decided)
    decided.review.undo("Ann")  # the flag
    decided.review.undo("Ann")
    assert ask(decided, since="2020-01-01T00:00:00.000Z")["today"] == 1
    assert decided.decisions.count_since("Bob", "2020") == 1
    assert decided.browse.states(PAIR)["accepted"] >= 1


@pytest.mark.parametrize("since", ["today", "0001-01-01T00:00:00+23:00", 7, ["x"], "2026-99-99"])
def test_odd_moments_are_refused(decided: Store, since: object) -> None:
    assert ask(decided, since=since) == {"error": "not_understood"}
