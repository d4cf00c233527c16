"""The embedding's rows, which are the head's as well, held in bytes or in 4 bits.

A few rows are widened when they are asked for; the whole is never held in other numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from engine.matrices import WAYS, Matrix, Tensors, bytes_of, nibbles_of, values_of

SHRINK: dict[str, Callable[[torch.Tensor], dict[str, torch.Tensor]]] = {
    "int8": bytes_of,
    "int4": nibbles_of,
}
WAY = "int8"  # how chosen rows multiply, whatever holds them
_AT_ONCE = 1 << 15  # rows that are shrunk at a time: whole, they would be a gigabyte


class Rows:
    """Rows by number, as `weight[numbers]` gives them: (numbers, width) in bfloat16."""

    def __init__(self, tensors: Tensors):
        self._tensors = dict(tensors)

    def __getitem__(self, numbers: torch.Tensor) -> torch.Tensor:
        return values_of(self._chosen(numbers)).bfloat16()

    @property
    def device(self) -> torch.device:
        return self._tensors["weight"].device

    def matrix(self, numbers: torch.Tensor) -> Matrix:
        """What multiplies by these rows, held in bytes."""
        chosen = self._chosen(numbers)
        way = WAYS[WAY]
        return way.lay_out(way.shrink(values_of(chosen)) if "zero" in chosen else chosen)

    def _chosen(self, numbers: torch.Tensor) -> dict[str, torch.Tensor]:
        return {name: tensor[numbers] for name, tensor in self._tensors.items()}


class Head(nn.Module):
    """What a model gives as its output embedding where that is not one tensor."""

    def __init__(self, rows: Rows):
        super().__init__()
        self.weight = rows


class Embedding(nn.Module):
    """Token ids → their rows times `scale`, which is rounded as Gemma's own is."""

    def __init__(self, rows: Rows, scale: float):
        super().__init__()
        self._rows, self._scale = rows, torch.tensor(scale, dtype=torch.bfloat16)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self._rows[ids] * self._scale


def shrink_rows(weight: torch.Tensor, way: str) -> dict[str, torch.Tensor]:
    """The tensors of an embedding's rows, (tokens, width)."""
    parts = [SHRINK[way](some) for some in weight.split(_AT_ONCE)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
