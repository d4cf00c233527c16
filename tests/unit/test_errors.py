"""Kinds of error, counted by what a reference knows; and how a run's figures change."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from engine.books import Books
from engine.sense import Phrase, Sense, ask
from trainer import watch
from trainer.evaluation.errors import KINDS, Judged, analyse, form_of, joined, kinds_of
from trainer.examples import Example
from trainer.free import Written
from trainer.history import changes, read_history, trend
from trainer.metrics import ALL_FIELDS, score
from trainer.recipe import WIRE
from trainer.watch import missing

QUERY = ask("I call Tom back at once", "back")
RIGHT = Sense("adverb", "回", Phrase((1, 3), "回电话"))
PLAIN = Sense("adverb", "回")


def judged(answer, reference=RIGHT, known=ALL_FIELDS, **more):
    scored = (
        score(QUERY, reference, answer, known)
        if answer
        else missing(Example(QUERY, reference, "a", fields=known))
    )
    return Judged(QUERY, reference, answer, scored, **more)


@pytest.mark.parametrize(
    "answer, reference, kinds",
    [
        (RIGHT, RIGHT, ()),
        (Sense("noun", "回", RIGHT.phrase), RIGHT, ("wrong_class",)),
        (Sense("adverb", "后", RIGHT.phrase), RIGHT, ("wrong_sense",)),
        (PLAIN, RIGHT, ("missed_phrase",)),
        (RIGHT, PLAIN, ("invented_phrase",)),
        (Sense("adverb", "回", Phrase((1, 3, 4), "回")), RIGHT, ("wrong_members",)),
        (Sense("adverb", "", RIGHT.phrase), RIGHT, ("empty",)),
        (None, RIGHT, ("no_answer",)),
        (Sense("noun", "后"), RIGHT, ("wrong_class", "wrong_sense", "missed_phrase")),
    ],
)
def test_each_kind_is_told(answer, reference, kinds):
    assert kinds_of(judged(answer, reference)) == kinds


def test_what_a_reference_does_not_know_is_no_error():
    assert kinds_of(judged(Sense("noun", "后"), known=("class",))) == ("wrong_class",)
    assert kinds_of(judged(Sense("noun", "后"), known=("phrase",))) == ("missed_phrase",)


def test_what_is_written_freely_may_not_end_or_end_and_be_no_answer():
    assert form_of(judged(None, text="adverb|回 and so on", ran_on=True)) == ("text_after",)
    assert form_of(judged(None, text="it means 回")) == ("unreadable",)
    assert form_of(judged(Sense("noun", "后"))) == (), "what it says is judged elsewhere"


def test_they_are_counted_with_a_few_examples_each():
    found = analyse([judged(PLAIN)] * 5 + [judged(RIGHT)] * 2)
    assert found["rows"] == 7 and set(found["counts"]) == set(KINDS)
    assert found["counts"]["missed_phrase"] == 5 and sum(found["counts"].values()) == 5
    assert len(found["examples"]["missed_phrase"]) == 3
    assert found["examples"]["missed_phrase"][0] == {
        "context": QUERY.context, "target": "back",
        "expected": "adverb · 回 · call back = 回电话", "answered": "adverb · 回",
    }  # fmt: skip
    written = [judged(None, text="x", ran_on=True), judged(None, text="y"), judged(PLAIN)]
    both = joined(found, analyse(written, form_of))
    assert (both["rows"], both["written"]) == (7, 3)
    assert both["counts"]["missed_phrase"] == 5, "each row counts once"
    assert (both["counts"]["text_after"], both["counts"]["unreadable"]) == (1, 1)
    assert both["examples"]["unreadable"][0]["answered"] == "y"


def test_an_evaluation_says_of_how_many_rows_its_kinds_of_error_are(monkeypatch):
    """Answers in JSON are written freely, and so is what shows the form: nothing counts twice."""
    written = [
        Written("adverb|回", 3, True, PLAIN),
        Written("it means 回", 3, True, None),
        Written("and so on and", 32, False, None),
    ]
    monkeypatch.setattr(watch, "write_freely", lambda *_: written)
    monkeypatch.setattr(watch, "dev_scores", lambda *_: {"dev_loss": 1.0})
    rows, prompt = [Example(QUERY, RIGHT, "a")] * 3, SimpleNamespace(style=WIRE)
    look = watch.Watch((), rows, prompt, Books(), 0.5, 0.0, torch.float32)
    found = look(torch.nn.Linear(1, 1))
    assert (found.figures["valid"], found.figures["ended"]) == (1 / 3, 2 / 3)
    assert found.figures["written"] == found.errors["written"] == found.errors["rows"] == 3
    counts = {kind: count for kind, count in found.errors["counts"].items() if count}
    assert counts == {"missed_phrase": 1, "no_answer": 2, "text_after": 1, "unreadable": 1}


def test_figures_stand_beside_the_previous_and_the_best():
    scores = [0.5, 0.7, 0.6, 0.65]
    history = read_history(
        {"event": "dev", "step": n, "score": one, "dev_loss": 1 - one}
        for n, one in enumerate(scores)
    )
    told = [(one.previous, one.best) for one in changes(history, "score")]
    assert told[0] == (None, None)
    assert told[2] == (pytest.approx(-0.1), pytest.approx(-0.1))
    assert told[3] == (pytest.approx(0.05), pytest.approx(-0.05))
    loss = changes(history, "dev_loss", lower_is_better=True)
    assert loss[3].best == pytest.approx(0.05)
    assert trend(history, "score") == pytest.approx(0.035)
    assert trend(read_history([]), "score") is None
