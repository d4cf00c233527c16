"""What a card and a table of tries say, and which phrases training never sees."""

import dataclasses

import pytest

from engine.passage import split_words
from engine.phrasebook import digest
from engine.phrases import Vote
from engine.sense import Answer, Sense, ask
from tests.tiny import tiny_prompt
from tests.unit.test_training import example
from trainer.card import failures, scores_page
from trainer.evaluate import Evaluation, Voted, calibrate_phrases, phrase_f1
from trainer.metrics import score
from trainer.recipe import Recipe, RecipeError, Source, stated
from trainer.run import make_order
from trainer.splits import _split
from trainer.tries import changed, is_done, page, table
from trainer.unknown import has_unknown, in_unknown, known_phrases, unknown_phrases

RECIPE = Recipe(sources=(Source("gold", "a", times=2), Source("other", "b")))


def evaluation(answers):
    examples = [example(f"the dog {i}", "dog", "noun", "狗") for i in range(len(answers))]
    senses = [Sense("noun", meaning) for meaning in answers]
    scored = tuple(score(e.query, e.sense, s) for e, s in zip(examples, senses))
    return Evaluation(tuple(examples), tuple(map(Answer, senses)), scored)


def test_failures_are_wrong_ones_and_always_the_same():
    found = failures(evaluation(["狗", "人"] * 50))
    assert len(found) == 20 and found == failures(evaluation(["狗", "人"] * 50))
    assert all(row["answered"]["zh"] == "人" and row["expected"]["zh"] == "狗" for row in found)
    assert failures(evaluation(["狗"])) == []


def test_the_page_of_scores_says_n_intervals_and_failures():
    asked = evaluation(["狗", "人"])
    level = {"share": 1.0, "right": 0.5}
    report = {"error_before": 0.25, "error_after": 0.125, "levels": {"likely": level}}
    page = scores_page({
        "name": "mine", "scores": {"test gold": asked.figures()}, "failures": failures(asked),
        "calibration_on_test": report,
    })  # fmt: skip
    assert "n = 2 rows, 2 sentences" in page
    assert "| meaning_match | 0.500 | 0.000 to 1.000 |" in page
    assert "| the dog 1 | dog | noun · 狗 | noun · 人 |" in page
    assert "| likely | 1.00 | 0.50 |" in page


def test_a_phrase_kept_out_is_in_no_training_row_meant_or_literal():
    assert 100 < len(unknown_phrases()) < 200
    assert len(known_phrases()) > 2700
    lemmas = next(iter(sorted(unknown_phrases()._counts)))
    context = f"They say {' '.join(lemmas)} here"
    assert has_unknown(context) and not known_phrases().find(split_words(" ".join(lemmas)))
    assert _split(context, "en-zh") in ("unknown", "dev", "test")
    assert in_unknown(ask(context, lemmas[0])) and not in_unknown(ask(context, "They"))
    assert not has_unknown("They give up")


def test_each_source_comes_as_often_as_it_says_and_none_does_where_it_is_only_scored():
    rows = [
        dataclasses.replace(example(f"the dog {name} {i}", "dog", "noun", "狗"), source=name)
        for name in ("gold", "other")
        for i in range(10)
    ]
    prompt = tiny_prompt()

    def packs(**changes):
        return make_order(changed(RECIPE, changes), rows, prompt).packs_of(0)

    assert len(packs()) == 30
    assert len(packs(without=["gold"])) == 10
    half = packs(share=0.5, without=["other"])
    assert len(half) == 2 * len({pack.prefix for pack in half}) > 0
    assert half == packs(share=0.5, without=["other"])


@pytest.mark.parametrize(
    "changes",
    [{"without": ["nothing"]}, {"rank": 0}, {"share": 2.0}, {"colour": 1}, {"sources": []}],
)
def test_a_try_that_cannot_be_is_refused(changes):
    with pytest.raises(RecipeError):
        changed(RECIPE, changes)


def test_a_try_is_done_for_its_own_recipe_only():
    found = {"recipe": digest(stated(RECIPE)), "rows": 10, "scores": {}}
    assert is_done(found, RECIPE)
    assert not is_done(found, changed(RECIPE, {"rank": 2}))
    assert not is_done(None, RECIPE)
    assert "| all | 10 |" in page("sources", {"all": found})


def test_tries_stand_side_by_side():
    tried = {"all": {"rows": 10, "scores": {"gold": {"dev_loss": 3.0, "meaning": 0.5}}}}
    first, _, row = table(tried).splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[first.strip("|").split("|").index(" meaning ")] == "0.500"
    assert cells[:2] == ["all", "10"] and "" in cells


def voted(probability, wanted):
    """Two words that agree on one phrase, with that probability each."""
    context = "they dozed off"
    phrase = "dozed off|打瞌睡" if wanted else ""
    asked = tuple(
        example(context, target, word_class, "睡", phrase)
        for target, word_class in (("dozed", "verb"), ("off", "particle"))
    )
    votes = {i: Vote(probability, (1, 2)) for i in (1, 2)} | {0: Vote(0.0)}
    return Voted(0, votes, {}, asked)


def test_the_threshold_parts_phrases_from_others():
    likely = [voted(0.7, True), voted(0.4, False)]
    unlikely = [voted(0.3, True), voted(0.15, False)]
    assert phrase_f1(likely, 0.5, 0.0) == 1.0
    assert phrase_f1(likely, 0.35, 0.0) == pytest.approx(2 / 3)
    assert phrase_f1(likely, 0.9, 0.0) == 0.0
    assert 0.4 < calibrate_phrases([likely])[0] <= 0.7
    assert 0.15 < calibrate_phrases([unlikely])[0] <= 0.3
    assert 0.15 < calibrate_phrases([likely, unlikely])[0] <= 0.3


def test_a_large_set_does_not_outweigh_a_small_one():
    many = 9 * [voted(0.7, True), voted(0.4, False)]
    few = [voted(0.3, True)]
    assert calibrate_phrases([many])[0] > 0.4
    assert calibrate_phrases([many, few])[0] <= 0.3
