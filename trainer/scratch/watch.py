"""What the evaluations of a run from nothing look at: the loss of dev samples, and translations of
some dev sentences, scored by BLEU and, one by one, by chrF++. The same ones every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sacrebleu.metrics import BLEU, CHRF
from torch import nn

from trainer.scratch.loss import PairLoss
from trainer.scratch.model import Translator
from trainer.scratch.samples import Sample, make_batch
from trainer.scratch.tokenizer import Codec
from trainer.scratch.translating import translate
from trainer.training import Watched

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

    @torch.no_grad()
    def __call__(self, model: nn.Module) -> Watched:
        assert isinstance(model, Translator)
        figures = {"dev_loss": dev_loss(model, self.dev, self.compute)}
        if not self.sources:
            return Watched(figures)
        texts = translate(model, self.codec, self.sources, self.pair, compute=self.compute)
        chrf = CHRF(word_order=2)
        scores = tuple(
            chrf.sentence_score(text, [reference]).score / 100
            for text, reference in zip(texts, self.references)
        )
        figures["bleu"] = BLEU().corpus_score(texts, [list(self.references)]).score
        return Watched(figures, scores)


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
