"""What a KD teacher takes of a run is told before it: what it says on disk as it comes to be, none
of it again where it is there, and refused where it cannot fit."""

import dataclasses
import shutil

import pytest

from engine.models import load_tokenizer
from engine.settings import read_settings
from tests.tiny_bpe import bpe_base
from tests.tiny_runs import USUAL, begin, go, rows, write_rows
from trainer import plan as planning
from trainer import run
from trainer.distil import teacher
from trainer.distil.recipe import Distil
from trainer.planning import told
from trainer.recipe import RecipeError
from trainer.splits import load_splits
from trainer.tasks import task_of


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    return begin(tmp_path_factory.mktemp("begun"))


@pytest.fixture
def home(tmp_path, begun, monkeypatch):
    base = bpe_base()
    base.model.save_pretrained(str(tmp_path / "base"))
    base.tokenizer.save_pretrained(str(tmp_path / "base"))
    for module in (run, teacher):
        monkeypatch.setattr(module, "load_base", lambda settings, quantised=False: bpe_base())
    # As the tiny base says of itself.
    monkeypatch.setattr(
        "trainer.distil.costs.find_base", lambda settings: ("", base.name, base.revision)
    )
    write_rows(tmp_path / "rows.jsonl", rows())
    shutil.copytree(begun / "teacher", tmp_path / "teacher")
    return tmp_path


def estimate(home, recipe):
    settings = read_settings({"CTX_HOME": str(home), "CTX_DTYPE": "float32"})
    splits, _ = load_splits(recipe, home, settings)
    return planning.estimate(recipe, splits, settings, home / "base", home)


def changed(**more):
    return dataclasses.replace(USUAL, distil=dataclasses.replace(USUAL.distil, **more))


def test_what_the_teacher_says_is_as_large_as_the_plan_says_and_is_not_asked_again(home):
    before, events = estimate(home, USUAL).teacher, []
    go(home, USUAL, events=events)
    (taught,) = (e for e in events if e["event"] == "taught")
    assert (before.positions, before.top) == (taught["tokens"], taught["k"])
    assert before.left_bytes == before.cache_bytes and before.seconds > 0
    assert 0 <= taught["bytes"] - before.cache_bytes < 400, "but for the files' heads"
    again = estimate(home, USUAL).teacher
    assert again.cache_bytes == before.cache_bytes and again.left_bytes == again.seconds == 0
    other = estimate(home, changed(top=4)).teacher
    assert other.left_bytes == other.cache_bytes < before.cache_bytes


def test_a_teacher_takes_memory_and_time_and_says_so(home):
    plain, taught = (
        estimate(home, dataclasses.replace(USUAL, distil=Distil())),
        estimate(home, USUAL),
    )
    assert plain.teacher is None and len(told(plain)) == 7
    assert taught.seconds == pytest.approx(plain.seconds + taught.teacher.seconds)
    assert taught.memory_gb >= plain.memory_gb
    lines = dict(line.split("\t") for line in told(taught))
    assert f"8 tokens at {taught.teacher.positions:,} positions" in lines["what the teacher says"]
    assert lines["time to ask the teacher"].endswith("of it")


def test_a_teacher_that_is_asked_at_every_step_keeps_nothing_and_takes_longer(home):
    once = estimate(home, changed()).teacher
    recipe = dataclasses.replace(changed(cached=False), steps=200)
    always = estimate(home, recipe).teacher
    assert always.cache_bytes == always.left_bytes == 0 and always.work > once.work
    lines = dict(line.split("\t") for line in told(estimate(home, recipe)))
    assert "every step" in lines["what the teacher says"]


def test_what_does_not_fit_on_the_disk_is_refused_with_its_reason(home, monkeypatch):
    found = estimate(home, USUAL)
    assert not found.refusal
    trained = planning._CHECKPOINTS * found.parameters * 12

    class Little:
        free = trained + found.teacher.cache_bytes // 2

    monkeypatch.setattr(planning.shutil, "disk_usage", lambda place: Little)
    refused = estimate(home, USUAL)
    assert refused.refusal == "cache" and "8 tokens at" in refused.detail
    assert not estimate(home, dataclasses.replace(USUAL, distil=Distil())).refusal
    assert not estimate(home, changed(cached=False)).refusal


@pytest.mark.parametrize("name", ["nobody", "present"])
def test_a_teacher_that_is_not_there_is_said_before_the_run(home, monkeypatch, name):
    monkeypatch.setattr(teacher, "readers_folder", lambda *asked: None)
    with pytest.raises(RecipeError, match=r"distil\.teacher"):
        estimate(home, changed(teacher=name))


def test_a_models_folder_counts_with_its_own_size(home):
    shutil.copytree(home / "base", home / "whole")
    assert estimate(home, changed(teacher="whole")).teacher.positions > 0
    tokens = load_tokenizer(str(home / "base"))
    assert task_of(USUAL).prompt(tokens, USUAL).tokenizer is tokens
