"""The gate of smaller forms: what keeps its figures passes, what loses one does not."""

import pytest

from engine.sense import Phrase, Sense, ask
from trainer.distil.quality import LEAST, compare
from trainer.examples import Example

SENTENCES = [f"They will call {name} back." for name in "abcdefghijklmnopqrst"]
SPLIT = Sense("verb", "打电话", Phrase((2, 4), "回电话"))
PLAIN = Sense("verb", "叫", None)


def rows() -> list[Example]:
    """Each sentence with a word of a phrase and one of none."""
    return [
        Example(ask(context, target), sense, "test")
        for context in SENTENCES
        for target, sense in (("call", SPLIT), ("They", PLAIN))
    ]


def answers(wrong: int = 0, invented: int = 0, answer: Sense = PLAIN) -> list[Sense]:
    """Right ones, but for `wrong` phrases not found and `invented` ones."""
    given: list[Sense] = []
    for number in range(len(SENTENCES)):
        given.append(answer if number < wrong else SPLIT)
        given.append(Sense("verb", "叫", Phrase((0, 1), "他们")) if number < invented else PLAIN)
    return given


def test_the_same_answers_pass():
    found = compare(rows(), answers(), answers())
    assert found.fit and found.reason == "" and found.kept == 1.0
    assert (found.rows, found.sentences) == (40, 20)
    assert found.shares["phrase_f1"] == {"value": 1.0, "interval": [1.0, 1.0]}
    assert found.figures["right"]["n"] == 40 and "ms" not in found.figures


def test_a_figure_that_falls_below_the_gate_is_named():
    found = compare(rows(), answers(), answers(wrong=6))
    assert not found.fit
    assert found.shares["phrase_f1"]["value"] < LEAST
    assert "phrase_f1 keeps 0.824" in found.reason and "of 1.000" in found.reason
    assert "class_accuracy" not in found.reason
    assert found.kept == min(found.shares[n]["value"] for n in found.shares if "precision" not in n)


def test_the_lower_end_counts_too():
    """0.9 and more of the phrases are kept, but 20 sentences cannot show that it is 0.88."""
    found = compare(rows(), answers(), answers(wrong=2))
    assert found.shares["phrase_f1"]["value"] > LEAST
    assert found.shares["phrase_f1"]["interval"][0] < 0.88
    assert "phrase_f1 keeps 0.947" in found.reason


def test_more_errors_do_not_pass():
    few, more = answers(invented=10), answers(invented=12)
    assert compare(rows(), few, answers(invented=11)).reason == ""
    found = compare(rows(), few, more)
    assert "phrase_where_not grows from 0.500 to 0.600" in found.reason


def test_errors_where_there_were_none_do_not_pass():
    assert "phrase_where_not grows from 0.000" in compare(rows(), answers(), answers(0, 3)).reason


def test_a_better_one_passes():
    assert compare(rows(), answers(wrong=6), answers()).fit


def test_without_rows_the_gate_is_closed():
    found = compare([], [], [])
    assert not found.fit and found.reason and found.kept == 0


def test_another_number_of_answers_is_no_comparison():
    with pytest.raises(ValueError):
        compare(rows(), answers(), answers()[:-1])
