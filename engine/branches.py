"""Rows of tokens that grow from one prefix, in one KV cache.

The prefix runs through the model once; each batch of branches starts from a copy of its cache.
Knows no task: tokens in, hidden states and logits out.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F
from transformers import DynamicCache, PreTrainedModel


@dataclass(frozen=True)
class Prefix:
    """What all branches share, already run through the model."""

    cache: DynamicCache
    length: int


class Runner:
    """Runs one model: prefixes, branches, and logits over chosen rows of the head."""

    def __init__(self, model: PreTrainedModel):
        self.decoder = model.get_decoder()
        self.head = model.get_output_embeddings().weight
        self.device = self.head.device
        self._config = model.config
        self._cap = getattr(model.config, "final_logit_softcapping", None)

    def prefix(self, tokens: Sequence[int]) -> Prefix:
        """Run a prefix through the model."""
        cache = DynamicCache(config=self._config)
        ids = torch.tensor([list(tokens)], device=self.device)
        self.decoder(input_ids=ids, past_key_values=cache, use_cache=True)
        return Prefix(cache, len(tokens))

    def branch(self, prefix: Prefix, rows: int) -> Branches:
        """That many branches behind a prefix, which stays as it is."""
        return Branches(self, prefix, rows)

    def logits(self, hidden: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
        """float32 logits of hidden states (rows, width) over rows of the head (ids, width)."""
        return self.capped(F.linear(hidden, head).float())

    def own_logits(self, hidden: torch.Tensor, tokens: Sequence[int]) -> torch.Tensor:
        """One logit a row, (rows, 1): that of the row's own token."""
        head = self.head[torch.tensor(tokens, device=self.device)]
        return self.capped((hidden * head).sum(-1, keepdim=True).float())

    def capped(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.tanh(logits / self._cap) * self._cap if self._cap else logits


class Branches:
    """Rows behind one prefix, each growing by its own tokens."""

    def __init__(self, runner: Runner, prefix: Prefix, rows: int):
        self._runner = runner
        self._cache = copy.deepcopy(prefix.cache)
        self._cache.batch_repeat_interleave(rows)
        device = runner.device
        self._mask = torch.ones(rows, prefix.length, dtype=torch.long, device=device)
        self._at = torch.full((rows,), prefix.length, device=device)

    def feed(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Append each row's tokens (one at least); hidden states of the last: (rows, width)."""
        width = max(map(len, tokens))
        pads = [width - len(row) for row in tokens]
        ids = torch.tensor([[0] * pad + list(row) for pad, row in zip(pads, tokens)])
        real = torch.tensor([[0] * pad + [1] * len(row) for pad, row in zip(pads, tokens)])
        ids, real = ids.to(self._runner.device), real.to(self._runner.device)
        self._mask = torch.cat([self._mask, real], dim=1)
        positions = self._at[:, None] + (real.cumsum(1) - 1).clamp(min=0)
        self._at = self._at + real.sum(1)
        states = self._runner.decoder(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
        )
        return states.last_hidden_state[:, -1]

    def copy(self) -> Branches:
        """The same rows in a cache of their own."""
        twin = copy.copy(self)
        twin._cache = copy.deepcopy(self._cache)
        return twin

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; one may be kept several times."""
        if list(rows) == list(range(len(self._at))):
            return
        index = torch.tensor(rows, device=self._runner.device)
        self._cache.batch_select_indices(index)
        self._mask, self._at = self._mask[index], self._at[index]
