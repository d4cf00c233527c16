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
    generator: Any = model
    tokenizer = prompt.tokenizer
    pad = tokenizer.pad_token_id or 0
    ends = [prompt.end, *([tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else [])]
    written: list[Written] = []
    device = next(model.parameters()).device
    for start in range(0, len(queries), _BATCH):
        asked = queries[start : start + _BATCH]
        prompts = [sum(prompt.parts(query), ()) for query in asked]
        length = max(map(len, prompts))
        ids = torch.tensor([[pad] * (length - len(p)) + list(p) for p in prompts], device=device)
        mask = torch.tensor(
            [[0] * (length - len(p)) + [1] * len(p) for p in prompts], device=device
        )
        given = generator.generate(
            input_ids=ids, attention_mask=mask, max_new_tokens=most, do_sample=False,
            eos_token_id=ends, pad_token_id=pad,
        )  # fmt: skip
        for query, tokens in zip(asked, given[:, length:].tolist()):
            written.append(_read(prompt, query, tokens, ends))
    return written


def _read(prompt: SensePrompt, query: Query, tokens: list[int], ends: list[int]) -> Written:
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
