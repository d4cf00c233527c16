"""AdamW that keeps a running mean of the weights: what a run is judged by and ends with.

The mean of late steps is worth what a lower rate would be, at no cost in speed. It lies in the
optimizer's state, so checkpoints hold it and a run that is resumed has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_MEAN = "mean"


class AveragedAdamW(torch.optim.AdamW):
    """AdamW over groups of parameters; `decay`: how much of the mean stays at each step, less at
    first, when there is little to remember."""

    def __init__(self, groups: Sequence[dict[str, Any]], decay: float, **settings: Any):
        super().__init__(groups, **settings)
        self._decay = decay

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        told = super().step(closure)
        for weight in self._weights():
            state = self.state[weight]
            if not state:  # it has had no gradient yet
                continue
            if _MEAN not in state:
                state[_MEAN] = weight.detach().clone()
            count = float(state["step"])
            state[_MEAN].lerp_(weight, 1 - min(self._decay, count / (count + 10)))
        return told

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within it the parameters are their means."""
        kept = [weight.detach().clone() for weight in self._weights()]
        self.settle()
        try:
            yield
        finally:
            _copy(kept, self._weights())

    def settle(self) -> None:
        """Give the parameters their means for good."""
        _copy([self.state[w].get(_MEAN, w) for w in self._weights()], self._weights())

    def _weights(self) -> list[nn.Parameter]:
        return [weight for group in self.param_groups for weight in group["params"]]


@torch.no_grad()
def _copy(values: Sequence[torch.Tensor], weights: Sequence[nn.Parameter]) -> None:
    for value, weight in zip(values, weights, strict=True):
        weight.copy_(value)
