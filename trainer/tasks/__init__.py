"""What a task changes about a run: its prompt, its rows, what a step's softmax sees, what
evaluations look at, and its card. Everything else is the same for all tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from trainer.card import Finished, Report
from trainer.evaluation.texts import Vectors
from trainer.losses import Candidates
from trainer.recipe import SENSE, TRANSLATION, Recipe
from trainer.rows import Pack
from trainer.tasks.sense import SenseTask
from trainer.tasks.translation import TranslationTask
from trainer.training import Watched


class Task(Protocol):
    """One task. Prompts and examples are of kinds of its own."""

    def prompt(self, tokenizer: Any, recipe: Recipe) -> Any:
        """The text side of a recipe's style and pair."""
        ...

    def packs(self, recipe: Recipe, examples: Sequence[Any], prompt: Any) -> list[Pack]:
        """Examples as training has them."""
        ...

    def candidates(
        self, recipe: Recipe, prompt: Any, vocabulary: int, packs: Sequence[Pack]
    ) -> Candidates:
        """What a step's softmax sees, in a run on these packs."""
        ...

    def watch(
        self,
        recipe: Recipe,
        dev: Sequence[Any],
        prompt: Any,
        start: Path | None,
        compute: torch.dtype,
        vectors: Callable[[], Vectors | None] = lambda: None,
    ) -> Callable[[nn.Module], Watched]:
        """What evaluations look at; `vectors` are asked for where texts are scored."""
        ...

    def write_card(self, run: Finished, tell: Report, most: int = 0) -> Any:
        """Score what a run made and write its card, from `most` rows of each set; 0: as many as
        there are to know."""
        ...


_TASKS: dict[str, Task] = {SENSE: SenseTask(), TRANSLATION: TranslationTask()}


def task_of(recipe: Recipe) -> Task:
    """The task of a recipe."""
    return _TASKS[recipe.task]
