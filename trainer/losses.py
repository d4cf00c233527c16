"""The loss: cross-entropy of answer tokens alone, weighted by field, never a logit too many.

Head and softmax see answer positions only; the whole vocabulary's logits would be 1 MiB a token,
so they are taken in chunks, or over the task's tokens and a random sample of the others. Knows
tensors and a model, no recipe.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from peft.helpers import disable_input_dtype_casting
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from trainer.rows import Batch

_CHUNK = 64  # answer tokens whose logits exist at a time


class AnswerLoss(nn.Module):
    """A model with its head, called with a batch: what data parallelism wraps.

    Returns (tokens,) each: the cross-entropy of each answer token, and whether it was the
    likeliest. `candidates`: ascending ids, targets among them, that stand for the vocabulary;
    `compute`: the numbers that products are taken in.
    """

    def __init__(self, model: nn.Module, compute: torch.dtype = torch.float32):
        super().__init__()
        self.model, self.compute = model, compute

    def forward(
        self, batch: Batch, candidates: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        few = self.compute != torch.float32
        with (
            torch.autocast(batch.input_ids.device.type, self.compute, enabled=few),
            disable_input_dtype_casting(self.model, few),
        ):
            return answer_losses(self.model, batch, candidates)


def answer_losses(
    model: Any, batch: Batch, candidates: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy of each answer token, and whether it was the likeliest: (tokens,) each.

    What the batch's known meanings gain is added to the logits, as in decoding.
    """
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = base.get_decoder()(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        attention_mask=batch.mask,
        use_cache=False,
    ).last_hidden_state
    picked = hidden.flatten(0, 1)[batch.at]
    head, target, gained = base.get_output_embeddings().weight, batch.target, batch.gain_token
    if candidates is not None:
        head, target = head[candidates], torch.searchsorted(candidates, target)
        gained = torch.searchsorted(candidates, gained)
    cap = getattr(base.config, "final_logit_softcapping", None)
    found = []
    for start in range(0, len(picked), _CHUNK):
        end = min(start + _CHUNK, len(picked))
        inside = (batch.gain_at >= start) & (batch.gain_at < end)
        gains = batch.gain_at[inside] - start, gained[inside], batch.gain[inside]
        values = picked[start:end], head, target[start:end], gains, cap
        # Logits are worked out again for the gradient rather than kept.
        found.append(
            checkpoint(_chunk, *values, use_reentrant=False, preserve_rng_state=False)
            if torch.is_grad_enabled()
            else _chunk(*values)
        )
    losses, hits = zip(*found)
    return torch.cat(losses), torch.cat(hits)


def _chunk(picked, head, target, gains, cap) -> tuple[torch.Tensor, torch.Tensor]:
    logits = F.linear(picked.to(head.dtype), head).float()
    if cap:
        logits = torch.tanh(logits / cap) * cap
    at, token, gain = gains
    logits = logits.index_put((at, token), gain, accumulate=True)
    return F.cross_entropy(logits, target, reduction="none"), logits.detach().argmax(-1) == target


class Candidates:
    """The rows of the head a step's softmax sees: the task's tokens, the batch's own, and a fresh
    random sample of all others, which stands for the rest of the vocabulary."""

    def __init__(self, task: Sequence[int], vocabulary: int, sample: int, seed: int):
        self.task = torch.tensor(task)
        self.vocabulary, self.sample, self.seed = vocabulary, sample, seed

    def of(self, batch: Batch, step: int) -> torch.Tensor:
        """Ascending ids for one step; the same step always gets the same ones."""
        random = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        others = torch.randint(self.vocabulary, (self.sample,), generator=random)
        seen = (self.task, batch.target, batch.gain_token, batch.input_ids.flatten(), others)
        return torch.cat([ids.cpu() for ids in seen]).unique().to(batch.target.device)


class Whole(Candidates):
    """The whole vocabulary at every step, for text that is more than the task's tokens."""

    def __init__(self) -> None:
        pass

    def of(self, batch: Batch, step: int) -> None:  # type: ignore[override]
        return None
