"""The loss of distillation: α·T²·KL of teacher and student at T, and β·cross-entropy of the answer.

A teacher is known by its likeliest tokens, all others are one class. They are made one class before
T divides the logits: of a vocabulary of hundreds of thousands nearly all of a tempered probability
would lie in its tail. Rows that people answered learn their answer alone. Knows tensors and a
model, no recipe's data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from peft.helpers import disable_input_dtype_casting
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from trainer.distil.recipe import Distil
from trainer.losses import (
    AnswerLoss,
    Candidates,
    Chosen,
    Gains,
    add_gains,
    answer_states,
    logits_of,
    parts_of,
)
from trainer.rows import Batch

_NEVER = -1e4  # a logit of what cannot come: finite, so that 0 · log 0 is 0


class Said(NamedTuple):
    """What a teacher says at some answer tokens: `ids` of its likeliest tokens there, (tokens, k),
    their log-probabilities, (tokens, k), and that of all others together, (tokens,)."""

    ids: torch.Tensor
    logs: torch.Tensor
    rest: torch.Tensor


Say = Callable[[Batch, Chosen | None], Said]
"""What the teacher says at every answer token of a batch; where nothing is taught, anything."""


def divergence(
    logits: torch.Tensor, columns: torch.Tensor, said: Said, distil: Distil
) -> torch.Tensor:
    """KL at the recipe's temperature, (tokens,), of the student's logits (tokens, ids) from what
    the teacher says; `columns` (tokens, k): where its tokens stand among the student's."""
    mine = logits.gather(-1, columns)
    theirs = said.logs.to(logits.dtype)
    if columns.shape[-1] < logits.shape[-1]:
        others = logits.scatter(-1, columns, float("-inf")).logsumexp(-1, keepdim=True)
        mine = torch.cat([mine, others], -1)
        theirs = torch.cat([theirs, said.rest.to(logits.dtype)[:, None]], -1)
    student = (mine / distil.temperature).log_softmax(-1)
    teacher = (theirs.clamp(min=_NEVER) / distil.temperature).log_softmax(-1)
    if distil.divergence == "reverse":
        return (student.exp() * (student - teacher)).sum(-1)
    if distil.divergence == "skew" and distil.skew:
        share = torch.tensor([distil.skew, 1 - distil.skew], dtype=logits.dtype)
        both = torch.stack([teacher, student], -1) + share.log().to(logits.device)
        student = both.logsumexp(-1)
    return (teacher.exp() * (teacher - student)).sum(-1)


class DistilLoss(AnswerLoss):
    """A student with its head, called with a batch as AnswerLoss is: each answer token's loss, and
    whether it was the likeliest. `say` answers for the teacher."""

    def __init__(self, model: nn.Module, compute: torch.dtype, distil: Distil, say: Say):
        super().__init__(model, compute)
        self.distil, self.say = distil, say

    def forward(
        self, batch: Batch, chosen: Chosen | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        said = self.say(batch, chosen)
        few = self.compute != torch.float32
        with (
            torch.autocast(batch.input_ids.device.type, self.compute, enabled=few),
            disable_input_dtype_casting(self.model, few),
        ):
            return taught_losses(self.model, batch, chosen, said, self.distil)


def taught_losses(
    model: Any, batch: Batch, chosen: Chosen | None, said: Said, distil: Distil
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each answer token's loss, and whether it was the likeliest: (tokens,) each."""
    picked, head, cap = answer_states(model, batch)
    target, gained, columns, shift = batch.target, batch.gain_token, said.ids.long(), None
    if chosen is not None:
        ids, shift = chosen
        head = head[ids]
        target, gained, columns = (
            torch.searchsorted(ids, one) for one in (target, gained, columns)
        )
    told = _Told(target, columns, said, batch.taught >= 0, cap, shift, distil)
    gains = batch.gain_at, gained, batch.gain
    if head.requires_grad:
        found = [
            checkpoint(_chunk, picked[part], head, part, mine, told, use_reentrant=False)
            for part, mine in parts_of(len(picked), gains)
        ]
        losses, hits = zip(*found)
        return torch.cat(losses), torch.cat(hits)
    return _FrozenHead.apply(picked, head, gains, told)


class _Told(NamedTuple):
    """What the losses of a batch's answer tokens are reckoned from, beside their logits."""

    target: torch.Tensor
    columns: torch.Tensor
    said: Said
    taught: torch.Tensor
    cap: float | None
    shift: torch.Tensor | None
    distil: Distil


def _chunk(
    picked: torch.Tensor, head: torch.Tensor, part: slice, gains: Gains, told: _Told
) -> tuple[torch.Tensor, torch.Tensor]:
    distil, target = told.distil, told.target[part]
    plain = logits_of(picked, head, told.cap)
    logits = add_gains(plain, gains, told.shift)
    right = F.cross_entropy(logits, target, reduction="none")
    hits = logits.detach().argmax(-1) == target
    said = Said(*(one[part] for one in told.said))
    shifted = plain if told.shift is None else plain + told.shift
    soft = divergence(shifted, told.columns[part], said, distil)
    both = distil.alpha * distil.temperature**2 * soft + distil.beta * right
    return torch.where(told.taught[part], both, right), hits


class _FrozenHead(torch.autograd.Function):
    """Losses over a head that is not trained: a token's gradient is taken with its loss, so that
    logits exist once, a chunk at a time."""

    @staticmethod
    def forward(ctx, picked, head, gains, told):
        losses, hits, slopes = [], [], []
        for part, mine in parts_of(len(picked), gains):
            with torch.enable_grad():
                states = picked[part].detach().requires_grad_()
                lost, hit = _chunk(states, head, part, mine, told)
                if ctx.needs_input_grad[0]:  # of each token's own loss: none depends on another's
                    slopes += torch.autograd.grad(lost.sum(), states)
            losses.append(lost.detach())
            hits.append(hit)
        if slopes:
            ctx.save_for_backward(torch.cat(slopes))
        found = torch.cat(losses), torch.cat(hits)
        ctx.mark_non_differentiable(found[1])
        return found

    @staticmethod
    def backward(ctx, given, _):
        (slopes,) = ctx.saved_tensors
        return slopes * given[:, None].to(slopes.dtype), None, None, None


class WithSaid(Candidates):
    """Another's candidates, and the tokens that the teacher says of a batch."""

    def __init__(self, others: Candidates, say: Say):
        self.others, self.say = others, say

    def of(self, batch: Batch, step: int, *more: torch.Tensor) -> Chosen | None:  # type: ignore[override]
        said = self.say(batch, None).ids[batch.taught >= 0].flatten()
        return self.others.of(batch, step, said.long().cpu(), *more)
