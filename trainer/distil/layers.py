"""Which layers a model can best do without, by measurement: how far the loss of some rows rises
when a layer is skipped, or how far a layer turns its input. Knows a model and packs, no recipe.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from trainer.losses import Chosen, answer_losses
from trainer.rows import Batch, Pack, make_batch, pieces

_TOKENS = 4096  # that go through the model at once


@dataclass(frozen=True)
class Importance:
    """One layer: what it is worth by the chosen measure, the more the dearer, and the loss of the
    rows without it and without those taken out before it."""

    layer: int
    worth: float
    loss: float


@dataclass(frozen=True)
class Measured:
    """What was measured: the loss with all layers, what each layer is worth while all others are
    there, and the layers to take out, in the order in which they go."""

    loss: float
    layers: tuple[Importance, ...]
    out: tuple[Importance, ...]

    @property
    def kept(self) -> tuple[int, ...]:
        gone = {one.layer for one in self.out}
        return tuple(one.layer for one in self.layers if one.layer not in gone)

    def told(self) -> dict[str, Any]:
        """The figures, for a run's log."""
        return {
            "loss": round(self.loss, 4),
            "worth": [round(one.worth, 4) for one in self.layers],
            "out": [one.layer for one in self.out],
            "loss_without": [round(one.loss, 4) for one in self.out],
        }


def layers_of(model: Any) -> nn.ModuleList:
    """A model's layers."""
    return model.get_decoder().layers


@contextmanager
def skipped(model: Any, out: Collection[int]) -> Iterator[None]:
    """The model without these layers: each gives back what it is given."""
    layers = layers_of(model)
    with ExitStack() as stack:
        for number in out:
            layer: Any = layers[number]
            layer.forward = _hand_on  # an attribute of its own, before its class's
            stack.callback(layer.__dict__.pop, "forward")
        yield


def _hand_on(hidden_states: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
    return hidden_states


def measure(
    model: Any,
    packs: Sequence[Pack],
    count: int,
    by: str = "loss",
    chosen: Chosen | None = None,
    tick: Callable[[int, int], None] = lambda done, of: None,
) -> Measured:
    """What each layer is worth, and which `count` of them to take out. By `loss` one goes at a
    time, the one that is missed least when those before it are gone; by `cosine` those that turn
    their input least. ValueError where no layer would be left."""
    numbers = range(len(layers_of(model)))
    if not 0 <= count < len(numbers):
        raise ValueError(f"{count} of {len(numbers)} layers cannot be taken out")
    batches = [make_batch(piece) for piece in pieces(sorted(packs, key=len), _TOKENS)]
    whole = loss_without(model, batches, (), chosen)
    if by == "cosine":
        worths = _turns(model, batches)
        order = sorted(numbers, key=lambda n: worths[n])[:count]
        losses = [loss_without(model, batches, order[: n + 1], chosen) for n in range(count)]
        layers = tuple(Importance(n, worths[n], whole) for n in numbers)
        out = tuple(Importance(n, worths[n], lost) for n, lost in zip(order, losses))
        return Measured(whole, layers, out)
    gone: list[Importance] = []
    first: tuple[Importance, ...] = ()
    before = whole
    for turn in range(max(1, count)):
        without = [one.layer for one in gone]
        left = [n for n in numbers if n not in without]
        found = []
        for n in left:
            lost = loss_without(model, batches, [*without, n], chosen)
            found.append(Importance(n, lost - before, lost))
        tick(turn + 1, count)
        first = first or tuple(found)
        if count:
            gone.append(min(found, key=lambda one: one.loss))
            before = gone[-1].loss
    return Measured(whole, first, tuple(gone))


@torch.no_grad()
def loss_without(
    model: Any, batches: Sequence[Batch], out: Sequence[int], chosen: Chosen | None = None
) -> float:
    """The mean loss of the batches' answer tokens without these layers."""
    total = weight = 0.0
    with skipped(model, out):
        for batch in batches:
            batch = batch.to(model.device)
            losses, _ = answer_losses(model, batch, chosen)
            total += float((losses * batch.weight).sum())
            weight += float(batch.weight.sum())
    return total / max(weight, 1e-9)


@torch.no_grad()
def _turns(model: Any, batches: Sequence[Batch]) -> list[float]:
    """How far each layer turns the states of real tokens: 1 less the cosine of in and out."""
    found: list[list[float]] = [[] for _ in layers_of(model)]
    masks: list[torch.Tensor] = []

    def hook(number: int) -> Callable[..., None]:
        def keep(layer: nn.Module, given: tuple[Any, ...], out: Any) -> None:
            seen = F.cosine_similarity(given[0].float(), out.float(), dim=-1)
            found[number].append(1 - float(seen[masks[-1]].mean()))

        return keep

    with ExitStack() as stack:
        for number, layer in enumerate(layers_of(model)):
            stack.callback(layer.register_forward_hook(hook(number)).remove)
        for batch in batches:
            batch = batch.to(model.device)
            # A token of the padding stands in no row: its position is 0, and it is not the first.
            real = batch.position_ids > 0
            masks.append(real)
            answer_losses(model, batch)
    return list(map(statistics.fmean, found))
