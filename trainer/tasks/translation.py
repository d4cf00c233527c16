"""Task `translation` in training: whole sentences, the prompt masked, the answer up to its end.

Evaluations write sentences as readers would get them, but let the model write on: that it ends by
itself is a part of what is learnt. They take the figures of Evaluate.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.memory import give_back
from engine.translation import TranslationPrompt
from trainer.card import Finished, Report
from trainer.evaluation.during import figures_of, remembered
from trainer.evaluation.texts import TextRow, Vectors
from trainer.examples import TranslationExample
from trainer.losses import Candidates, Weighed
from trainer.recipe import Recipe
from trainer.rows import Pack, make_translation_packs
from trainer.training import Watched
from trainer.translated import (
    first_of_each,
    text_scores,
    translate_rows,
    write_translation_card,
)
from trainer.watch import dev_scores

_SOFTMAX_SAMPLE = 16384  # random tokens beside those of the run's own answers


class TranslationTask:
    """Sentences with their translations."""

    def prompt(self, tokenizer: Any, recipe: Recipe) -> TranslationPrompt:
        return TranslationPrompt(tokenizer, recipe.style)

    def packs(
        self, recipe: Recipe, examples: Sequence[TranslationExample], prompt: TranslationPrompt
    ) -> list[Pack]:
        return make_translation_packs(examples, prompt)

    def candidates(
        self, recipe: Recipe, prompt: TranslationPrompt, vocabulary: int, packs: Sequence[Pack]
    ) -> Candidates:
        """The tokens of all answers of the run, and some that stand for all others: a model that
        never sees these would write them."""
        own = {token for pack in packs for row in pack.rows for token in row.answer}
        return Weighed(sorted(own), vocabulary, _SOFTMAX_SAMPLE, recipe.seed)

    def watch(
        self,
        recipe: Recipe,
        dev: Sequence[TranslationExample],
        prompt: TranslationPrompt,
        start: Path | None,
        compute: torch.dtype,
        vectors: Callable[[], Vectors | None] = lambda: None,
    ) -> TranslationWatch:
        rows = random.Random(recipe.seed).sample(dev, min(len(dev), recipe.dev_rows))
        written = first_of_each(dev, recipe.guard_rows, recipe.seed)
        found = remembered(vectors(), [e.text for e in written]) if written else None
        packs = make_translation_packs(rows, prompt)
        return TranslationWatch(packs, written, prompt, compute, found)

    def write_card(self, run: Finished, tell: Report, most: int = 0) -> dict[str, Any]:
        return write_translation_card(run, tell, most)


@dataclass(frozen=True)
class TranslationWatch:
    """Evaluates a model in training. `written`: examples that are translated, () for none; each
    sentence's score is its chrF++, 0 to 1."""

    dev: Sequence[Pack]
    written: Sequence[TranslationExample]
    prompt: TranslationPrompt
    compute: torch.dtype
    vectors: Vectors | None = None  # of the embedding score

    @torch.no_grad()
    def __call__(self, model: nn.Module) -> Watched:
        figures = {"dev_loss": dev_scores(model, self.dev, self.compute)["dev_loss"]}
        if not self.written:
            return Watched(figures)
        few = self.compute != torch.float32
        with torch.autocast(next(model.parameters()).device.type, self.compute, enabled=few):
            rows = translate_rows(model, self.prompt, self.written)
        give_back()
        scores = text_scores([(row.text, row.reference) for row in rows])
        figures |= figures_of(rows, self.written[0].query.pair, self.vectors)
        return Watched(figures | _ends(rows), tuple(scores))


def _ends(rows: Sequence[TextRow]) -> dict[str, float]:
    """The share of translations that the model ended itself, and of how many."""
    return {"ended": statistics.fmean(bool(row.stopped) for row in rows), "written": len(rows)}
