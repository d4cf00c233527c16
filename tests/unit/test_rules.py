"""What the labelling rules ask of a meaning depends on the language it is in."""

from __future__ import annotations

import pytest

from engine.rules import broken_rules
from engine.sense import Phrase, Query, Sense

ENGLISH, GERMAN = Query("They put it off.", 1), Query("Das Haus ist alt.", 1, "de-en")


@pytest.mark.parametrize(
    "query, meaning, broken",
    [
        (ENGLISH, "推迟", ()),
        (ENGLISH, "postpone", ("meaning_no_chinese",)),
        (ENGLISH, "把事情推到以后再做", ("meaning_too_long",)),
        (GERMAN, "house", ()),
        (GERMAN, "residential building", ()),
        (GERMAN, "the building in which people live or lived", ("meaning_too_long",)),
        (GERMAN, "house; home", ("several_meanings",)),
    ],
)
def test_a_meaning(query: Query, meaning: str, broken: tuple[str, ...]) -> None:
    assert broken_rules(query, Sense("noun", meaning)) == broken


def test_a_phrases_meaning() -> None:
    phrase = Phrase((1, 3), "be old")
    assert broken_rules(GERMAN, Sense("noun", "house", phrase)) == ()
    phrase = Phrase((1, 3), "put off")
    assert broken_rules(ENGLISH, Sense("verb", "推迟", phrase)) == ("phrase_meaning_no_chinese",)
