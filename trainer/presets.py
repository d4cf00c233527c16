"""Presets: recipes named by what they are for. A file in assets/recipes states a title, a purpose
and the fields that differ. Knows no screen; loads no model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.settings import assets
from trainer.recipe import RecipeError, parse_recipe


@dataclass(frozen=True)
class Preset:
    """A recipe to begin with. `title` and `purpose` by language; `recipe`: the fields that differ
    from a recipe as it is anyway."""

    name: str
    title: Mapping[str, str]
    purpose: Mapping[str, str]
    recipe: Mapping[str, Any]


def list_presets(folder: Path | None = None) -> tuple[Preset, ...]:
    """The presets that ship with the app, in the order of their files' names; RecipeError names a
    file that is none."""
    files = sorted((folder or assets() / "recipes").glob("*.json"))
    return tuple(map(_read, files))


def _read(file: Path) -> Preset:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        preset = Preset(file.stem, data["title"], data["for"], data["recipe"])
        parse_recipe(dict(preset.recipe))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecipeError(f"{file.name}: {error}") from error
    return preset
