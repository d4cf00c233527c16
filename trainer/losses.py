"""The loss: cross-entropy of answer tokens alone, weighted by field, never a logit too many.

Head and softmax see answer positions only; the whole vocabulary's logits would be 1 MiB a token,
so they are taken in chunks, or over the task's tokens and a random sample of the others. Knows
tensors and a model, no recipe.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from peft.helpers import disable_input_dtype_casting
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from trainer.rows import Batch, make_batch, pieces

CHUNK = 64  # answer tokens whose logits exist at a time


class Chosen(NamedTuple):
    """The rows of the head that a softmax sees: ascending `ids`, targets among them; `shift`: what
    is added to their logits, for those that stand for others as well."""

    ids: torch.Tensor
    shift: torch.Tensor | None = None


class AnswerLoss(nn.Module):
    """A model with its head, called with a batch: what data parallelism wraps.

    Returns (tokens,) each: the cross-entropy of each answer token, and whether it was the
    likeliest. `chosen` stand for the vocabulary; `compute`: the numbers that products are taken in.
    `make_batch` and `pieces` say what a batch is, and how one is cut for the memory.
    """

    make_batch, pieces = staticmethod(make_batch), staticmethod(pieces)

    def __init__(self, model: nn.Module, compute: torch.dtype = torch.float32):
        super().__init__()
        self.model, self.compute = model, compute

    def forward(
        self, batch: Batch, chosen: Chosen | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        few = self.compute != torch.float32
        with (
            torch.autocast(batch.input_ids.device.type, self.compute, enabled=few),
            disable_input_dtype_casting(self.model, few),
        ):
            return answer_losses(self.model, batch, chosen)


def answer_losses(
    model: Any, batch: Batch, chosen: Chosen | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy of each answer token, and whether it was the likeliest: (tokens,) each.

    What the batch's known meanings gain is added to the logits, as in decoding.
    """
    picked, head, cap = answer_states(model, batch)
    target, gained, shift = batch.target, batch.gain_token, None
    if chosen is not None:
        ids, shift = chosen
        head, target = head[ids], torch.searchsorted(ids, target)
        gained = torch.searchsorted(ids, gained)
    gains = batch.gain_at, gained, batch.gain
    if head.requires_grad:  # logits are worked out again for the gradient rather than kept
        found = [
            checkpoint(
                _chunk, picked[part], head, target[part], mine, cap, shift, use_reentrant=False
            )
            for part, mine in parts_of(len(picked), gains)
        ]
        losses, hits = zip(*found)
        return torch.cat(losses), torch.cat(hits)
    return _FrozenHead.apply(picked, head, target, gains, cap, shift)


def answer_states(model: Any, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, float | None]:
    """The hidden states that predict the batch's answer tokens, (tokens, width); the model's head,
    (vocabulary, width); and what its logits are capped at."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = base.get_decoder()(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        attention_mask=batch.mask,
        use_cache=False,
    ).last_hidden_state
    cap = getattr(base.config, "final_logit_softcapping", None)
    return hidden.flatten(0, 1)[batch.at], base.get_output_embeddings().weight, cap


Gains = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Token numbers, ids, and what is added to these ids' logits there."""


def parts_of(count: int, gains: Gains) -> Iterator[tuple[slice, Gains]]:
    """Chunks of answer tokens, with the gains in each, counted from its start."""
    at, token, gain = gains
    for start in range(0, count, CHUNK):
        inside = (at >= start) & (at < start + CHUNK)
        yield slice(start, start + CHUNK), (at[inside] - start, token[inside], gain[inside])


def logits_of(picked: torch.Tensor, head: torch.Tensor, cap: float | None) -> torch.Tensor:
    """Logits, float32: (tokens, rows of the head)."""
    logits = F.linear(picked.to(head.dtype), head).float()
    return torch.tanh(logits / cap) * cap if cap else logits


def add_gains(logits: torch.Tensor, gains: Gains, shift: torch.Tensor | None) -> torch.Tensor:
    """The logits with what known meanings gain there, and with what sampled tokens stand for."""
    at, token, gain = gains
    if shift is not None:
        logits = logits + shift
    return logits.index_put((at, token), gain, accumulate=True) if len(at) else logits


def _chunk(picked, head, target, gains: Gains, cap, shift) -> tuple[torch.Tensor, torch.Tensor]:
    logits = add_gains(logits_of(picked, head, cap), gains, shift)
    return F.cross_entropy(logits, target, reduction="none"), logits.detach().argmax(-1) == target


class _FrozenHead(torch.autograd.Function):
    """Losses over a head that is not trained. A token's gradient is known as soon as its logits
    are: softmax less the target, times the head. So logits exist once, a chunk at a time."""

    @staticmethod
    def forward(ctx, picked, head, target, gains, cap, shift):
        losses, hits, slopes = [], [], []
        for part, mine in parts_of(len(picked), gains):
            logits = logits_of(picked[part], head, cap)
            bent = 1 - (logits / cap).square_() if cap else None  # the slope of tanh
            logits = add_gains(logits, mine, shift)
            wanted = target[part, None]
            hits.append(logits.argmax(-1) == wanted[:, 0])
            whole = logits.logsumexp(-1, keepdim=True)
            losses.append((whole - logits.gather(-1, wanted))[:, 0])
            if not ctx.needs_input_grad[0]:
                continue
            shares = logits.sub_(whole).exp_()
            shares.scatter_add_(-1, wanted, torch.full_like(whole, -1.0))
            if bent is not None:
                shares.mul_(bent)
            slopes.append((shares.to(head.dtype) @ head).to(picked.dtype))
        if slopes:
            ctx.save_for_backward(torch.cat(slopes))
        found = torch.cat(losses), torch.cat(hits)
        ctx.mark_non_differentiable(found[1])
        return found

    @staticmethod
    def backward(ctx, given, _):
        (slopes,) = ctx.saved_tensors
        return slopes * given[:, None].to(slopes.dtype), None, None, None, None, None


class Candidates:
    """The rows of the head a step's softmax sees: the task's tokens, the batch's own, and a fresh
    random sample of all others, which stands for the rest of the vocabulary."""

    def __init__(self, task: Sequence[int], vocabulary: int, sample: int, seed: int):
        self.task = torch.tensor(task)
        self.vocabulary, self.sample, self.seed = vocabulary, sample, seed

    def of(self, batch: Batch, step: int, *more: torch.Tensor) -> Chosen:
        """Those of one step, `more` ids among them; the same step always gets the same ones."""
        seen = (*self._always(batch), *more, self._others(step))
        return Chosen(torch.cat(seen).unique().to(batch.target.device))

    def _always(self, batch: Batch) -> tuple[torch.Tensor, ...]:
        seen = (self.task, batch.target, batch.gain_token, batch.input_ids.flatten())
        return tuple(ids.cpu() for ids in seen)

    def _others(self, step: int) -> torch.Tensor:
        random = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        return torch.randint(self.vocabulary, (self.sample,), generator=random)


class Weighed(Candidates):
    """The same, but each token of the sample counts as often as there are tokens it stands for: for
    text in which any token might come, and where none must be forgotten. The softmax's sum over the
    whole vocabulary is then estimated without a bias."""

    def of(self, batch: Batch, step: int, *more: torch.Tensor) -> Chosen:
        own = torch.cat([*self._always(batch), *more]).unique()
        others = self._others(step).unique()
        others = others[~torch.isin(others, own)]
        ids, order = torch.cat([own, others]).sort()
        stands_for = (self.vocabulary - len(own)) / max(1, len(others))
        shift = torch.zeros(len(ids)).masked_fill(order >= len(own), math.log(stands_for))
        return Chosen(ids.to(batch.target.device), shift.to(batch.target.device))


class Whole(Candidates):
    """The whole vocabulary at every step, for text that is more than the task's tokens."""

    def __init__(self) -> None:
        pass

    def of(self, batch: Batch, step: int, *more: torch.Tensor) -> None:  # type: ignore[override]
        return None
