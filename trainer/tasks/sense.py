"""Task `sense` in training: a word's class, meaning and phrase, answered as readers get them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from engine.books import books_for
from engine.checking import read_adapter
from engine.prompt import SensePrompt
from engine.wordbook import Wordbook
from trainer.card import Finished, Report, write_card
from trainer.evaluate import Evaluation
from trainer.evaluation.texts import Vectors
from trainer.examples import Example
from trainer.hints import book_hint, training_hint
from trainer.losses import Candidates, Weighed, Whole
from trainer.recipe import WIRE, Recipe
from trainer.rows import Pack, Weights, Worths, make_packs
from trainer.splits import older
from trainer.watch import Watch, choose_rows
from trainer.wire import prompt_for
from trainer.wordbook import worths_for, worths_without

_SOFTMAX_SAMPLE = 2048  # random tokens beside the task's own in a step's softmax
_MOST_TOKENS = 32_000  # of a language that are all in every step's softmax
_MANY_SAMPLED = 16_384  # random tokens in their place


class SenseTask:
    """Words in their sentences."""

    def prompt(self, tokenizer: Any, recipe: Recipe) -> SensePrompt:
        return prompt_for(tokenizer, recipe.style, recipe.pair)

    def packs(self, recipe: Recipe, examples: Sequence[Example], prompt: SensePrompt) -> list[Pack]:
        hint = partial(training_hint, book=books_for(recipe.pair).phrases)
        weigh = Weights(recipe.weights, recipe.structure_weight)
        return make_packs(examples, prompt, _open(recipe, worths_without), hint, weigh)

    def candidates(
        self, recipe: Recipe, prompt: SensePrompt, vocabulary: int, packs: Sequence[Pack]
    ) -> Candidates:
        """The task's tokens and some others; JSON is written in more than these. Of a language
        whose tokens are half the vocabulary the run's own, and some that stand for all others."""
        if recipe.style == WIRE:
            return Whole()
        if len(prompt.meaning_tokens) > _MOST_TOKENS:
            own = {token for pack in packs for row in pack.rows for token in row.answer}
            return Weighed(sorted(own), vocabulary, _MANY_SAMPLED, recipe.seed)
        return Candidates(prompt.meaning_tokens, vocabulary, _SOFTMAX_SAMPLE, recipe.seed)

    def watch(
        self,
        recipe: Recipe,
        dev: Sequence[Example],
        prompt: SensePrompt,
        start: Path | None,
        compute: torch.dtype,
        vectors: Callable[[], Vectors | None] = lambda: None,
    ) -> Watch:
        """Dev rows, half of those that are answered from older data."""
        names, card = older(recipe), read_adapter(start).card if start else None
        mine = [e for e in dev if e.source not in names]
        half = choose_rows(mine, recipe.guard_rows // (2 if names else 1), recipe.seed)
        rest = [e for e in dev if e.source in names]
        return Watch(
            make_packs(
                _sample(dev, recipe),
                prompt,
                _open(recipe, worths_for),
                partial(book_hint, book=books_for(recipe.pair).phrases),
            ),
            (*half, *choose_rows(rest, recipe.guard_rows - len(half), recipe.seed)),
            prompt,
            books_for(recipe.pair),
            card.phrase_threshold if card else 0.5,
            card.phrase_favour if card else 0.0,
            compute,
        )

    def write_card(self, run: Finished, tell: Report, most: int = 0) -> dict[str, Evaluation]:
        return write_card(run, tell, most)


def _open(recipe: Recipe, worths: Callable[[Wordbook, Example], dict[str, float]]) -> Worths | None:
    """What the wordbook says, where the recipe opens it."""
    return partial(worths, books_for(recipe.pair).words) if recipe.books else None


def _sample(examples: Sequence[Example], recipe: Recipe) -> list[Example]:
    """The dev rows whose loss evaluations take."""
    count = min(len(examples), recipe.dev_rows)
    return random.Random(recipe.seed).sample(examples, count)
