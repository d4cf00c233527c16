"""The presets that ship with the app are recipes, and others are refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.settings import assets
from trainer.presets import list_presets
from trainer.recipe import RecipeError, load_recipe, parse_recipe


@pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: preset.name)
def test_each_preset_is_a_recipe_with_its_purpose_in_both_languages(preset):
    recipe = parse_recipe(dict(preset.recipe))
    assert recipe.sources == ()  # the dataset is chosen, not preset
    for texts in (preset.title, preset.purpose):
        assert set(texts) == {"en", "zh-CN"} and all(texts.values())


def test_there_is_one_for_each_purpose():
    found = {preset.title["en"]: dict(preset.recipe) for preset in list_presets()}
    assert list(found) == [
        "A few corrections", "A laptop tonight", "A GPU", "QLoRA small",
        "Distil: 10,000 iterations", "Distil: two cores tonight",
    ]  # fmt: skip
    assert found["A few corrections"]["start"] == found["A laptop tonight"]["start"] == "present"
    assert found["QLoRA small"]["quantised"] is True


@pytest.mark.parametrize("text", ["{", "[]", '{"title": {}}', '{"title": {}, "for": {}}'])
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str):
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(RecipeError, match=r"odd\.json"):
        list_presets(tmp_path)


def test_a_recipe_that_does_not_fit_is_named(tmp_path: Path):
    bad = {"title": {"en": "x"}, "for": {"en": "x"}, "recipe": {"rank": 0}}
    (tmp_path / "odd.json").write_text(json.dumps(bad))
    with pytest.raises(RecipeError, match=r"odd\.json: rank"):
        list_presets(tmp_path)


@pytest.mark.parametrize(
    "preset, file", [("5-distil-10000", "ten-thousand"), ("6-distil-tonight", "tonight")]
)
def test_a_preset_of_distillation_is_the_recipe_that_commands_run(preset, file):
    """But for the data, which people choose, and for how the teacher is named."""
    (mine,) = (one.recipe for one in list_presets() if one.name == preset)
    whole = load_recipe(assets() / "recipes" / "distil" / f"{file}.json")
    chosen = parse_recipe(dict(mine))
    teacher = replace(whole.distil, teacher="present")
    assert replace(whole, name=chosen.name, sources=(), distil=teacher) == chosen
    assert (assets() / "recipes" / "distil" / whole.distil.teacher).is_dir()
    assert all(source.licence and source.sha256 for source in whole.sources)


def test_the_recipe_of_ten_thousand_iterations_is_what_it_is_called():
    recipe = load_recipe(assets() / "recipes" / "distil" / "ten-thousand.json")
    assert (recipe.steps, recipe.batch, recipe.rate) == (10_000, 32, 5e-5)
    assert recipe.warmup * recipe.steps == 1000 and recipe.evaluate_every == 1000
    distil = recipe.distil
    assert (distil.temperature, distil.alpha, distil.beta) == (6.0, 0.8, 0.2)
    assert (recipe.retention, distil.least_low, distil.drop) == (0.9, 0.88, 0.05)
