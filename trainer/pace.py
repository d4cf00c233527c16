"""What the training loop is told, whatever is trained: a run's pace, its batches, what is in them.

Types alone. trainer/recipe.py has the help of the fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol


class Pace(Protocol):
    """What a recipe says of a run's steps."""

    @property
    def seed(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def schedule(self) -> str: ...
    @property
    def warmup(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def clip(self) -> float: ...
    @property
    def tokens_at_once(self) -> int: ...
    @property
    def sentences_a_step(self) -> int: ...
    @property
    def evaluate_every(self) -> int: ...
    @property
    def keep(self) -> str: ...
    @property
    def patience(self) -> int: ...
    @property
    def drop(self) -> float: ...


class Tracked(Protocol):
    """A run's name, and what else its events go to."""

    @property
    def name(self) -> str: ...
    @property
    def tracker(self) -> str: ...


class Learnt(Protocol):
    """A part of a batch: the loss weight of its tokens, and how many rows it counts for."""

    @property
    def weight(self) -> float: ...
    @property
    def count(self) -> int: ...


class Steps(Protocol):
    """A run's batches."""

    @property
    def steps(self) -> int: ...

    def from_step(self, step: int) -> Iterator[Any]:
        """The batches of each step from this one on: lists of lists of what is learnt."""
        ...
