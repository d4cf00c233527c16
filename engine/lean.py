"""A Gemma 3 body for inference on a CPU: the same layers in few, large operations.

At a few tokens a call, much of the library's time goes into small operations and into laying
weights out anew for each product. Here weights are laid out once, and query, key and value are one
product, as are the two of the gated layer; the hidden states are the same bit for bit. Gemma 3 in
bfloat16 on a CPU that multiplies it; any other model keeps its own body. Its matrices may be held
in other numbers (engine.matrices); then what lies between them may be in float32, which costs less
than to round it after every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import Gemma3TextModel, PreTrainedModel

from engine.matrices import Matrix, pack

_ROOM = 256  # tokens of a new cache

Hold = Callable[[str, torch.Tensor], Matrix]
"""How a matrix is held: its place (`3.qkv`, `3.out`, `3.gate_up`, `3.down`, counted from 0) and its
weight (out, in) → what multiplies by it."""


def plain(place: str, weight: torch.Tensor) -> Matrix:
    """In bfloat16, as it is."""
    return pack(weight)


@dataclass(frozen=True)
class _Layer:
    """One layer's weights, laid out; `norms` in order of use, `heads_norm` one row a head."""

    kind: str
    scale: float
    qkv: Matrix
    out: Matrix
    gate_up: Matrix
    down: Matrix
    norms: tuple[torch.Tensor, ...]
    heads_norm: torch.Tensor


class Cache:
    """Keys and values of a tree's tokens, by layer: (layers, 2, heads, tokens, width)."""

    def __init__(self, layers: int, heads: int, width: int, dtype: torch.dtype):
        self._store = torch.empty(layers, 2, heads, _ROOM, width, dtype=dtype)
        self.size = 0

    def reserve(self, count: int) -> None:
        """Make room for `count` tokens more."""
        room = self._store.shape[3]
        while room < self.size + count:
            room *= 2
        if room > self._store.shape[3]:
            fresh = self._store.new_empty(*self._store.shape[:3], room, self._store.shape[4])
            fresh[:, :, :, : self.size] = self._store[:, :, :, : self.size]
            self._store = fresh

    def put(
        self, layer: int, keys: torch.Tensor, values: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add new tokens' keys and values, (heads, tokens, width); all there are."""
        end = self.size + keys.shape[1]
        mine = self._store[layer, :, :, :end]
        mine[0, :, self.size :] = keys
        mine[1, :, self.size :] = values
        return mine[0], mine[1]


@dataclass(frozen=True)
class Part:
    """New tokens of one tree: `mask` (new, all) is True where one sees another of the tree's, those
    in the `cache` first."""

    mask: torch.Tensor
    cache: Any


class LeanBody(nn.Module):
    """Token ids in, hidden states out, in bfloat16; every token sees its whole row, no sliding
    window. `dtype`: of what lies between the matrices."""

    def __init__(
        self, body: Gemma3TextModel, hold: Hold = plain, dtype: torch.dtype = torch.bfloat16
    ):
        super().__init__()
        self._dtype = dtype
        config = body.config
        self.embed_tokens, self._rotary = body.embed_tokens, body.rotary_emb
        self._eps = config.rms_norm_eps
        self._heads, self._kv_heads = config.num_attention_heads, config.num_key_value_heads
        self._width = config.head_dim
        self._norm = _scale(body.norm)
        self._layers = [
            self._lay_out(layer, partial(_hold_in, hold, at))
            for at, layer in enumerate(body.layers)
        ]
        self._kinds = {layer.kind for layer in self._layers}

    def get_decoder(self) -> LeanBody:
        return self

    def cache(self) -> Cache:
        return Cache(len(self._layers), self._kv_heads, self._width, self._dtype)

    def forward(
        self, ids: torch.Tensor, positions: torch.Tensor, parts: Sequence[Part]
    ) -> torch.Tensor:
        """Hidden states (tokens, width) of new tokens: `ids` and `positions` (tokens,), those of
        one part after the other's."""
        for part in parts:
            part.cache.reserve(len(part.mask))
        x = self.embed_tokens(ids).to(self._dtype)
        unseen = [
            torch.zeros(part.mask.shape, dtype=x.dtype).masked_fill_(~part.mask, float("-inf"))
            for part in parts
        ]
        turns = {kind: self._turn(x, positions, kind) for kind in self._kinds}
        for number, layer in enumerate(self._layers):
            before, after, before_mlp, after_mlp = layer.norms
            attended = self._attend(
                _rms(x, before, self._eps), number, layer, turns[layer.kind], parts, unseen
            )
            x = x + _rms(attended, after, self._eps)
            gate, up = layer.gate_up(_rms(x, before_mlp, self._eps)).chunk(2, -1)
            inner = F.gelu(gate, approximate="tanh") * up
            x = x + _rms(layer.down(inner), after_mlp, self._eps)
        for part in parts:
            part.cache.size += len(part.mask)
        return _rms(x, self._norm, self._eps).bfloat16()

    def _attend(
        self, x, number: int, layer: _Layer, turn, parts: Sequence[Part], unseen
    ) -> torch.Tensor:
        count, heads = len(x), self._heads
        qkv = layer.qkv(x).view(count, -1, self._width)
        both = _rms(qkv[:, : heads + self._kv_heads], layer.heads_norm, self._eps)
        cos, sin = turn
        both = (both * cos + both.roll(self._width // 2, -1) * sin).transpose(0, 1)
        values = qkv[:, heads + self._kv_heads :].transpose(0, 1)
        attended, at = [], 0
        for part, hidden in zip(parts, unseen):
            mine = slice(at, at := at + len(part.mask))
            seen, said = part.cache.put(number, both[heads:, mine], values[:, mine])
            attended.append(
                F.scaled_dot_product_attention(
                    both[None, :heads, mine],
                    seen[None],
                    said[None],
                    attn_mask=hidden,
                    scale=layer.scale,
                    enable_gqa=True,
                )
            )
        together = torch.cat(attended, 2) if len(attended) > 1 else attended[0]
        return layer.out(together[0].transpose(0, 1).reshape(count, -1))

    def _turn(self, x: torch.Tensor, positions: torch.Tensor, kind: str):
        """Cosine and sine of the rotary embedding, (tokens, 1, width) each; the sine with the sign
        that its half gets when halves are exchanged."""
        cos, sin = self._rotary(x[None], positions[None], kind)
        sin = sin[0].clone()
        sin[:, : self._width // 2].neg_()
        return cos[0][:, None], sin[:, None]

    def _lay_out(self, layer: Any, hold: Hold) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        three = (attention.q_proj, attention.k_proj, attention.v_proj)
        return _Layer(
            kind=attention.layer_type,
            scale=attention.scaling,
            qkv=hold("qkv", torch.cat([linear.weight.detach() for linear in three])),
            out=hold("out", attention.o_proj.weight.detach()),
            gate_up=hold(
                "gate_up", torch.cat([mlp.gate_proj.weight.detach(), mlp.up_proj.weight.detach()])
            ),
            down=hold("down", mlp.down_proj.weight.detach()),
            norms=tuple(
                _scale(norm)
                for norm in (
                    layer.input_layernorm,
                    layer.post_attention_layernorm,
                    layer.pre_feedforward_layernorm,
                    layer.post_feedforward_layernorm,
                )
            ),
            heads_norm=torch.cat([
                _scale(attention.q_norm).expand(self._heads, -1),
                _scale(attention.k_norm).expand(self._kv_heads, -1),
            ]),
        )  # fmt: skip


def _hold_in(hold: Hold, layer: int, name: str, weight: torch.Tensor) -> Matrix:
    return hold(f"{layer}.{name}", weight)


def _scale(norm: Any) -> torch.Tensor:
    return 1.0 + norm.weight.detach().float()


def _rms(x: torch.Tensor, scale: torch.Tensor, eps: float) -> torch.Tensor:
    """RMSNorm in float32, rounded once, to the numbers of `x`."""
    wide = x.float()
    root = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (wide * root).mul_(scale).to(x.dtype)


def lean(model: PreTrainedModel, hold: Hold = plain) -> PreTrainedModel:
    """The same model with a lean body, where that helps."""
    if helps(model):
        model.model = LeanBody(model.model, hold)
    return model


def helps(model: PreTrainedModel) -> bool:
    """Whether a lean body can stand in for this model's own."""
    config = model.config
    gemma = (
        isinstance(getattr(model, "model", None), Gemma3TextModel)
        and config.hidden_activation == "gelu_pytorch_tanh"
        and not config.attention_bias
        and not config.use_bidirectional_attention
    )
    return gemma and model.device.type == "cpu" and model.dtype == torch.bfloat16 and has_bfloat16()


def has_bfloat16() -> bool:
    """Whether oneDNN multiplies bfloat16 on this processor."""
    onednn = torch.backends.mkldnn.is_available()
    return onednn and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
