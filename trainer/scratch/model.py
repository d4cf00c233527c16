"""The model: a decoder that reads a prefix (a sentence, a text with holes) and writes on from it.

Grouped-query attention with rotary positions, SwiGLU, RMSNorm before each, tied embeddings; the
shapes and names are Llama's, so an export renames and nothing more. Knows tensors alone: no text,
no training. Rows are padded on the right (training) or, told by `start`, on the left (decoding).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.scratch.config import ModelConfig


class Cache:
    """Each layer's keys and values of the columns that were read, (rows, kv_heads, columns, head);
    room for all columns is made at once, so a step copies none of the earlier ones."""

    def __init__(
        self,
        config: ModelConfig,
        rows: int,
        columns: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ):
        shape = (rows, config.kv_heads, columns, config.head_width)
        self.keys, self.values = (
            [torch.zeros(shape, dtype=dtype, device=device) for _ in range(config.layers)]
            for _ in range(2)
        )
        self.length = 0

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write new columns behind those that are there; all of the layer's, with them."""
        new = keys.shape[2]
        kept = [one[layer].narrow(2, 0, self.length + new) for one in (self.keys, self.values)]
        for one, columns in zip(kept, (keys, values)):
            one.narrow(2, self.length, new).copy_(columns)
        return kept[0], kept[1]

    def choose(self, rows: Tensor) -> None:
        """Go on with these rows, in this order; a row may come more than once."""
        self.keys = [one[rows] for one in self.keys]
        self.values = [one[rows] for one in self.values]


class Translator(nn.Module):
    """The whole model. `forward` gives hidden states, `logits` scores the next token of some."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocabulary, config.width)
        self.layers = nn.ModuleList(Block(config, number) for number in range(config.layers))
        self.norm = nn.RMSNorm(config.width, config.norm_eps)
        self.dropout = Dropout(config.dropout)
        self.cos: Tensor
        self.sin: Tensor
        cos, sin = rotary(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        """Matrices that keep the size of what they multiply; what is added 2 × layers times is so
        much smaller."""
        nn.init.normal_(self.embed_tokens.weight, std=self.config.width**-0.5)
        for name, matrix in self.layers.named_parameters():
            if matrix.dim() == 2:
                added = name.endswith(("o_proj.weight", "down_proj.weight"))
                shrink = (2 * self.config.layers) ** -0.5 if added else 1.0
                nn.init.normal_(matrix, std=shrink * matrix.shape[1] ** -0.5)

    def forward(
        self,
        tokens: Tensor,
        prefix: Tensor,
        start: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """Hidden states (rows, length, width) of `tokens` (rows, length), which stand behind what
        the cache holds. `prefix` (rows,): tokens of each row's prefix, all of which come with the
        first call; `start` (rows,): the column of its first token, None: 0 in every row. ValueError
        where a row would be longer than the model has positions."""
        first = cache.length if cache else 0
        end = first + tokens.shape[1]
        if end > self.config.positions:
            raise ValueError(f"{end} tokens: the model has {self.config.positions} positions")
        places = torch.arange(first, end, device=tokens.device)
        mask = self._mask(places, end, prefix, start)
        turn = self.cos[first:end], self.sin[first:end]
        if start is not None:
            places = (places - start[:, None]).clamp(min=0)[:, None]  # beside heads
            turn = self.cos[places], self.sin[places]
        states = self.dropout(self.embed_tokens(tokens))
        for layer in self.layers:
            states = layer(states, turn, mask, cache)
        if cache:
            cache.length = end
        return self.norm(states)

    def logits(self, states: Tensor) -> Tensor:
        """Scores of every token as the next one: (…, width) → (…, vocabulary)."""
        return F.linear(states, self.embed_tokens.weight)

    def _mask(
        self, places: Tensor, end: int, prefix: Tensor, start: Tensor | None
    ) -> Tensor | None:
        """Which columns each place sees, (rows or 1, 1, length, columns); None: those up to its
        own, of a square or of one last place."""
        causal = self.config.causal_prefix
        if start is None and (len(places) == 1 or (causal and len(places) == end)):
            return None
        columns = torch.arange(end, device=places.device)
        seen = (columns <= places[:, None])[None]
        begin = 0 if start is None else start[:, None]
        if not causal:
            seen = seen | (columns < begin + prefix[:, None])[:, None]
        if start is not None:  # padding sees itself: a row of nothing would have no softmax
            seen = (seen & (columns >= begin)[:, None]) | (columns == places[:, None])
        return seen[:, None]


def for_writing(net: Translator) -> Translator:
    """The net, not to be trained any more, with matrices of the same input joined, and those that
    give more than they take stored column by column: to write a token, a processor reads those in
    half the time. Names, shapes and values stay as they are."""
    net.eval().requires_grad_(False)
    net.embed_tokens.weight.data = by_column(net.embed_tokens.weight)
    for part in net.modules():
        if isinstance(part, Attention | FeedForward):
            part.joined = join(part.beside)
    return net


def by_column(matrix: Tensor) -> Tensor:
    """The matrix, stored column by column."""
    return matrix.t().contiguous().t()


def join(layers: Sequence[nn.Linear]) -> Tensor:
    """The layers' matrices as one, of which each layer's own becomes a part."""
    joined = by_column(torch.cat([one.weight for one in layers]))
    sizes = [one.out_features for one in layers]
    for one, part in zip(layers, joined.split(sizes)):
        one.weight.data = part
    return joined


class Block(nn.Module):
    """One layer: attention, then feed-forward, each on the normalised states and added to them."""

    def __init__(self, config: ModelConfig, number: int):
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.width, config.norm_eps)
        self.self_attn = Attention(config, number)
        self.post_attention_layernorm = nn.RMSNorm(config.width, config.norm_eps)
        self.mlp = FeedForward(config)
        self.dropout = Dropout(config.dropout)

    def forward(
        self,
        states: Tensor,
        turn: tuple[Tensor, Tensor],
        mask: Tensor | None,
        cache: Cache | None,
    ) -> Tensor:
        seen = self.self_attn(self.input_layernorm(states), turn, mask, cache)
        states = states + self.dropout(seen)
        return states + self.dropout(self.mlp(self.post_attention_layernorm(states)))


class Attention(nn.Module):
    """Grouped-query attention: several heads of queries share one of keys and values."""

    def __init__(self, config: ModelConfig, number: int):
        super().__init__()
        self.number, self.head = number, config.head_width
        self.heads, self.shared = config.heads, config.kv_heads
        self.joined: Tensor | None
        self.register_buffer("joined", None, persistent=False)
        keys = self.shared * self.head
        self.q_proj = nn.Linear(config.width, config.width, bias=False)
        self.k_proj = nn.Linear(config.width, keys, bias=False)
        self.v_proj = nn.Linear(config.width, keys, bias=False)
        self.o_proj = nn.Linear(config.width, config.width, bias=False)

    def forward(
        self,
        states: Tensor,
        turn: tuple[Tensor, Tensor],
        mask: Tensor | None,
        cache: Cache | None,
    ) -> Tensor:
        joined = self.joined
        if joined is None:
            joined = torch.cat([one.weight for one in self.beside])
        parts = F.linear(states, joined)
        heads = parts.unflatten(-1, (-1, self.head)).transpose(1, 2)  # (rows, heads, length, head)
        turned, values = heads.split((self.heads + self.shared, self.shared), dim=1)
        queries, keys = rotate(turned, turn).split((self.heads, self.shared), dim=1)
        if cache:
            keys, values = cache.extend(self.number, keys, values)
        square = mask is None and queries.shape[2] > 1
        grouped = self.heads != self.shared
        seen = F.scaled_dot_product_attention(
            queries, keys, values, mask, is_causal=square, enable_gqa=grouped
        )
        return self.o_proj(seen.transpose(1, 2).flatten(2))

    @property
    def beside(self) -> Sequence[nn.Linear]:
        """The layers that read the same states."""
        return self.q_proj, self.k_proj, self.v_proj


class FeedForward(nn.Module):
    """SwiGLU: one projection, through SiLU, opens and closes the other."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.gate_proj = nn.Linear(config.width, config.ffn, bias=False)
        self.up_proj = nn.Linear(config.width, config.ffn, bias=False)
        self.down_proj = nn.Linear(config.ffn, config.width, bias=False)
        self.joined: Tensor | None
        self.register_buffer("joined", None, persistent=False)

    def forward(self, states: Tensor) -> Tensor:
        if self.joined is None:
            gate, up = self.gate_proj(states), self.up_proj(states)
        else:
            gate, up = F.linear(states, self.joined).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)

    @property
    def beside(self) -> Sequence[nn.Linear]:
        """The layers that read the same states."""
        return self.gate_proj, self.up_proj


class Dropout(nn.Module):
    """Dropout by random bytes, so `share` counts in 256ths: on processors torch's own draws each
    number by itself, which takes an eighth of a training step here."""

    def __init__(self, share: float):
        super().__init__()
        self.least = round(256 * share)

    def forward(self, states: Tensor) -> Tensor:
        if not self.training or not self.least:
            return states
        drawn = torch.randint(256, states.shape, dtype=torch.uint8, device=states.device)
        return states * (drawn >= self.least).to(states.dtype).mul_(256 / (256 - self.least))


def rotary(config: ModelConfig) -> tuple[Tensor, Tensor]:
    """Cosines and sines of each position's angles, (positions, head) each; the halves of a head are
    the two coordinates that turn together, as in transformers. The first half's sines are negative,
    as `rotate` wants them."""
    half = torch.arange(0, config.head_width, 2) / config.head_width
    speeds = torch.exp(-math.log(config.rope_theta) * half)
    angles = torch.outer(torch.arange(config.positions).float(), speeds)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat((cos, cos), dim=-1), torch.cat((-sin, sin), dim=-1)


def rotate(heads: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Queries or keys (rows, heads, length, head) turned by their positions."""
    cos, sin = (one.to(heads.dtype) for one in turn)
    return heads * cos + heads.roll(heads.shape[-1] // 2, dims=-1) * sin
