"""Known phrases are found by lemma, split and inflected; what is found is only a candidate."""

import time

import pytest

from engine.passage import split_words
from engine.phrasebook import (
    Entry,
    Known,
    Phrasebook,
    favoured,
    join,
    shipped_phrasebook,
)
from engine.phrases import Vote, reconcile
from engine.sense import ask, from_wire
from trainer.examples import Example
from trainer.phrasebook import make_phrase_lines

BOOK = Phrasebook(
    [
        Entry(("turned", "down"), "拒绝", 3),
        Entry(("turn", "down"), "调低", 1),
        Entry(("hit", "the", "sack"), "上床睡觉"),
        Entry(("made", "up", "mind"), "下定决心"),
    ]
)


def found(text, book=BOOK):
    words = split_words(text)
    return {
        " ".join(words[i].text for i in members): tuple(one.meaning for one in known)
        for members, known in book.find(words).items()
    }


@pytest.mark.parametrize(
    "text, phrases",
    [
        ("They turned my application down.", {"turned down": ("拒绝", "调低")}),
        ("Turning the radio down helps", {"Turning down": ("拒绝", "调低")}),
        ("He hits the sack.", {"hits the sack": ("上床睡觉",)}),
        ("He hit the old sack.", {"hit the sack": ("上床睡觉",)}),
        ("She can’t make up her mind", {"make up mind": ("下定决心",)}),
        ("down they turned", {}),
        ("He turned and one two three four five six down", {}),
        ("", {}),
    ],
)
def test_phrases_are_found_as_they_stand(text, phrases):
    assert found(text) == phrases


def test_the_shipped_book_knows_its_phrases_and_is_quick():
    book = shipped_phrasebook()
    assert len(book) > 2900
    assert found("I'll call you back.", book) == {"call back": ("回电话",)}
    words = split_words(
        "It was the best of times, it was the worst of times, he said to her. " * 20
    )
    book.find(words)
    start = time.thread_time()
    book.find(words)
    assert time.thread_time() - start < 0.1


def test_two_books_are_joined_with_each_meaning_once():
    people = Phrasebook(
        [Entry(("Turn", "down"), "调低"), Entry(("my", "radio"), "收音机")], "person"
    )
    words = split_words("They turned my radio down.")
    assert join(people.find(words), BOOK.find(words)) == {
        (1, 4): (Known("调低", "person"), Known("拒绝", "book")),
        (2, 3): (Known("收音机", "person"),),
    }
    assert people.only(lambda *phrase: True).find(words) == people.find(words)


def test_a_part_of_the_book_is_chosen_by_phrase_and_sentences():
    rare = BOOK.only(lambda lemmas, sentences: sentences == 1)
    assert found("They turned it down and hit the sack", rare) == {"hit the sack": ("上床睡觉",)}
    assert rare.version != BOOK.version


def test_a_known_phrase_needs_fewer_votes_but_not_none():
    votes = {0: Vote(0.3), 1: Vote(0.0), 2: Vote(0.3)}
    assert reconcile(votes, 0.5)[0] == ()
    assert reconcile(votes, 0.5, [(0, 2)], 0.25)[0] == (0, 2)
    literal = {0: Vote(0.05), 1: Vote(0.0), 2: Vote(0.05)}
    assert reconcile(literal, 0.5, [(0, 2)], 0.25)[0] == ()


def test_the_shipped_book_is_a_table_and_the_phrases_of_labelled_sentences():
    def row(context, target, source):
        query = ask(context, target)
        sense = from_wire(query, {"class": "verb", "zh": "给", "phrase": "gave up|放弃"})
        return Example(query, sense, source)

    rows = [row("They gave up", word, "sentences") for word in ("gave", "up")]
    rows += [row("We gave it up", "gave", "sentences"), row("He gave up", "gave", "gold")]
    listed = ["give up\t交出", "calls back\t叫回", "get on\t上车", "get on\t相处"]
    lines = list(make_phrase_lines(["call back\t回电话\t3"], rows, listed))
    told = ["call back\t回电话\t3", "gave up\t放弃\t2"]
    assert lines == [*told, "get on\t上车\t0", "get on\t相处\t0"]


def test_only_phrases_seen_in_sentences_are_favoured():
    book = Phrasebook([Entry(("look", "up"), "查找", 2), Entry(("cold", "snap"), "寒潮", 0)])
    found = book.find(split_words("look it up after the cold snap"))
    assert set(found) == {(0, 2), (5, 6)} and favoured(found) == ((0, 2),)
