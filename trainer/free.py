"""What a model writes when nothing holds it: whether that is an answer, and whether it ends.

Readers' answers are written within bounds and always well-formed; this shows what was learnt of
the form itself, and answers in styles that have no bounds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import DynamicCache

from engine.prompt import SensePrompt
from engine.sense import Query, Sense, from_wire
from trainer.wire import WirePrompt

_BATCH = 16


@dataclass(frozen=True)
class Written:
    """What was written behind a prompt: `text` up to its end, `ended` whether it came to one
    within the bounds, `sense` what it states, None where that is no answer."""

    text: str
    tokens: int
    ended: bool
    sense: Sense | None


@torch.no_grad()
def write_freely(
    model: nn.Module, prompt: SensePrompt, queries: Sequence[Query], most: int = 32
) -> list[Written]:
    """The likeliest text behind each query's prompt, at most `most` tokens; greedy."""
    written: list[Written] = []
    for start in range(0, len(queries), _BATCH):
        asked = queries[start : start + _BATCH]
        prompts = [sum(prompt.parts(query), ()) for query in asked]
        ends = {prompt.end, prompt.tokenizer.eos_token_id}
        for query, tokens in zip(asked, _greedy(model, prompts, ends, most)):
            written.append(_read(prompt, query, tokens, ends))
    return written


def _greedy(
    model: Any, prompts: list[tuple[int, ...]], ends: set[int | None], most: int
) -> list[list[int]]:
    """The likeliest tokens behind each prompt, up to an end. Logits are taken of the last position
    alone: those of a whole batch of prompts would be gigabytes."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    body, head = base.get_decoder(), base.get_output_embeddings()
    device, length = head.weight.device, max(map(len, prompts))
    ids = torch.tensor([[0] * (length - len(p)) + list(p) for p in prompts], device=device)
    mask = torch.tensor([[0] * (length - len(p)) + [1] * len(p) for p in prompts], device=device)
    cache = DynamicCache(config=base.config)
    written: list[list[int]] = [[] for _ in prompts]
    open_rows = set(range(len(prompts)))
    while open_rows and len(written[0]) < most:
        places = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        hidden = body(
            input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache,
            use_cache=True,
        ).last_hidden_state[:, -1]  # fmt: skip
        ids = head(hidden.to(head.weight.dtype)).argmax(-1, keepdim=True)
        mask = torch.cat([mask, torch.ones_like(ids)], -1)
        for number, token in enumerate(ids[:, 0].tolist()):
            written[number].append(token)
            if token in ends:
                open_rows.discard(number)
    return written


def _read(prompt: SensePrompt, query: Query, tokens: list[int], ends: set[int | None]) -> Written:
    count = next((i for i, token in enumerate(tokens) if token in ends), None)
    kept = tokens[:count]
    text = str(prompt.tokenizer.decode(kept, skip_special_tokens=True)).strip()
    try:
        sense = from_wire(query, parse(text, isinstance(prompt, WirePrompt)))
    except ValueError:
        sense = None
    return Written(text, len(kept), count is not None, sense if count is not None else None)


def parse(text: str, as_json: bool) -> dict[str, Any]:
    """The answer that a text states, in the wire format; ValueError where it states none."""
    if as_json:
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("not an object")
        return found
    head, *parts = text.split("|")
    word_class, _, members = head.strip().partition(" ")
    if word_class == "proper":  # the one class of two words
        rest = members.strip().partition(" ")
        word_class, members = f"proper {rest[0]}", rest[2]
    if len(parts) != (2 if members.strip() else 1):
        raise ValueError("not all fields are there")
    phrase = f"{members.strip()}|{parts[1].strip()}" if len(parts) == 2 else ""
    return {"class": word_class, "zh": parts[0].strip(), "phrase": phrase}
