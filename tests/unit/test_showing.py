"""Sentences that a teacher writes: what shows a word or phrase, and what is no sentence."""

from __future__ import annotations

import json

import pytest

from engine.showing import (
    MOST_SENTENCES,
    Show,
    find_shown,
    look_at,
    read_sentences,
    read_translation,
)
from engine.teaching import BadAnswer, load_template


@pytest.mark.parametrize(
    "text, sentence, members",
    [
        ("bank", "We sat on the muddy bank.", (5,)),
        ("bank", "Two banks failed.", (1,)),
        ("give up", "He gave it up.", (1, 3)),
        ("break the ice", "Her joke broke the ice.", (2, 3, 4)),
        ("make up one's mind", "She made up her mind.", (1, 2, 4)),
        ("turn down", "They turned the lamp down and turned down the offer.", (6, 7)),
        ("someone", "Ask someone else.", (1,)),
        ("give up", "Up he gave.", ()),
        ("give up", "He gave the boy a very big and rather old red book up.", ()),
        ("bank", "The banker slept.", ()),
        ("", "Nothing is asked.", ()),
    ],
)
def test_where_a_word_or_phrase_is_shown(text, sentence, members):
    assert find_shown(text, sentence.rstrip(".").split()) == members


@pytest.mark.parametrize(
    "sentence, reason",
    [
        ("We sat on the bank 河岸.", "Chinese"),
        ("Bank.", "3 to 40 words"),
        ("The bank " + "very " * 60 + "closed.", "3 to 40 words"),
        ("We sat on the bank. Then we left.", "more than one sentence"),
        ("We sat on the shore.", "does not show 'bank'"),
        ("We sat\x00 on the bank.", "control characters"),
        ("", "empty"),
    ],
)
def test_what_cannot_be_used(sentence, reason):
    written = look_at(Show("bank"), sentence)
    assert reason in written.reason and not written.members and written.text == sentence


def test_sentences_are_read_good_and_bad_each_once():
    good = "  We sat on\nthe bank. "
    text = json.dumps({"sentences": [good, "No river here.", good]})
    first, second = read_sentences(Show("bank"), f"Here: {text}")
    assert (first.text, first.members) == ("We sat on the bank.", (4,))
    assert second.reason and not second.members
    many = json.dumps({"sentences": [f"The bank has {n} doors." for n in range(99)]})
    assert len(read_sentences(Show("bank"), many)) == MOST_SENTENCES


@pytest.mark.parametrize(
    "text", ["", "{}", '{"sentences": "x"}', '{"sentences": [1]}', '{"sentences": []}',
             '{"sentences": ["No river here."]}']
)  # fmt: skip
def test_where_no_sentence_is_good(text):
    with pytest.raises(BadAnswer):
        read_sentences(Show("bank"), text)


def test_a_translation():
    text = '{"translation": " 我们 坐在\\n河岸上。"}'
    assert read_translation("We sat on the bank.", text) == "我们 坐在 河岸上。"
    for bad in ("{}", '{"translation": 1}', '{"translation": " "}', '{"translation": "Wir"}',
                json.dumps({"translation": "岸" * 200})):  # fmt: skip
        with pytest.raises(BadAnswer):
            read_translation("We sat on the bank.", bad)


def test_the_examples_of_the_templates_are_good():
    template = load_template("sentences-1")
    for question, answer in template.examples:
        show = Show(**json.loads(question))
        assert show.question() == question
        written = read_sentences(show, answer)
        assert len(written) == show.count and all(one.members for one in written)
    assert any(json.loads(question)["literal"] for question, _ in template.examples)
    for question, answer in load_template("translation-1").examples:
        assert read_translation(json.loads(question)["context"], answer)
