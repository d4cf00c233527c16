"""What models write when nothing holds them: the base and adapters over it in one batch, greedy.

An answer ends with a line. A model that was taught so ends behind a whole answer; one that was not
writes on, and is let, up to a bound: then it shows what it does. Knows no folders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import regex
import torch
from transformers import DynamicCache

from engine.sense import CLASSES, Query, from_wire

_BATCH = 64
_CLASS = "|".join(sorted(CLASSES, key=len, reverse=True))

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Raw:
    """One text in `tokens` tokens: `ended` says whether it stopped by itself behind a whole answer;
    its first `answer` characters are that answer (0: there is none), `over` tokens stand behind.
    `valid`: the answer can be given, its phrase stands in the sentence and holds the word."""

    text: str
    tokens: int
    ended: bool
    answer: int
    over: int
    valid: bool


@dataclass(frozen=True)
class Ask:
    """One row of a batch: the prompt's tokens, and the adapter's name that goes on with them."""

    prompt: tuple[int, ...]
    adapter: str
    query: Query


@torch.no_grad()
def write_raw(
    model: Any,
    tokenizer: Any,
    asked: Sequence[Ask],
    ends: frozenset[int],
    most: int,
    progress: Progress = lambda share: None,
) -> list[Raw]:
    """The likeliest text behind each row, in order. `model` is a PeftModel that has the adapters
    (`__base__` is none), or the base alone; `ends` are the tokens that end a line or everything."""

    def read(tokens: Sequence[int]) -> str:
        return str(tokenizer.decode(tokens, skip_special_tokens=True))

    written: list[Raw] = []
    for start in range(0, len(asked), _BATCH):
        some = asked[start : start + _BATCH]

        def is_over(number: int, tokens: Sequence[int], some: Sequence[Ask] = some) -> bool:
            """Behind an end: whether a whole answer and nothing else stands before it."""
            text = read(tokens[:-1])
            return 0 < whole_answer(some[number].query, text) == len(text.rstrip())

        def tick(step: int, start: int = start, some: Sequence[Ask] = some) -> None:
            progress((start + len(some) * step / most) / len(asked))

        rows = _greedy(model, some, ends, most, is_over, tick)
        for one, (tokens, ended) in zip(some, rows):
            kept = tokens[:-1] if ended else tokens
            text = read(kept)
            answer = whole_answer(one.query, text)
            within = _count_within(read, kept, answer) if answer and not ended else len(kept)
            valid = bool(answer) and _is_valid(one.query, text)
            over = len(kept) - within if answer else len(kept)
            written.append(Raw(text, len(kept), ended, answer, over, valid))
    progress(1.0)
    return written


def whole_answer(query: Query, text: str) -> int:
    """How many characters from the start have the form of a whole answer to the query; 0: none."""
    found = _match(query, text)
    return found.end() if found else 0


def _match(query: Query, text: str) -> Any:
    meaning = rf"(?:[\p{{Han}}…·]+|{regex.escape(query.target)})"
    found = regex.match(rf"\s*({_CLASS})(?: ([^|\n]+))?\|({meaning})(?:\|({meaning}))?", text)
    return found if found and bool(found[2]) == bool(found[4]) else None


def _is_valid(query: Query, text: str) -> bool:
    word_class, members, zh, phrase_zh = _match(query, text).groups()
    phrase = f"{members}|{phrase_zh}" if members else ""
    try:
        from_wire(query, {"class": word_class, "zh": zh, "phrase": phrase})
    except ValueError:
        return False
    return True


def _count_within(
    read: Callable[[Sequence[int]], str], tokens: Sequence[int], characters: int
) -> int:
    """How many tokens it takes to write these characters."""
    return next(n for n in range(1, len(tokens) + 1) if len(read(tokens[:n])) >= characters)


def _greedy(
    model: Any,
    asked: Sequence[Ask],
    ends: frozenset[int],
    most: int,
    is_over: Callable[[int, Sequence[int]], bool],
    tick: Callable[[int], None],
) -> list[tuple[list[int], bool]]:
    """Each row's tokens, and whether it is over. Of the logits only the last position's are taken.
    Rows that are over leave the batch when they are half of it."""
    device, length = model.device, max(len(one.prompt) for one in asked)
    pads = [length - len(one.prompt) for one in asked]
    ids = torch.tensor([[0] * n + list(one.prompt) for n, one in zip(pads, asked)], device=device)
    mask = torch.tensor([[0] * n + [1] * (length - n) for n in pads], device=device)
    cache, has_adapters = DynamicCache(config=model.config), hasattr(model, "peft_config")
    written: list[list[int]] = [[] for _ in asked]
    batch, going = list(range(len(asked))), set(range(len(asked)))
    for step in range(most):
        places = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        # By its place: of a number torch makes a view, and copies the head for each row.
        last = torch.tensor([ids.shape[1] - 1], device=device)
        named = {"adapter_names": [asked[n].adapter for n in batch]} if has_adapters else {}
        logits = model(
            input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache,
            use_cache=True, logits_to_keep=last, **named,
        ).logits[:, -1]  # fmt: skip
        ids = logits.max(-1, keepdim=True).indices
        mask = torch.cat([mask, torch.ones_like(ids)], -1)
        for number, token in zip(batch, ids[:, 0].tolist()):
            if number in going:
                written[number].append(token)
                if token in ends and is_over(number, written[number]):
                    going.discard(number)
        tick(step + 1)
        if not going:
            break
        if 2 * len(going) <= len(batch):
            rows = torch.tensor([r for r, n in enumerate(batch) if n in going], device=device)
            ids, mask, batch = ids[rows], mask[rows], [n for n in batch if n in going]
            cache.batch_select_indices(rows)
    return [(tokens, number not in going) for number, tokens in enumerate(written)]
