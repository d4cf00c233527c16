"""The presets that ship with the app are recipes, and others are refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.presets import list_presets
from trainer.recipe import RecipeError, parse_recipe


@pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: preset.name)
def test_each_preset_is_a_recipe_with_its_purpose_in_both_languages(preset):
    recipe = parse_recipe(dict(preset.recipe))
    assert recipe.sources == ()  # the dataset is chosen, not preset
    for texts in (preset.title, preset.purpose):
        assert set(texts) == {"en", "zh-CN"} and all(texts.values())


def test_there_is_one_for_each_purpose():
    found = {preset.title["en"]: dict(preset.recipe) for preset in list_presets()}
    assert list(found) == ["A few corrections", "A laptop tonight", "A GPU", "QLoRA small"]
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
