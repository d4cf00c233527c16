"""Feedback is kept whole, and nothing that a stranger could send gets past its checks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.store import Refused, Store, open_store
from engine.sense import Answer, Phrase, Query, QueryError, Sense

CONTEXT = "She will call me back, and back home he waits."
BACK = Query(CONTEXT, 4)
SHOWN = Answer(Sense("noun", "后背", Phrase((3, 4), "我背")), "背", 0.25, "model", "e1")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("feedback") / "ctx.db") as store:
        yield store


def last(store: Store) -> Any:
    return store.feedback.list_feedback()[-1]


def test_feedback_comes_back_as_it_was(store: Store) -> None:
    phrase = Phrase((2, 4), "回电话")
    new = store.feedback.add_feedback(BACK, SHOWN, "回", phrase, "see\nthe phrase", "Bob")
    feedback = last(store)
    assert feedback.id == new
    assert (feedback.query, feedback.shown) == (BACK, SHOWN)
    assert (feedback.better_meaning, feedback.phrase) == ("回", phrase)
    assert (feedback.note, feedback.who) == ("see\nthe phrase", "Bob")
    assert feedback.created.endswith("+00:00")


def test_not_right_alone_is_enough(store: Store) -> None:
    nothing = Answer(Sense("noun", ""))
    store.feedback.add_feedback(BACK, nothing)
    feedback = last(store)
    assert feedback.shown == nothing
    assert (feedback.better_meaning, feedback.phrase, feedback.note) == ("", None, "")


def test_a_word_that_had_no_answer_gets_a_readers_meaning(store: Store) -> None:
    house = Query("Das Haus ist alt.", 1, "de-en")
    store.feedback.add_feedback(house, None, "house")
    feedback = last(store)
    assert (feedback.query, feedback.shown, feedback.better_meaning) == (house, None, "house")
    with pytest.raises(Refused, match="better_meaning"):
        store.feedback.add_feedback(house, None)


def test_list_goes_on_after_a_cursor(tmp_path: Path) -> None:
    with open_store(tmp_path / "ctx.db") as store:
        ids = [store.feedback.add_feedback(BACK, SHOWN, note=f"note {i}") for i in range(5)]
        assert store.feedback.count() == 5
        assert [f.id for f in store.feedback.list_feedback()] == ids
        assert [f.note for f in store.feedback.list_feedback(ids[1], 2)] == ["note 2", "note 3"]
        assert store.feedback.list_feedback(ids[-1]) == ()


@pytest.mark.parametrize(
    "values",
    [
        {"better_meaning": "好" * 40},
        {"better_meaning": "\u3000好 \n"},
        {"phrase": Phrase((2, 4), "好" * 40)},
        {"phrase": Phrase((0, 4, 9))},
        {"note": "x" * 500},
        {"note": "tab\tand\r\nline ends"},
        {"shown": Answer(SHOWN.sense, confidence=1)},
    ],
)
def test_what_just_fits_is_kept(store: Store, values: dict[str, Any]) -> None:
    before = store.feedback.count()
    store.feedback.add_feedback(**{"query": BACK, "shown": SHOWN} | values)
    assert store.feedback.count() == before + 1


REFUSED = [
    ({"better_meaning": "好" * 41}, "too_long"),
    ({"better_meaning": "two\nlines"}, "control_characters"),
    ({"better_meaning": "a\x00"}, "control_characters"),
    ({"better_meaning": "a\x1b[31m"}, "control_characters"),
    ({"better_meaning": "\ud800"}, "control_characters"),
    ({"better_meaning": None}, "not_text"),
    ({"better_meaning": ["好"]}, "not_text"),
    ({"note": "x" * 501}, "too_long"),
    ({"note": "a\x07"}, "control_characters"),
    ({"note": 5}, "not_text"),
    ({"who": "x" * 201}, "too_long"),
    ({"who": "two\nlines"}, "control_characters"),
    ({"phrase": Phrase((2, 4), "好" * 41)}, "too_long"),
    ({"phrase": Phrase((2, 4), "好\x00")}, "control_characters"),
    ({"phrase": Phrase((2, 3))}, "bad_members"),  # without the target
    ({"phrase": Phrase((4,))}, "bad_members"),
    ({"phrase": Phrase(())}, "bad_members"),
    ({"phrase": Phrase((4, 2))}, "bad_members"),
    ({"phrase": Phrase((4, 4))}, "bad_members"),
    ({"phrase": Phrase((-1, 4))}, "bad_members"),
    ({"phrase": Phrase((4, 10))}, "bad_members"),
    ({"phrase": Phrase((4, 5.0))}, "bad_members"),  # type: ignore[arg-type]
    ({"phrase": Phrase((True, 4))}, "bad_members"),
    ({"phrase": Phrase("24")}, "bad_members"),  # type: ignore[arg-type]
    ({"phrase": Phrase(None)}, "bad_members"),  # type: ignore[arg-type]
    ({"query": Query(CONTEXT, 10)}, "no_such_word"),
    ({"query": Query(CONTEXT, -1)}, "no_such_word"),
    ({"query": Query(CONTEXT, True)}, "no_such_word"),
    ({"query": Query(CONTEXT, "4")}, "no_such_word"),  # type: ignore[arg-type]
    ({"query": Query(None, 4)}, "not_text"),  # type: ignore[arg-type]
    ({"query": Query(CONTEXT, 4, "en")}, "unknown_value"),
    ({"query": Query(CONTEXT, 4, "x" * 50 + "-zh")}, "unknown_value"),
    ({"shown": Answer(Sense("<b>", "x"))}, "unknown_value"),
    ({"shown": Answer(Sense("noun", "x" * 201))}, "too_long"),
    ({"shown": Answer(Sense("noun", "x"), second="x" * 201)}, "too_long"),
    ({"shown": Answer(Sense("noun", "x"), engine="x" * 201)}, "too_long"),
    ({"shown": Answer(Sense("noun", "x"), source="a\x00")}, "control_characters"),
    ({"shown": Answer(Sense("noun", "x", Phrase((4, 10))))}, "bad_members"),
    ({"shown": Answer(Sense("noun", "x"), confidence=1.5)}, "unknown_value"),
    ({"shown": Answer(Sense("noun", "x"), confidence=float("nan"))}, "unknown_value"),
    ({"shown": Answer(Sense("noun", "x"), confidence="1")}, "unknown_value"),  # type: ignore
]


@pytest.mark.parametrize(("values", "code"), REFUSED)
def test_what_does_not_fit_is_refused(store: Store, values: dict[str, Any], code: str) -> None:
    before = store.feedback.count()
    with pytest.raises(Refused) as caught:
        store.feedback.add_feedback(**{"query": BACK, "shown": SHOWN} | values)
    assert caught.value.code == code
    assert str(caught.value)
    assert store.feedback.count() == before


@pytest.mark.parametrize("context", ["", " \n", "a\x00b", "word " * 3000])
def test_a_context_that_cannot_be_one_is_refused(store: Store, context: str) -> None:
    with pytest.raises(QueryError):
        store.feedback.add_feedback(Query(context, 0), SHOWN)


@settings(max_examples=60, deadline=None)
@given(note=st.text(alphabet=st.characters(), max_size=600))
def test_any_note_is_kept_clean_or_refused(store: Store, note: str) -> None:
    before = store.feedback.count()
    try:
        store.feedback.add_feedback(BACK, SHOWN, note=note)
    except Refused:
        assert store.feedback.count() == before
        return
    kept = last(store).note
    assert kept == note.strip(" \t\r\n\u3000")
    assert len(kept) <= 500
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in kept if c not in "\t\r\n")
