"""What a run's folder notes: a run goes on as it began and no other takes its place, whatever a
kill has torn; and it goes back where its loss rises."""

import json
from dataclasses import replace

import pytest
import torch

from engine import models
from tests.unit.test_scratch_runs import SMALL, STEPS, place, write_texts
from trainer.fields import RecipeError
from trainer.scratch import watch
from trainer.scratch.begun import read_events
from trainer.scratch.run import finetune, make_tokenizer, pretrain
from trainer.scratch.scoring import told_of


@pytest.fixture
def texts(tmp_path):
    write_texts(tmp_path)
    return tmp_path


@pytest.mark.parametrize("stop_at", [None, 2])
def test_a_run_that_began_with_other_weights_is_no_run_of_these(texts, stop_at):
    pretrain(place(texts)[0])
    other = pretrain(place(texts, "other", pretrain=STEPS | {"seed": 2})[0])
    made = finetune(place(texts, stop_at=stop_at)[0])
    assert (made is None) == bool(stop_at)
    with pytest.raises(RecipeError, match="began with other weights") as error:
        finetune(place(texts)[0], str(other))
    assert error.value.code == "other_run"
    again = finetune(place(texts)[0], str(texts / "run" / "pretrain" / "model"))
    assert again == texts / "run" / "finetune" / "model", "the same weights by another name"


def test_a_torn_line_of_the_log_costs_itself_only(texts):
    assert finetune(place(texts, stop_at=2)[0], "random") is None
    folder = texts / "run" / "random"
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"event": "step", "st')
    assert finetune(place(texts)[0], "random")
    assert [one["step"] for one in read_events(folder) if one["event"] == "resumed"] == [2]
    assert told_of(folder).best is not None


def test_a_recipe_that_was_torn_before_a_step_is_written_anew(texts):
    folder = texts / "run" / "random"
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text('{"name": "ti')
    assert finetune(place(texts, stop_at=4)[0], "random") is None
    whole = (folder / "recipe.json").read_text()
    (folder / "recipe.json").write_text(whole[:40])
    with pytest.raises(RecipeError, match="Expecting"):
        finetune(place(texts)[0], "random")
    (folder / "recipe.json").write_text(whole)
    assert finetune(place(texts)[0], "random")


def test_a_run_goes_on_in_its_numbers_on_another_processor(texts, monkeypatch):
    units, computes = ["avx512_bf16", "", ""], []
    monkeypatch.setattr(models, "_probe_device", lambda: ("cpu", "no GPU found"))
    monkeypatch.setattr(models, "_bfloat16_units", lambda: units.pop(0))
    monkeypatch.setattr(watch, "dev_loss", lambda *asked: computes.append(asked[2]) or 1.0)
    for stop_at in (4, None):
        one, events = place(texts, stop_at=stop_at)
        finetune(replace(one, settings=replace(one.settings, dtype="auto")), "random")
        plan = next(event for event in events if event["event"] == "plan")
        assert plan["dtype"] == "bfloat16" and {*computes} == {torch.bfloat16}
    assert len(units) == 2 and plan["reason"] == "in bfloat16, as the run began"


@pytest.mark.parametrize("phase", ["pretrain", "finetune"])
def test_a_run_whose_loss_rises_goes_back_where_no_sentences_are_watched(texts, phase, monkeypatch):
    losses = iter([3.0, 2.0, 2.2, 1.9])
    monkeypatch.setattr(watch, "dev_loss", lambda *_: next(losses))
    steps = STEPS | {"steps": 9, "guard_rows": 0}
    one, events = place(texts, **{phase: steps})
    pretrain(one) if phase == "pretrain" else finetune(one, "random")
    (back,) = [event for event in events if event["event"] == "rollback"]
    assert (back["step"], back["to_step"], back["reason"]) == (6, 3, "worse")
    assert back["rate"] == STEPS["rate"] / 2


@pytest.mark.parametrize("phase", ["pretrain", "finetune"])
def test_a_model_without_room_for_a_line_is_refused(texts, phase):
    one, events = place(texts, model=SMALL | {"positions": 6})
    make_tokenizer(one)
    with pytest.raises(RecipeError, match="positions = 6") as error:
        pretrain(one) if phase == "pretrain" else finetune(one, "random")
    assert error.value.code == "few_positions"
    assert not [event for event in events if event["event"] == "plan"]


def test_a_stored_recipe_with_sentences_for_pre_training_is_still_read(texts):
    """A stored recipe may say how many sentences pre-training translates: it translates none."""
    one, _ = place(texts)
    pretrain(one)
    file = texts / "run" / "pretrain" / "recipe.json"
    told = json.loads(file.read_text())
    assert "guard_rows" not in told["pretrain"] and "guard_rows" in told["finetune"]
    told["pretrain"]["guard_rows"] = 7
    file.write_text(json.dumps(told))
    again, events = place(texts)
    assert pretrain(again) and not events
