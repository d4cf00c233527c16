"""What a stage of the corpus pipeline is: it has a name and a reason, looks at one row alone, and
gives it back, mended perhaps, or says by which rule it is dropped. Pure; knows no files.

A row is one line, or a line and its translation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True)
class Dropped:
    """A row that is not kept, and by which of its stage's rules."""

    rule: str


Look = Callable[[str], str | Dropped]
"""Looks at the text of one side."""


@dataclass(frozen=True)
class Stage:
    """One step: what it is called, why it is there, and what it does to a row."""

    name: str
    why: str
    apply: Callable[[Row], Row | Dropped]


def on_sides(name: str, why: str, looks: Sequence[Look]) -> Stage:
    """A stage that looks at each side by itself; a row whose one side is dropped is dropped."""

    def apply(row: Row) -> Row | Dropped:
        kept = []
        for look, text in zip(looks, row, strict=True):
            found = look(text)
            if isinstance(found, Dropped):
                return found
            kept.append(found)
        return tuple(kept)

    return Stage(name, why, apply)


def put_through(stages: Sequence[Stage], row: Row) -> tuple[Row, Stage | None, Dropped | None]:
    """The row behind the last stage, or as it stood before the one that dropped it, with that stage
    and its rule."""
    for stage in stages:
        found = stage.apply(row)
        if isinstance(found, Dropped):
            return row, stage, found
        row = found
    return row, None, None
