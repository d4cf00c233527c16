"""Makes a model's loud channels quieter without changing what it computes, so that bytes suffice
for all of a row (SmoothQuant): what a channel is divided by, the next matrix multiplies it by.

Factors are powers of two, by which no weight loses a digit: in bfloat16 the hidden states are the
same bit for bit.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

_SHARE = 0.5  # of the loudness that goes from the input to the weight
_MOST = 6  # of the exponent, either way
_LEAST = 1e-5


@torch.no_grad()
def smoothed(model: PreTrainedModel, loudest: Mapping[str, torch.Tensor]) -> PreTrainedModel:
    """A copy that computes the same (embedding and head are the model's own). `loudest`: by place
    the highest input of each channel."""
    shared = {
        id(parameter): parameter
        for embedding in (model.get_input_embeddings(), model.get_output_embeddings())
        for parameter in embedding.parameters()
    }
    other: Any = copy.deepcopy(model, shared)
    for number, layer in enumerate(other.model.layers):
        attention, mlp = layer.self_attn, layer.mlp
        three = [attention.q_proj, attention.k_proj, attention.v_proj]
        _quieten(layer.input_layernorm, three, loudest[f"{number}.qkv"])
        two = [mlp.gate_proj, mlp.up_proj]
        _quieten(layer.pre_feedforward_layernorm, two, loudest[f"{number}.gate_up"])
        down = _factors(loudest[f"{number}.down"], _columns([mlp.down_proj]))
        _move(mlp.up_proj, down, mlp.down_proj, down)
        # A value's channel is heard by every head that shares it.
        heads, width = attention.v_proj.out_features // attention.head_dim, attention.head_dim

        def over_heads(one: torch.Tensor, heads: int = heads, width: int = width) -> torch.Tensor:
            return one.view(heads, -1, width).amax(1).flatten()

        columns = over_heads(_columns([attention.o_proj]))
        value = _factors(over_heads(loudest[f"{number}.out"]), columns)
        times = attention.o_proj.in_features // len(value)
        wide = value.view(heads, 1, width).expand(-1, times, -1).flatten()
        _move(attention.v_proj, value, attention.o_proj, wide)
    return other


def _quieten(norm: Any, linears: list[nn.Linear], loudest: torch.Tensor) -> None:
    """Divide what comes out of a norm, and multiply what it goes into."""
    factors = _factors(loudest, _columns(linears))
    wide = 1.0 + norm.weight.detach().float()
    norm.weight = nn.Parameter(wide / factors - 1.0, requires_grad=False)
    for linear in linears:
        linear.weight.mul_(factors.to(linear.weight.dtype))


def _move(before: nn.Linear, rows: torch.Tensor, after: nn.Linear, columns: torch.Tensor) -> None:
    """Divide the rows of the matrix before, and multiply the columns of the one after."""
    before.weight.div_(rows.to(before.weight.dtype)[:, None])
    after.weight.mul_(columns.to(after.weight.dtype))


def _columns(linears: list[nn.Linear]) -> torch.Tensor:
    """The highest weight of each column of all these matrices."""
    return torch.stack([one.weight.abs().amax(0).float() for one in linears]).amax(0)


def _factors(loudest: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """What each channel is divided by: loud inputs a lot, and those of quiet columns."""
    told = loudest.clamp(min=_LEAST).log2() * _SHARE
    told = told - columns.clamp(min=_LEAST).log2() * (1 - _SHARE)
    told = told - told.median()  # only differences between channels matter
    return torch.exp2(told.round().clamp(-_MOST, _MOST))
