"""What training minimises, and what moves the weights. Knows tensors and a model, no recipe."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from trainer.averaging import AveragedAdamW
from trainer.scratch.model import Translator
from trainer.scratch.recipe import Phase
from trainer.scratch.samples import Batch, cut, make_batch
from trainer.training import Weights


class PairLoss(nn.Module):
    """A model, called with a batch: each answer token's cross-entropy, (tokens,), and nothing more
    that a loop asks for. The head sees the answers' states alone."""

    make_batch, pieces = staticmethod(make_batch), staticmethod(cut)

    def __init__(self, model: Translator, compute: torch.dtype, smoothing: float = 0.0):
        super().__init__()
        self.model, self.compute, self.smoothing = model, compute, smoothing

    def forward(self, batch: Batch, chosen: None = None) -> tuple[torch.Tensor, None]:
        few, device = self.compute != torch.float32, batch.tokens.device.type
        # On processors the fused kernel's gradient in bfloat16 takes several times as long.
        plain = sdpa_kernel(SDPBackend.MATH) if few and device == "cpu" else nullcontext()
        with torch.autocast(device, self.compute, enabled=few), plain:
            states = self.model(batch.tokens, batch.prefix)
            logits = self.model.logits(states.flatten(0, 1)[batch.at]).float()
        losses = F.cross_entropy(
            logits, batch.target, reduction="none", label_smoothing=self.smoothing
        )
        return losses, None


def make_loss(phase: Phase) -> Any:
    """The loss of a phase, for `fit`."""
    return partial(PairLoss, smoothing=phase.smoothing)


def make_optimizer(weights: Weights, phase: Any) -> AveragedAdamW:
    """AdamW, which makes matrices alone smaller; its mean is what the run is judged by."""
    matrices = [one for one in weights.values() if one.dim() > 1]
    scales = [one for one in weights.values() if one.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": phase.weight_decay},
        {"params": scales, "weight_decay": 0.0},
    ]
    return AveragedAdamW(groups, phase.average, lr=phase.rate, betas=(0.9, 0.98), fused=True)
