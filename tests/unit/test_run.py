"""A run from its recipe on a tiny model: it can go on from another recipe's adapter."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from engine.checking import WEIGHTS
from engine.settings import read_settings
from tests.tiny import tiny_base
from trainer import run
from trainer.recipe import Recipe, RecipeError, Source, load_recipe, save_recipe
from trainer.run import run_recipe, run_start
from trainer.splits import load_splits

NAMES = ("Tom", "Ann", "him", "her", "them", "us", "me", "you", "it", "Bob", "Sue", "Kim")


@pytest.fixture
def home(tmp_path, monkeypatch):
    rows = [
        {"context": f"I call {a} and {b}", "target": "call", "idx": 1, "class": "verb",
         "zh": "打电话", "phrase": ""}
        for a in NAMES for b in NAMES
    ]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    rows = (Source("rows", "rows.jsonl"),)
    first = Recipe(sources=rows, rank=4, alpha=8, rate=5e-3, epochs=1, guard_rows=0)
    save_recipe(first, tmp_path / "first.json")
    save_recipe(replace(first, start="first.json", rate=1e-12), tmp_path / "recipe.json")
    save_recipe(replace(first, start="first.json", rank=2), tmp_path / "other.json")
    save_recipe(replace(first, start="recipe.json", rate=1e-12), tmp_path / "third.json")
    save_recipe(replace(first, start="ring.json"), tmp_path / "ring.json")

    monkeypatch.setattr(run, "load_base", lambda settings, quantised=False: tiny_base())
    return tmp_path


def start_of(home, name, stopped=lambda: False):
    recipe, settings = load_recipe(home / name), read_settings({"CTX_HOME": str(home)})
    folder = home / "run" / "start"
    return recipe, settings, run_start(recipe, home, folder, settings, lambda e: None, stopped)


def test_a_run_goes_on_from_the_adapter_of_its_start(home):
    recipe, settings, start = start_of(home, "recipe.json")
    begun = load_file(start / WEIGHTS)
    assert any(tensor.any() for name, tensor in begun.items() if "lora_B" in name)
    splits, data = load_splits(recipe, home, settings)
    adapter = run_recipe(
        recipe, splits, data, home / "run", settings, lambda e: None,
        finish=lambda *_: None, start=start,
    )  # fmt: skip
    ended = load_file(adapter / WEIGHTS)
    for name, tensor in begun.items():
        torch.testing.assert_close(ended[name], tensor, msg=name)


def test_a_start_that_is_done_is_not_run_again_and_a_stopped_one_gives_nothing(home):
    assert start_of(home, "recipe.json", stopped=lambda: True)[2] is None
    _, _, start = start_of(home, "recipe.json")
    before = (start / WEIGHTS).stat().st_mtime_ns
    assert start_of(home, "recipe.json")[2] == start
    assert (start / WEIGHTS).stat().st_mtime_ns == before


def test_a_start_with_other_matrices_is_refused(home):
    with pytest.raises(RecipeError, match="start"):
        start_of(home, "other.json")


def test_a_start_may_have_a_start_of_its_own(home):
    _, _, start = start_of(home, "third.json")
    first = home / "run" / "start" / "start" / "adapter"
    begun = load_file(first / WEIGHTS)
    for name, tensor in load_file(start / WEIGHTS).items():
        torch.testing.assert_close(tensor, begun[name], msg=name)


def test_recipes_that_start_from_each_other_are_refused(home):
    with pytest.raises(RecipeError, match="itself"):
        start_of(home, "ring.json")


def test_a_tracker_is_told_what_the_log_is_told(home):
    recipe = replace(load_recipe(home / "first.json"), tracker="tensorboard")
    settings = read_settings({"CTX_HOME": str(home)})
    splits, data = load_splits(recipe, home, settings)
    folder = home / "run"
    run_recipe(
        recipe, splits, data, folder, settings, lambda e: None, finish=lambda *_: None
    )  # fmt: skip
    lines = [json.loads(line) for line in (folder / run.LOG).read_text().splitlines()]
    losses = {line["step"]: line["loss"] for line in lines if line.get("event") == "step"}
    (events,) = folder.rglob("events.out.tfevents.*")
    told = EventAccumulator(str(events)).Reload().Scalars("loss")
    assert {one.step: one.value for one in told} == pytest.approx(losses)
