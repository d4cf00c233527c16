"""The gate of a student: what it asks for, what it says, and that nothing gets round it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from engine.checking import CARD
from trainer.distil.gate import FAILED, OTHER_BASE, held, note, share_interval, verdict
from trainer.distil.recipe import Distil
from trainer.recipe import Recipe

GOOD = [1.0, 0.8, 0.9, 0.7] * 50


def asked(mine, theirs=GOOD, least=0.9, low=0.88):
    return held("teacher", mine, theirs, len(mine), least, low)


def run(folder, **distil):
    recipe = Recipe(distil=Distil(teacher="present", **distil))
    return SimpleNamespace(folder=folder, recipe=recipe)


def test_the_teacher_itself_holds_all_and_passes():
    found = asked(GOOD)
    assert (found.kept, found.low, found.high) == (1.0, 1.0, 1.0) and found.passed


def test_too_small_a_share_fails():
    found = asked([x * 0.89 for x in GOOD])
    assert found.kept == pytest.approx(0.89) and not found.passed


def test_a_share_that_chance_explains_fails_on_its_lower_end():
    few = [1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9]
    found = asked(few, [1.0] * len(few))
    assert found.kept > 0.88 and found.low < 0.88 and not found.passed
    many = asked([x * 0.92 for x in GOOD])
    assert many.low >= 0.88 and many.passed


def test_without_sentences_nothing_is_shown_and_the_gate_is_closed():
    assert not asked((), ()).passed


def test_the_interval_holds_the_share_and_draws_sentences_with_both_scores():
    mine = [x * 0.9 for x in GOOD]
    low, high = share_interval(mine, GOOD)
    assert low == pytest.approx(0.9) == high, "the share is the same in every sentence"
    low, high = share_interval([*mine[:100], *GOOD[100:]], GOOD)
    assert low < 0.95 < high


def test_what_a_card_says(tmp_path):
    bad, good = asked([x * 0.5 for x in GOOD]), asked(GOOD)
    assert verdict(bad, run(tmp_path), False)["reason"] == FAILED
    assert verdict(good, run(tmp_path), False) == verdict(good, run(tmp_path), False) | {
        "fit": True, "reason": "",
    }  # fmt: skip
    assert verdict(good, run(tmp_path, cut_vocabulary=True), False)["reason"] == OTHER_BASE
    assert verdict(good, run(tmp_path), True)["reason"] == OTHER_BASE
    (tmp_path / CARD).write_text('{"name": "x"}')
    note(run(tmp_path), verdict(bad, run(tmp_path), False))
    card = json.loads((tmp_path / CARD).read_text())
    assert card["name"] == "x" and card["fit"] is False and card["gate"]["passed"] is False
