"""Places for adapters beside a model's linear layers: exchanging one is an assignment a layer.

What a layer gives is what PEFT's unmerged LoRA and DoRA give, bit for bit, and without an adapter
what the base gives. Rows of one batch may have different adapters. Knows tensors, no folders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Addition:
    """What one adapter adds to one layer: float32 matrices (rank, columns) and (rows, rank), the
    scale of their product, and DoRA's factor a row, where there is one."""

    a: torch.Tensor
    b: torch.Tensor
    scale: float
    factor: torch.Tensor | None = None

    @property
    def bytes(self) -> int:
        parts = (self.a, self.b) if self.factor is None else (self.a, self.b, self.factor)
        return sum(part.nbytes for part in parts)

    def add(self, x: torch.Tensor, y: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """To what the layer made of x, with its bias."""
        added = F.linear(F.linear(x.to(self.a.dtype), self.a), self.b)
        if self.factor is None:
            return (y + added * self.scale).to(y.dtype)
        plain = y if bias is None else y - bias
        turned = (self.factor - 1) * plain + self.factor * added * self.scale
        return (y + turned).to(y.dtype)


Additions = Mapping[str, Addition]
"""What one adapter adds, by the layer's name."""


class Seat(nn.Module):
    """A linear layer with whatever adapters its rows have now."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.linear = linear
        self.now: Addition | None = None
        self.by_rows: tuple[tuple[int, int, Addition | None], ...] = ()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.linear(x)
        if self.now is not None:
            return self.now.add(x, y, self.linear.bias)
        if not self.by_rows:
            return y
        return torch.cat([
            y[start:end] if one is None else one.add(x[start:end], y[start:end], self.linear.bias)
            for start, end, one in self.by_rows
        ])  # fmt: skip


def set_seats(model: nn.Module) -> dict[str, Seat]:
    """Put a seat in the place of each linear layer of the model but its head; by name."""
    head = getattr(model, "get_output_embeddings", lambda: None)()
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module is not head
    }
    seats = {}
    for name, linear in layers.items():
        parent, _, last = name.rpartition(".")
        seats[name] = Seat(linear)
        setattr(model.get_submodule(parent), last, seats[name])
    return seats


def give(seats: Mapping[str, Seat], rows: Sequence[Additions | None]) -> None:
    """Let these adapters answer: one for every row, or one a row of a batch; None is the base.
    Rows of one adapter that stand together are one product."""
    runs: list[tuple[int, int, Additions | None]] = []
    for number, one in enumerate(rows):
        if runs and runs[-1][2] is one:
            runs[-1] = (runs[-1][0], number + 1, one)
        else:
            runs.append((number, number + 1, one))
    for name, seat in seats.items():
        if len(runs) == 1:
            seat.now, seat.by_rows = (runs[0][2].get(name) if runs[0][2] else None), ()
        else:
            parts = tuple((a, b, one.get(name) if one else None) for a, b, one in runs)
            seat.now, seat.by_rows = None, parts if any(part[2] for part in parts) else ()
