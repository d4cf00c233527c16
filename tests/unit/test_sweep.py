"""The published table repeated, on a tiny model: same rows for all, results kept."""

import json

import pytest

from engine.settings import read_settings
from tests.tiny import tiny_base
from trainer import run
from trainer.recipe import RecipeError
from trainer.splits import load_splits
from trainer.sweep import (
    HELD_OUT,
    PUBLISHED,
    TEACHER,
    divide,
    find_rows,
    page,
    run_sweep,
    sweep_recipe,
    trained,
)

NAMES = ("Tom", "Ann", "him", "her", "them", "us", "me", "you", "it", "Bob", "Sue", "Kim")


def wire(a, b):
    asked = {"context": f"I call {a} and {b}", "target": "call", "idx": 1}
    answer = {"class": "verb", "zh": "打电话", "phrase": ""}
    return json.dumps({"prompt": json.dumps(asked), "response": json.dumps(answer)})


@pytest.fixture
def settings(tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    (data / TEACHER).write_text("\n".join(wire(a, b) for a in NAMES for b in NAMES))

    monkeypatch.setattr(run, "load_base", lambda settings, quantised=False: tiny_base())
    return read_settings({"CTX_HOME": str(tmp_path), "CTX_DATA": str(data)})


def sweep(settings, told=lambda event: None, stopped=lambda: False, rows=40):
    folder = settings.home / "sweep"
    return run_sweep(folder, settings, told, stopped, rows=rows, steps=3, held_out=6)


def test_each_choice_is_trained_and_scored_on_the_same_rows(settings):
    done = sweep(settings)
    assert (done.source, done.rows, done.steps, done.held_out) == ("teacher", 40, 3, 6)
    assert [o.matrices for o in done.outcomes] == list(PUBLISHED)
    assert all(o.rows == 6 and o.loss > 0 and o.seconds > 0 for o in done.outcomes)
    counts = [o.parameters for o in done.outcomes]
    assert counts == sorted(counts) and counts[0] < counts[-1]
    assert all(f"{figure:.4f}" in page(done) for figure in PUBLISHED.values())


def test_a_sweep_goes_on_where_it_was_stopped(settings):
    told = []
    assert sweep(settings, stopped=lambda: True) is None
    first = sweep(settings)
    again = sweep(settings, told.append)
    assert again == first and not told, "what is done is not run again"
    sweep(settings, told.append, rows=41)
    assert told, "another sweep is another run"


def test_no_run_looks_at_the_rows_that_are_held_out(settings):
    source = find_rows(settings)
    splits, _ = load_splits(sweep_recipe(source, "q,v", 3), settings.home, settings)
    few = divide(splits, 30, 6, seed=1)
    seen = {e.query.context for e in few["train"] + few["dev"]}
    assert len(few["train"]) == 30 and len(few["test"]) == 6 and few["dev"]
    assert not seen & {e.query.context for e in few["test"]}
    assert divide(splits, 30, 6, seed=1) == few
    with pytest.raises(RecipeError):
        divide(splits, 30, 0, seed=1)
    assert len(divide(splits, 0, HELD_OUT, seed=1)["train"]) == len(splits["train"])


def test_without_the_teachers_rows_the_projects_own_are_taken(tmp_path):
    assert find_rows(read_settings({"CTX_HOME": str(tmp_path)})).name == "gold"


def test_a_step_that_was_taken_again_counts_once():
    def step(number, speed):
        return {"event": "step", "step": number, "rows_per_second": speed}

    events = [step(1, 16.0), step(2, 8.0), {"event": "resumed", "step": 1}, step(2, 4.0)]
    assert trained(events, 16) == (2, 1.0 + 4.0)
    assert trained([], 16) == (0, 0.0)
