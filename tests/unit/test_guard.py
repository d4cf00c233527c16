"""What counts as a run getting worse, and what a checkpoint's comparison keeps."""

import math
import random

import pytest

from engine.sense import Phrase, Sense, ask
from trainer.checkpoints import Progress
from trainer.examples import Example
from trainer.guard import MOST_ROLLBACKS, Guard, interval, is_worse
from trainer.metrics import score
from trainer.recipe import RecipeError, parse_recipe
from trainer.retention import teacher_scores
from trainer.watch import choose_rows, missing, worth

GOOD, BAD = [0.9, 0.8, 1.0, 0.7] * 10, [0.2, 0.3, 0.1, 0.4] * 10


def test_an_interval_holds_the_mean_and_narrows_with_more_rows():
    low, high = interval(GOOD)
    assert low < 0.85 < high
    few_low, few_high = interval(GOOD[:4])
    assert few_high - few_low > high - low


def test_worse_is_beyond_chance():
    assert is_worse(BAD, GOOD)
    assert not is_worse(GOOD, GOOD) and not is_worse(GOOD, BAD)
    nearly = [GOOD[0] - 0.1, *GOOD[1:]]
    assert not is_worse(nearly, GOOD)


def test_one_bad_evaluation_is_not_believed_two_are():
    guard = Guard(Progress())
    assert guard.judge(1.0, GOOD) == "best"
    assert guard.judge(2.0, BAD) == "fine"
    assert guard.judge(2.0, BAD) == "worse"
    assert guard.roll_back() and guard.progress.scale == 0.5
    assert guard.judge(1.1, GOOD) == "fine", "as good as the best is not better"
    assert guard.judge(0.9, GOOD) == "best", "where rows say nothing the loss does"


def test_a_good_evaluation_between_bad_ones_counts():
    guard = Guard(Progress())
    said = [guard.judge(1.0, rows) for rows in (GOOD, BAD, GOOD, BAD, BAD)]
    assert said == ["best", "fine", "fine", "fine", "worse"]


def test_a_drop_beyond_the_bound_is_believed_at_once():
    guard = Guard(Progress(), drop=0.05)
    assert guard.judge(1.0, [0.80] * 40) == "best"
    assert guard.judge(1.0, [0.77] * 40) == "fine", "3.75 % less"
    assert guard.judge(1.0, [0.75] * 40) == "worse", "6.25 % less"
    assert Guard(Progress()).judge(1.0, [0.8] * 40) == "best"


def test_where_only_the_loss_is_watched_the_bound_is_of_the_loss():
    guard = Guard(Progress(), drop=0.05)
    assert [guard.judge(loss, ()) for loss in (1.0, 1.04, 1.06)] == ["best", "fine", "worse"]


def test_it_goes_back_twice_and_no_more():
    guard = Guard(Progress())
    assert [guard.roll_back() for _ in range(MOST_ROLLBACKS + 1)] == [True, True, False]
    assert guard.progress.scale == 0.25


def test_a_loss_that_is_no_number_or_leaps_is_seen():
    guard = Guard(Progress())
    assert guard.judge(math.nan, GOOD) == "nan" and guard.watch(math.inf) == "nan"
    for _ in range(30):
        assert guard.watch(1.0) == "fine"
    assert guard.watch(4.0) == "fine", "one leap may be one odd batch"
    assert "spike" in [guard.watch(8.0) for _ in range(5)]


def test_single_sentences_that_are_hard_are_no_leap():
    """Losses of one sentence a step as they come: most are small, one in sixteen is large."""
    draw = random.Random(1)
    losses = [draw.choice([0.2, 0.3, 0.4, 0.5, 0.6] * 3 + [4.0]) for _ in range(3000)]
    one, many = Guard(Progress(), sentences=1), Guard(Progress())
    assert "spike" in [many.watch(loss) for loss in losses]
    assert {one.watch(loss) for loss in losses} == {"fine"}
    assert "spike" in [one.watch(loss + 4.0) for loss in losses[:60]]


def test_patience_ends():
    guard = Guard(Progress(), patience=2)
    guard.judge(1.0, ())
    assert guard.is_patient()
    guard.judge(1.1, ())
    guard.judge(1.2, ())
    assert not guard.is_patient()


QUERY = ask("I call Tom back", "back")
SENSE = Sense("adverb", "回", Phrase((1, 3), "回电话"))


def test_a_rows_score_is_the_share_of_its_known_fields_that_are_right():
    assert worth(score(QUERY, SENSE, SENSE)) == 1.0
    assert worth(score(QUERY, SENSE, Sense("adverb", "后"))) == pytest.approx(1 / 3)
    assert worth(score(QUERY, SENSE, Sense("noun", "回"), ("meaning",))) == 1.0
    assert worth(missing(Example(QUERY, SENSE, "a"))) == 0.0


def test_a_teachers_answers_are_scored_by_sentence():
    rows = [Example(QUERY, SENSE, "a"), Example(ask("I call Tom back", "Tom"), SENSE, "a")]
    answers = {rows[0].query: SENSE, rows[1].query: Sense("noun", "x")}
    (found,) = teacher_scores(answers, rows)
    assert found == pytest.approx(0.5)


def test_rows_that_are_answered_are_whole_sentences_and_always_the_same():
    rows = [
        Example(ask(f"the dog {i} sat", w), SENSE, "a") for i in range(20) for w in ("dog", "sat")
    ]
    chosen = choose_rows(rows, 7, 1)
    assert chosen == choose_rows(rows, 7, 1) and len(chosen) == 8
    assert len({e.query.context for e in chosen}) == 4
    assert choose_rows(rows, 0, 1) == []


@pytest.mark.parametrize(
    "data",
    [
        {"rank": True}, {"rank": "16"}, {"rate": float("nan")}, {"matrices": "x"}, {"replay": 1.0},
        {"name": "../x"}, {"quantised": True, "matrices": "full"}, {"meaning_weight": -1.0},
        {"steps": -1}, {"batch": 0}, {"keep": "first"}, {"tracker": "os"}, {"epochs": 1e9},
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_run_names_its_field(data):
    with pytest.raises(RecipeError, match=next(iter(data))):
        parse_recipe(data)
