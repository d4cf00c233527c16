"""Fields of a recipe: each carries its help text, its choices, and whether a form shows it first.

Pure; knows no recipe.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import field, fields
from typing import Any


class RecipeError(ValueError):
    """A recipe that cannot be run, with the field and the reason."""

    code = "bad_recipe"


def described(text: str, default: Any, choices: Sequence[str] = (), basic: bool = False) -> Any:
    """A field with its help text; `basic`: shown first in a form."""
    return field(default=default, metadata={"help": text, "choices": choices, "basic": basic})


def fitting(recipe: type, name: str, value: Any) -> Any:
    """`value` as the recipe's field has it: a whole number does for a float, nothing else for
    another. RecipeError where it does not fit."""
    one = next(f for f in fields(recipe) if f.name == name)
    kind: type = type(one.default)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
        raise RecipeError(f"{name} = {value!r}: {one.metadata['help']}")
    return value
