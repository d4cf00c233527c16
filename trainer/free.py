"""What a model writes when nothing holds it: whether that is an answer, and whether it ends.

Readers' answers are written within bounds and always well-formed; this shows what was learnt of
the form itself, and answers in styles that have no bounds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from engine.greedy import grow
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


def write_freely(
    model: nn.Module, prompt: SensePrompt, queries: Sequence[Query], most: int = 32
) -> list[Written]:
    """The likeliest text behind each query's prompt, at most `most` tokens; greedy."""
    written: list[Written] = []
    ends = {prompt.end, prompt.tokenizer.eos_token_id}
    for start in range(0, len(queries), _BATCH):
        asked = queries[start : start + _BATCH]
        prompts = [sum(prompt.parts(query), ()) for query in asked]
        grown = grow(model, prompts, lambda _, tokens: tokens[-1] in ends, most)
        for query, tokens in zip(asked, grown):
            written.append(_read(prompt, query, tokens, ends))
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
