"""Sentences → their translations by a model from nothing, in batches of like length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from trainer.fields import RecipeError
from trainer.scratch.decode import Written, beam, greedy
from trainer.scratch.model import Translator
from trainer.scratch.tokenizer import Codec

BEAMS = 4
_BATCH = 64  # sentences that are written side by side
_MOST = (2, 16)  # tokens of a translation: so many times its sentence's, and so many more


def translate(
    net: Translator,
    codec: Codec,
    sentences: Sequence[str],
    pair: str,
    beams: int = 1,
    compute: torch.dtype = torch.float32,
    batch: int = _BATCH,
) -> list[str]:
    """The translation of each sentence, "" of an empty one; `beams` 1: the likeliest token at each
    step. RecipeError where a sentence is longer than the model can read."""
    source, _, target = pair.partition("-")
    prompts = [codec.question(ids, source, target) for ids in codec.encode(sentences)]
    longest = max(map(len, prompts), default=0)
    if 2 * longest > net.config.positions:
        raise RecipeError(
            f"a sentence has {longest} tokens; the model reads and writes"
            f" {net.config.positions} together: translate it in parts"
        )
    texts = [""] * len(prompts)
    few = compute != torch.float32
    with torch.autocast(next(net.parameters()).device.type, compute, enabled=few):
        for numbers in _like_lengths(prompts, batch):
            found = _write(net, [prompts[n] for n in numbers], codec.end, beams)
            for number, one in zip(numbers, found):
                texts[number] = codec.decode(one.tokens).strip()
    return texts


def _like_lengths(prompts: Sequence[Sequence[int]], batch: int) -> Iterator[list[int]]:
    """Numbers of prompts that have a sentence, those of like length together."""
    order = sorted(range(len(prompts)), key=lambda n: len(prompts[n]))
    some = [number for number in order if len(prompts[number]) > 2]
    for start in range(0, len(some), batch):
        yield some[start : start + batch]


def _write(net: Translator, prompts: list[tuple[int, ...]], end: int, beams: int) -> list[Written]:
    times, more = _MOST
    most = times * max(map(len, prompts)) + more
    if beams == 1:
        return greedy(net, prompts, end, most)
    return beam(net, prompts, end, most, beams)
