"""What the evaluations of a run from nothing look at: the loss of dev samples, and translations of
some dev sentences, with the figures of Evaluate and, one by one, their chrF++. The same ones every
time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from trainer.evaluation.during import figures_of, remembered
from trainer.evaluation.texts import TextRow, Vectors
from trainer.scratch.loss import PairLoss
from trainer.scratch.model import Translator
from trainer.scratch.samples import Sample, make_batch
from trainer.scratch.tokenizer import Codec
from trainer.scratch.translating import translate
from trainer.training import Watched
from trainer.translated import text_scores

_TOKENS = 8192  # of a batch whose loss is taken


@dataclass(frozen=True)
class Watch:
    """Evaluates a model in training. `dev`: samples whose loss is taken; `sources`, `references`:
    sentences that are translated greedily, () for none."""

    dev: Sequence[Sample]
    codec: Codec
    pair: str
    sources: Sequence[str] = ()
    references: Sequence[str] = ()
    compute: torch.dtype = torch.float32
    vectors: Vectors | None = None  # of the embedding score

    def with_vectors(self, vectors: Vectors | None) -> Watch:
        """The same, with an embedding score among its figures."""
        return replace(self, vectors=remembered(vectors, self.references))

    @torch.no_grad()
    def __call__(self, model: nn.Module) -> Watched:
        assert isinstance(model, Translator)
        figures = {"dev_loss": dev_loss(model, self.dev, self.compute)}
        if not self.sources:
            return Watched(figures)
        clock = time.monotonic()
        texts = translate(model, self.codec, self.sources, self.pair, compute=self.compute)
        ms = 1000 * (time.monotonic() - clock) / len(texts)
        asked = zip(self.sources, self.references, texts, strict=True)
        rows = [TextRow(source, wanted, text, ms=ms) for source, wanted, text in asked]
        scores = text_scores([(row.text, row.reference) for row in rows])
        return Watched(figures | figures_of(rows, self.pair, self.vectors), tuple(scores))


@torch.no_grad()
def dev_loss(model: Translator, samples: Sequence[Sample], compute: torch.dtype) -> float:
    """Cross-entropy an answer token, in nats, unsmoothed."""
    loss = PairLoss(model, compute)
    device = next(model.parameters()).device
    total, tokens = 0.0, 0
    ordered = sorted(samples, key=len)
    while ordered:
        count = max(1, _TOKENS // len(ordered[-1]))
        batch = make_batch(ordered[-count:]).to(device)
        del ordered[-count:]
        losses, _ = loss(batch)
        total, tokens = total + losses.sum().item(), tokens + len(losses)
    return total / max(1, tokens)
