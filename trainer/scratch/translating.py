"""Sentences → their translations by a model from nothing, in batches of like length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from trainer.scratch.decode import Written, beam, greedy, sample
from trainer.scratch.errors import ScratchError
from trainer.scratch.model import Translator
from trainer.scratch.tokenizer import Codec

BEAMS = 4
_BATCH = 64  # sentences that are written side by side
_MOST = (2, 16)  # tokens of a translation: so many times its sentence's, and so many more


@dataclass(frozen=True)
class Draw:
    """How translations are drawn at random: from the fewest tokens that have `top_p` of the
    probability, after `temperature`. Sentence n draws by `seed` + n, whoever is beside it."""

    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.temperature <= 0 or not 0 < self.top_p <= 1:
            raise ScratchError(
                "bad_recipe",
                f"temperature = {self.temperature}, top-p = {self.top_p}: the first is above 0, the"
                " second above 0 and up to 1",
            )


def translate(
    net: Translator,
    codec: Codec,
    sentences: Sequence[str],
    pair: str,
    beams: int = 1,
    compute: torch.dtype = torch.float32,
    batch: int = _BATCH,
    draw: Draw | None = None,
) -> list[str]:
    """The translation of each sentence, "" of an empty one; `beams` 1: the likeliest token at each
    step; `draw`: tokens at random in place of either. ScratchError where a sentence is longer than
    the model can read."""
    if beams < 1:
        raise ScratchError("bad_recipe", f"beams = {beams}: a whole number from 1 on")
    source, _, target = pair.partition("-")
    prompts = [codec.question(ids, source, target) for ids in codec.encode(sentences)]
    longest = max(map(len, prompts), default=0)
    if 2 * longest > net.config.positions:
        raise ScratchError(
            "no_room",
            f"a sentence has {longest} tokens; the model reads and writes"
            f" {net.config.positions} together: translate it in parts",
        )
    texts = [""] * len(prompts)
    few = compute != torch.float32
    with torch.autocast(next(net.parameters()).device.type, compute, enabled=few):
        for numbers in _like_lengths(prompts, batch):
            some = [prompts[n] for n in numbers]
            found = _way(numbers, beams, draw)(net, some, codec.end, _most(some))
            for number, one in zip(numbers, found):
                texts[number] = codec.decode(one.tokens).strip()
    return texts


def _like_lengths(prompts: Sequence[Sequence[int]], batch: int) -> Iterator[list[int]]:
    """Numbers of prompts that have a sentence, those of like length together."""
    order = sorted(range(len(prompts)), key=lambda n: len(prompts[n]))
    some = [number for number in order if len(prompts[number]) > 2]
    for start in range(0, len(some), batch):
        yield some[start : start + batch]


def _most(prompts: Sequence[Sequence[int]]) -> int:
    times, more = _MOST
    return times * max(map(len, prompts)) + more


def _way(numbers: Sequence[int], beams: int, draw: Draw | None) -> Callable[..., list[Written]]:
    """What writes the sentences of these numbers."""
    if draw:
        seeds = [draw.seed + number for number in numbers]
        return partial(sample, temperature=draw.temperature, top_p=draw.top_p, seeds=seeds)
    return greedy if beams == 1 else partial(beam, beams=beams)
