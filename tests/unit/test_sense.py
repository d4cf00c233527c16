"""Queries, senses and their wire format: what fits comes back, what does not is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sense import (
    CLASSES,
    Phrase,
    Query,
    QueryError,
    Sense,
    ask,
    context_words,
    find_members,
    from_wire,
    to_wire,
)

WORDS = st.lists(st.sampled_from(["the", "The", "back", "call", "you", "x-y"]), min_size=2)


@pytest.mark.parametrize(
    "context, target, idx, code",
    [
        ("", "a", 1, "no_context"),
        (" \n", "a", 1, "no_context"),
        ("a", " ", 1, "no_target"),
        (None, "a", 1, "not_text"),
        ("a", 1, 1, "not_text"),
        ("a", "a", "1", "not_text"),
        ("a", "a", True, "not_text"),
        ("a", "a", 1.5, "not_text"),
        ("a\x00b", "a", 1, "control_characters"),
        ("a", "a\x07", 1, "control_characters"),
        ("a \ud800", "a", 1, "control_characters"),
        ("a b", "c", 1, "target_not_found"),
        ("my neck's", "neck", 1, "target_inside_word"),
        ("a A", "a", 3, "idx_out_of_range"),
        ("a", "a", 0, "idx_out_of_range"),
        ("a", "a", -1, "idx_out_of_range"),
        ("a " * 6000, "a", 1, "context_too_long"),
        ("a", "b" * 101, 1, "target_too_long"),
    ],
)
def test_what_cannot_be_asked_says_why(context, target, idx, code):
    with pytest.raises(QueryError) as caught:
        ask(context, target, idx)
    assert caught.value.code == code and str(caught.value)


def test_occurrences_are_counted_ignoring_case_and_whole_words():
    query = ask("The cat saw the other-the then THE dog", "the", 3)
    assert query.target == "THE" and query.idx == 3


@given(WORDS, st.data())
def test_every_word_can_be_asked_for_as_it_asks_itself(words, data):
    context = " ".join(words)
    query = Query(context, data.draw(st.integers(0, len(context_words(context)) - 1)))
    assert ask(query.context, query.target, query.idx) == query


@given(WORDS, st.data())
@settings(max_examples=80)
def test_the_wire_format_gives_the_sense_back(words, data):
    context = " ".join(words)
    count = len(context_words(context))
    position = data.draw(st.integers(0, count - 1))
    others = data.draw(st.sets(st.integers(0, count - 1)))
    members = tuple(sorted(others | {position}))
    phrase = Phrase(members, "回电话") if len(members) > 1 else None
    sense = Sense(data.draw(st.sampled_from(CLASSES)), "打", phrase)
    query = Query(context, position)
    again = from_wire(query, to_wire(query, sense))
    assert (again.word_class, again.meaning) == (sense.word_class, sense.meaning)
    # Repeated words may be read narrower, so their spelling may differ in case.
    assert to_wire(query, again)["phrase"].lower() == to_wire(query, sense)["phrase"].lower()
    if again.phrase:
        assert position in again.phrase.members
        assert again.phrase.members[-1] - again.phrase.members[0] <= members[-1] - members[0]


def test_members_are_read_over_the_shortest_span_that_holds_the_target():
    query = ask("give it up or give that up", "up", 2)
    assert find_members(query, ["give", "up"]) == (4, 6)
    query = ask("give it up or give that up", "give", 1)
    assert find_members(query, ["give", "up"]) == (0, 2)


@pytest.mark.parametrize(
    "answer",
    [
        {"class": "VBQ", "zh": "打", "phrase": ""},
        {"class": "verb", "zh": "", "phrase": ""},
        {"class": "verb", "zh": 1, "phrase": ""},
        {"class": "verb", "zh": "打", "phrase": "call back"},
        {"class": "verb", "zh": "打", "phrase": "call|打"},
        {"class": "verb", "zh": "打", "phrase": "back call|打"},
        {"class": "verb", "zh": "打", "phrase": "you back|打"},
        {},
    ],
)
def test_answers_that_break_the_rules_are_refused(answer):
    with pytest.raises(ValueError):
        from_wire(ask("I call you back", "call"), answer)


def test_older_class_names_are_mapped():
    query = ask("I call you back", "call")
    assert from_wire(query, {"class": "VBG", "zh": "打", "phrase": ""}).word_class == "verb"
    assert from_wire(query, {"class": "modal verb", "zh": "会"}).word_class == "auxiliary"
