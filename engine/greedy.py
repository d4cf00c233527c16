"""The likeliest tokens behind prompts, for any causal language model: one row or a batch of them.

Goes through the model's body and head, so that logits exist at the last position alone: those of a
whole batch of prompts would be gigabytes. Adapters that are active in the model take part. Knows
tokens, no text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache

IsOver = Callable[[int, Sequence[int]], bool]
"""Called with a row's number and its tokens so far, after each one."""


class Growing:
    """Rows of a batch that grow by a token at each step, through one cache of their own."""

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]]):
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._body, self._head = base.get_decoder(), base.get_output_embeddings()
        self._cache = DynamicCache(config=base.config)
        self._both = getattr(base.config, "prefix", "") == "both"  # how a prompt sees itself
        device, length = self._head.weight.device, max(map(len, prompts))
        pads = [length - len(prompt) for prompt in prompts]
        padded = [[0] * pad + list(prompt) for pad, prompt in zip(pads, prompts)]
        seen = [[0] * pad + [1] * (length - pad) for pad in pads]
        self._ids = torch.tensor(padded, device=device)
        self._mask = torch.tensor(seen, device=device)

    @torch.no_grad()
    def step(self) -> list[int]:
        """The next token of each row."""
        length, seen = self._ids.shape[1], self._mask
        places = (seen.cumsum(-1) - 1).clamp(min=0)[:, -length:]
        if self._both and length > 1:  # the prompt: each token sees all of it
            seen = seen[:, None, None].bool().expand(-1, 1, length, -1)
        hidden = self._body(
            input_ids=self._ids, attention_mask=seen, position_ids=places,
            past_key_values=self._cache, use_cache=True,
        ).last_hidden_state[:, -1]  # fmt: skip
        self._ids = self._head(hidden.to(self._head.weight.dtype)).max(-1, keepdim=True).indices
        self._mask = torch.cat([self._mask, torch.ones_like(self._ids)], -1)
        return self._ids[:, 0].tolist()

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows of the batch alone."""
        index = torch.tensor(rows, device=self._ids.device)
        self._ids, self._mask = self._ids[index], self._mask[index]
        self._cache.batch_select_indices(index)


def grow(
    model: Any, prompts: Sequence[Sequence[int]], is_over: IsOver, most: int
) -> list[list[int]]:
    """Each prompt's likeliest tokens, up to the one at which it is over, or `most`. Rows that are
    over leave the batch when they are half of it."""
    return grow_on(Growing(model, prompts), len(prompts), is_over, most)


def grow_on(growing: Growing, count: int, is_over: IsOver, most: int) -> list[list[int]]:
    """The same for `count` rows that stand at their beginnings."""
    written: list[list[int]] = [[] for _ in range(count)]
    batch, going = list(range(count)), set(range(count))
    for _ in range(most):
        for number, token in zip(batch, growing.step()):
            if number in going:
                written[number].append(token)
                if is_over(number, written[number]):
                    going.discard(number)
        if not going:
            break
        if 2 * len(going) <= len(batch):
            growing.keep([row for row, number in enumerate(batch) if number in going])
            batch = [number for number in batch if number in going]
    return written
