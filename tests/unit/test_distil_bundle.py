"""A bundle takes the KD teacher along, where what comes back can be taken in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.checking import read_adapter
from engine.settings import Settings, assets
from tests.small_rows import few_rows
from tests.tiny_runs import write_rows
from trainer.bundle import BundleError, make_bundle
from trainer.distil.recipe import Distil
from trainer.recipe import Recipe, Source, load_recipe, save_recipe

SHIPPED = assets() / "adapters" / "en-zh-sense"


def bundled(folder: Path, distil: Distil) -> Path:
    (folder / "rows.jsonl").write_text(few_rows(4), encoding="utf-8")
    recipe = replace(Recipe(), sources=(Source("rows", "rows.jsonl"),), distil=distil)
    save_recipe(recipe, folder / "recipe.json")
    make_bundle(folder / "recipe.json", folder / "bundle", Settings(home=folder / "home"))
    return folder / "bundle"


@pytest.mark.parametrize("name", ["present", str(SHIPPED)])
def test_the_teacher_is_in_the_bundle(tmp_path, name):
    made = bundled(tmp_path, Distil(teacher=name))
    recipe = load_recipe(made / "recipe.json")
    assert recipe.distil.teacher == "teacher"
    assert read_adapter(made / "teacher").version == read_adapter(SHIPPED).version
    assert str(assets()) not in json.dumps((made / "recipe.json").read_text())


def test_the_teacher_that_readers_have_is_that_of_the_pair_and_task(tmp_path):
    write_rows(tmp_path / "rows.jsonl", [{"en": "They sleep.", "es": "Duermen."}])
    recipe = replace(
        Recipe(), pair="en-es", task="translation", style="long", distil=Distil(teacher="present"),
        sources=(Source("rows", "rows.jsonl", "pairs"),),
    )  # fmt: skip
    save_recipe(recipe, tmp_path / "recipe.json")
    make_bundle(tmp_path / "recipe.json", tmp_path / "bundle", Settings(home=tmp_path / "home"))
    teacher = read_adapter(tmp_path / "bundle" / "teacher").card
    assert (teacher.pair, teacher.task) == ("en-es", "translation")


def test_the_base_needs_nothing(tmp_path):
    made = bundled(tmp_path, Distil(teacher="base"))
    assert load_recipe(made / "recipe.json").distil.teacher == "base"


@pytest.mark.parametrize(
    "distil, why",
    [
        (Distil(teacher="present", layers_out=1), "cannot be taken back"),
        (Distil(teacher="nobody"), "only an adapter"),
    ],
)
def test_what_could_not_come_back_or_is_not_there_is_refused(tmp_path, distil, why):
    with pytest.raises(BundleError, match=why):
        bundled(tmp_path, distil)
    assert not (tmp_path / "bundle").exists()
