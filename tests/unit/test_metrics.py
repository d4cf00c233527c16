"""Scores count what a reader would: worked examples by hand."""

import pytest

from engine.calibration import Calibration
from engine.sense import ask, from_wire
from trainer.metrics import accepted, calibration_error, chrf, intervals, normal, score, summarise

CONTEXT = "I'll call Tom back on the phone"


def scored(reference, prediction, target="call"):
    query = ask(CONTEXT, target)
    senses = [
        from_wire(query, dict(zip(("class", "zh", "phrase"), row)))
        for row in (reference, prediction)
    ]
    return score(query, *senses)


def test_meanings_are_compared_after_normalising():
    assert normal("打破了") == "打破" and normal("的") == "的" and normal("在…上") == "在上"
    assert accepted("打；叫/喊") == {"打", "叫", "喊"}
    assert scored(("verb", "打、叫", ""), ("verb", "叫", "")).meaning
    assert not scored(("verb", "打", ""), ("verb", "叫", "")).meaning


@pytest.mark.parametrize(
    "want, got, hit, exact",
    [
        ("call back|回电话", "call back|回电话", True, True),
        ("call back|回电话", "call back on|回", True, False),
        ("call back on phone|回", "call back|回", True, False),
        ("call back on the phone|回", "call back on phone|回", True, True),  # articles do not count
        ("call back|回电话", "", False, False),
        ("", "call back|回电话", False, False),
        ("call back|回电话", "call Tom|打", False, False),
    ],
)
def test_phrases_are_found_by_their_members(want, got, hit, exact):
    row = scored(("verb", "打", want), ("verb", "打", got))
    assert (row.hit, row.exact) == (hit, exact)
    assert row.right == (hit if want else not got)


def test_chrf_by_hand():
    assert chrf("回电话", "回电话") == 1.0
    assert chrf("回", "打") == 0.0
    assert chrf("电话", "回电话") == pytest.approx(2 * 3 / (3 + 5))  # 电 话 电话 of 3 and 5


def test_figures_and_their_intervals():
    right = scored(("verb", "打", "call back|回电话"), ("verb", "打", "call back|回电话"))
    wrong = scored(("verb", "打", "call back|回电话"), ("noun", "叫", ""))
    figures = summarise([right, wrong, wrong, right])
    assert figures["class_accuracy"] == figures["meaning_match"] == figures["right"] == 0.5
    assert figures["phrase_precision"] == 1.0 and figures["phrase_recall"] == 0.5
    assert figures["phrase_f1"] == pytest.approx(2 / 3)
    low, high = intervals([[right, wrong]] * 4 + [[right], [wrong]])["right"]
    assert low < 0.5 < high
    assert "phrase_recall" not in summarise([scored(("verb", "打", ""), ("verb", "打", ""))])


def test_calibration():
    assert calibration_error([0.5] * 4, [True, True, False, False]) == 0.0
    assert calibration_error([1.0] * 4, [False] * 4) == 1.0
    steep = Calibration(2.0, 0.0)
    assert steep.apply(0.5) == pytest.approx(0.5) and steep.apply(0.9) > 0.9
    assert [Calibration.level(c) for c in (0.1, 0.5, 0.9)] == ["unsure", "likely", "sure"]


def test_fields_that_a_reference_does_not_know_are_not_counted():
    query = ask(CONTEXT, "call")
    reference = from_wire(query, {"class": "verb", "zh": "打", "phrase": ""})
    prediction = from_wire(query, {"class": "noun", "zh": "打", "phrase": "call back|回"})
    figures = summarise([score(query, reference, prediction, ("meaning",))])
    assert figures == {"meaning_match": 1.0}
