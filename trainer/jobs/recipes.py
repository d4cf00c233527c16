"""What defines a job: a frozen dataclass whose fields carry their help, saved as JSON in its row.

The command line and forms read the help there; a value from anywhere is checked here.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any, TypeVar, get_args, get_type_hints

from trainer.jobs.kinds import JobError

R = TypeVar("R")


def described(text: str, default: Any) -> Any:
    """A field with its help text and default."""
    return field(default=default, metadata={"help": text})


def help_of(recipe: type, name: str) -> str:
    """The help text of a recipe's field."""
    return next(f.metadata["help"] for f in fields(recipe) if f.name == name)


def require(recipe: Any, checks: Mapping[str, bool]) -> None:
    """JobError names the first field whose check is False."""
    for name, good in checks.items():
        if not good:
            value = getattr(recipe, name)
            text = f"{name} = {value!r}: {help_of(type(recipe), name)}"
            raise JobError("bad_recipe", text)


def parse(recipe: type[R], data: Mapping[str, Any]) -> R:
    """The recipe that plain JSON data states; JobError names a field that does not fit."""
    hints = get_type_hints(recipe)
    unknown = set(data) - set(hints)
    if unknown:
        raise JobError("bad_recipe", f"no such field: {', '.join(sorted(map(str, unknown)))}")
    return recipe(**{name: _fitting(name, value, hints[name]) for name, value in data.items()})


def _fitting(name: str, value: Any, hint: Any) -> Any:
    """`value` as its field has it: a whole number does for a float, nothing else for another."""
    kinds = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in kinds and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not any(type(value) is (getattr(kind, "__origin__", None) or kind) for kind in kinds):
        raise JobError("bad_recipe", f"{name} cannot be {value!r}")
    if isinstance(value, float) and value != value:
        raise JobError("bad_recipe", f"{name} cannot be {value!r}")
    return value
