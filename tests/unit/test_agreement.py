"""Agreement between people, against values worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.dataset.agreement import FIELDS, agreement_of, measure
from db.store import Store, open_store
from engine.sense import Phrase, Query, Sense

PAIR = "en-zh"
CONTEXT = "She meant to call them back."
CALL, BACK, MEANT = Query(CONTEXT, 3), Query(CONTEXT, 5), Query(CONTEXT, 1)
PHRASE = Phrase((3, 5), "回电话")


def units(*people: str) -> list[dict[str, str]]:
    """One string a person, one letter a query; a star for no answer."""
    names = [f"P{number}" for number in range(len(people))]
    return [
        {name: value for name, value in zip(names, values) if value != "*"}
        for values in zip(*people)
    ]


def test_two_people() -> None:
    """Equal in 3 of 4. By chance: ½·¼ + ½·¾ = ½, so κ = (¾ − ½) / ½. α = 1 − ¼ / (2·3·5 / 8·7)."""
    found = agreement_of("class", units("nnvv", "nvvv"))
    assert (found.queries, found.equal) == (4, 0.75)
    assert found.kappa == pytest.approx(0.5)
    assert found.alpha == pytest.approx(1 - 0.25 / (30 / 56))


def test_krippendorffs_own_example_with_gaps() -> None:
    """From his paper of 2011: three people, 15 queries, nominal α = 0.691."""
    people = ("*****34121133*3", "1*213343*******", "**21344*21133*4")
    found = agreement_of("class", units(*people))
    assert found.queries == 12
    assert found.alpha == pytest.approx(0.691, abs=0.0005)


def test_kappa_of_three_is_the_mean_of_pairs_on_what_each_two_share() -> None:
    """P0 and P1 agree always, P0 and P2 as often as by chance, P1 and P2 share nothing."""
    found = agreement_of("class", units("nvnvnv", "nv****", "**nnvv"))
    assert found.kappa == pytest.approx((1.0 + 0.0) / 2)


def test_those_who_always_say_the_same_agree_wholly() -> None:
    found = agreement_of("class", units("nnn", "nnn"))
    assert (found.equal, found.kappa, found.alpha) == (1.0, 1.0, 1.0)


def test_nothing_to_compare() -> None:
    found = agreement_of("class", units("nn*", "**v"))
    assert (found.queries, found.equal, found.kappa, found.alpha) == (0, None, None, None)


def decide(store: Store, who: str, query: Query, sense: Sense, kind: str = "accept") -> None:
    store.review.decide(who, kind, store.queries.add(query), sense)


@pytest.fixture
def store(tmp_path: Path):
    with open_store(tmp_path / "ctx.db") as store:
        store.review.set_overlap(2)
        yield store


def test_fields_are_measured_from_what_people_decided(store: Store) -> None:
    decide(store, "Ann", CALL, Sense("verb", "打", PHRASE))
    decide(store, "Bob", CALL, Sense("verb", "呼叫", PHRASE))
    decide(store, "Ann", BACK, Sense("adverb", "回", PHRASE))
    decide(store, "Bob", BACK, Sense("particle", "回"))
    decide(store, "Ann", MEANT, Sense("verb", "打算"))
    decide(store, "Bob", MEANT, Sense("verb", "打算"), "reject")
    found = {one.field: (one.queries, one.equal) for one in measure(store, PAIR)}
    assert found == {
        "decision": (3, pytest.approx(2 / 3)),
        "class": (2, 0.5),
        "meaning": (2, 0.5),
        "members": (2, 0.5),
        "phrase_meaning": (1, 1.0),
    }


def test_only_what_counts_is_compared(store: Store) -> None:
    decide(store, "Ann", CALL, Sense("verb", "打"))
    decide(store, "Bob", CALL, Sense("verb", "呼叫"))
    decide(store, "Cid", CALL, Sense("verb", "呼叫"), "settle")
    store.labels.add_label(CALL, Sense("noun", "x"), "teacher", "T", "accepted")
    (people,) = store.agreement.decided_by_several(PAIR)
    assert {one.who for one in people} == {"Ann", "Bob"}
    decide(store, "Ann", CALL, Sense("verb", "呼叫"))
    (people,) = store.agreement.decided_by_several(PAIR)
    assert {one.sense.meaning for one in people} == {"呼叫"}
    store.review.undo("Ann")
    store.review.undo("Bob")
    assert list(store.agreement.decided_by_several(PAIR)) == []
    assert [one.queries for one in measure(store, PAIR)] == [0] * len(FIELDS)


def test_the_newest_come_first_and_no_more_than_asked(store: Store) -> None:
    for query in (CALL, BACK, MEANT):
        for who in ("Ann", "Bob"):
            decide(store, who, query, Sense("verb", query.target))
    found = list(store.agreement.decided_by_several(PAIR, 2))
    assert [people[0].sense.meaning for people in found] == ["meant", "back"]
