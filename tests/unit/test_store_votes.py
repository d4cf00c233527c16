"""Blind votes are kept as they were made, and counted whichever side a model stood on."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from db.store import Refused, Side, Store, Tally, Vote
from engine.sense import QueryError

A, B = Side("shipped", "aa"), Side("run:7", "bb")
VOTE = Vote(A, B, "Call me back.", 2, "left", "right", who="Ann")


def test_a_vote_comes_back_as_it_was(store: Store) -> None:
    new = store.votes.add(VOTE)
    whole = store.votes.add(replace(VOTE, position=None, choice="both"))
    one, other = store.votes.list_votes()
    assert one == replace(VOTE, id=new, created=one.created)
    assert (other.id, other.position, other.choice) == (whole, None, "both")
    assert [vote.id for vote in store.votes.list_votes(after=new)] == [whole]
    assert store.votes.list_votes(task="translation") == ()


def test_sides_do_not_matter_when_votes_are_counted(store: Store) -> None:
    for vote in (
        VOTE,
        replace(VOTE, left=B, right=A, choice="right", position=0),
        replace(VOTE, left=B, right=A, choice="left", position=1),
        replace(VOTE, choice="neither", position=None),
        replace(VOTE, right=Side("base", "base")),
    ):
        store.votes.add(vote)
    assert store.votes.tallies() == (
        Tally("aa", "base", 1, 0, 0, 0),
        Tally("aa", "bb", 2, 1, 0, 1),
    )


@pytest.mark.parametrize("who", ["Ann", ""])
def test_of_votes_on_the_same_word_the_last_counts(store: Store, who: str) -> None:
    mine = replace(VOTE, who=who)
    for vote in (
        mine,
        mine,
        replace(mine, left=B, right=A, choice="left"),
        replace(VOTE, who="Bob"),
    ):
        store.votes.add(vote)
    assert store.votes.tallies() == (Tally("aa", "bb", 1, 1, 0, 0),)
    assert len(store.votes.list_votes()) == 4, "all of them are kept"
    whole = replace(mine, position=None)
    store.votes.add(whole)
    store.votes.add(replace(whole, choice="both"))
    assert store.votes.tallies() == (Tally("aa", "bb", 1, 1, 1, 0),)


@pytest.mark.parametrize("statement", ["UPDATE vote SET choice = 'both'", "DELETE FROM vote"])
def test_votes_are_never_changed(store: Store, statement: str) -> None:
    store.votes.add(VOTE)
    with pytest.raises(sqlite3.IntegrityError, match="history"), store._connections.write() as db:
        db.execute(statement)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"choice": "tie"}, "unknown_value"),
        ({"shown_first": "both"}, "unknown_value"),
        ({"right": A}, "unknown_value"),
        ({"position": 9}, "no_such_word"),
        ({"position": True}, "no_such_word"),
        ({"context": None, "position": None}, "not_text"),
        ({"pair": "x"}, "unknown_value"),
        ({"who": "two\nlines"}, "control_characters"),
    ],
)
def test_what_does_not_fit_is_refused(store: Store, values: dict, code: str) -> None:
    with pytest.raises(Refused) as caught:
        store.votes.add(replace(VOTE, **values))
    assert caught.value.code == code
    assert store.votes.list_votes() == ()


def test_a_context_that_cannot_be_one_is_refused(store: Store) -> None:
    with pytest.raises(QueryError):
        store.votes.add(replace(VOTE, context="word " * 3000))
