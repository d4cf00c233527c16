"""Templates keep the rules that they state; whatever a teacher writes is read or refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules import RULES, broken_rules
from engine.sense import CLASSES, Phrase, Query, Sense, ask, from_wire
from engine.teaching import (
    _BROKEN,
    BadAnswer,
    TemplateError,
    fill,
    load_template,
    parse_template,
    read_object,
    read_sense,
    sense_schema,
    to_question,
)

QUERY = Query("I'll call Tom back tomorrow.", 3)
GOOD = {"class": "particle", "zh": "回", "phrase": "call back|回电话"}
SENSE = Sense("particle", "回", Phrase((1, 3), "回电话"))


def text(**changes) -> str:
    return json.dumps(GOOD | changes, ensure_ascii=False)


@pytest.mark.parametrize(
    "said",
    [
        text(),
        f"```json\n{text()}\n```",
        f"Sure! Here it is: {text()} Anything else?",
        f'<think>Is it {{"class": "verb", "zh": "打"}}?</think>{text()}',
        f'{{"question": 1}} {text()}',
        text(**{"class": " Particle "}),
    ],
)
def test_an_answer_is_found_whatever_stands_around_it(said):
    assert read_sense(QUERY, said) == SENSE


@pytest.mark.parametrize(
    "said, reason",
    [
        (text(**{"class": "phrasal verb"}), "not in the list"),
        (text(zh=""), "no meaning"),
        (text(zh=None), "no meaning"),
        (text(zh="back"), "no Chinese"),
        (text(zh="回，返回"), "lists several"),
        (text(zh="回 / 返回"), "lists several"),
        (text(zh="回（电话）"), "brackets"),
        (text(zh="一二三四五六七八九"), "more than 8"),
        (text(zh=["回"]), "must be strings"),
        (text(phrase="call again|再打"), "does not stand in the context"),
        (text(phrase="call Tom|给汤姆打电话"), "does not stand in the context"),
        (text(phrase="back call|回电话"), "does not stand in the context"),
        (text(phrase="back|回"), "at least two words"),
        (text(phrase="call back"), "no meaning half"),
        (text(phrase="call back|"), "no meaning half"),
        (text(phrase="call back|phone again"), "no Chinese"),
        (text(phrase="call back|回电话；回复"), "lists several"),
        (text(zh="回电话"), "repeats the meaning"),
        ("", "no JSON object"),
        ("particle 回", "no JSON object"),
        (json.dumps([GOOD])[:-9], "no JSON object"),
        ("{" * 100_000, "no JSON object"),
        ('{"class":' + "[" * 100_000, "no JSON object"),
        ("<think>" + text(), "no JSON object"),
    ],
)  # fmt: skip
def test_what_breaks_the_rules_is_refused_with_the_reason(said, reason):
    with pytest.raises(BadAnswer, match=reason):
        read_sense(QUERY, said)


def test_only_a_name_or_a_number_may_repeat_the_word():
    query = Query("Bob ate 12.", 0)
    assert read_sense(query, '{"class":"proper noun","zh":"Bob"}').meaning == "Bob"
    assert read_sense(Query("Bob ate 12.", 2), '{"class":"numeral","zh":"12"}').meaning == "12"
    for said in ('{"class":"noun","zh":"Bob"}', '{"class":"proper noun","zh":"a name"}'):
        with pytest.raises(BadAnswer, match="no Chinese"):
            read_sense(query, said)


def test_an_article_before_a_phrase():
    query = ask("It was a piece of cake.", "cake")
    with pytest.raises(BadAnswer, match="leave it out"):
        read_sense(query, '{"class":"noun","zh":"蛋糕","phrase":"a piece of cake|小菜一碟"}')


@given(st.text() | st.builds(json.dumps, st.recursive(
    st.none() | st.text() | st.integers() | st.sampled_from(CLASSES),
    lambda some: st.lists(some) | st.dictionaries(st.sampled_from([*GOOD, "x"]), some),
)))  # fmt: skip
def test_any_text_is_read_by_the_rules_or_refused(said):
    try:
        sense = read_sense(QUERY, said)
    except BadAnswer:
        return
    assert sense.word_class in CLASSES and not broken_rules(QUERY, sense)


def test_every_rule_is_told_to_the_teacher():
    assert set(_BROKEN) == set(RULES)
    assert set(sense_schema("en-zh")["properties"]) == set(GOOD)


def test_the_examples_of_the_template_keep_the_rules_and_are_no_gold_sentences():
    template = load_template("sense-1")
    assert len(template.examples) >= 8
    for question, answer in template.examples:
        asked = json.loads(question)
        query = ask(asked["context"], asked["target"], asked["idx"])
        assert to_question(query) == question
        assert not broken_rules(query, from_wire(query, json.loads(answer)))
        assert read_sense(query, answer) == from_wire(query, json.loads(answer))
    answers = [json.loads(answer) for _, answer in template.examples]
    assert any(one["phrase"] for one in answers) and any(not one["phrase"] for one in answers)
    for word_class in CLASSES:
        assert word_class in template.system


def test_a_conversation():
    template = load_template("sense-1")
    talk = template.messages(question=to_question(QUERY))
    assert [one["role"] for one in talk[:3]] == ["system", "user", "assistant"]
    assert talk[-1] == {"role": "user", "content": to_question(QUERY)}
    answer, again = template.once_more("{}", "why {question}")
    assert answer == {"role": "assistant", "content": "{}"}
    assert "why {question}" in again["content"]


def test_what_is_filled_in_is_not_filled_again():
    assert fill("{a} {b} {c}", {"a": "{b}", "b": "x"}) == "{b} x {c}"


@pytest.mark.parametrize("name", ["", "sense", "sense-99", "../sense-1", "sense-1.md", "sense-1\n"])
def test_no_such_template(name):
    with pytest.raises(TemplateError):
        load_template(name)


@pytest.mark.parametrize("body", ["", "## system\nx", "## system\nx\n## user\ny\n## ask\n## again"])
def test_a_template_lacks_a_part(body):
    with pytest.raises(TemplateError):
        parse_template("x-1", body)


def test_an_object_is_found_by_its_key():
    assert read_object('{"a": 1} {"b": 2}', "b") == {"b": 2}
