"""What the model is trained on: samples of a prefix and its answer, their batches, their order.

Batches hold samples of like length, as many as a number of tokens takes; any step's can be had
without those before it, so a run that was stopped goes on exactly where it was.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import torch

from trainer.scratch.corruption import corrupt
from trainer.scratch.errors import ScratchError
from trainer.scratch.tokenizer import Codec

_POOL = 50  # batches among which samples of like length are looked for


@dataclass(frozen=True)
class Sample:
    """A prefix, and the answer that is learnt, its end token with it."""

    prefix: tuple[int, ...]
    answer: tuple[int, ...]

    def __len__(self) -> int:
        """Tokens that the model reads: the answer's last is only to be written."""
        return len(self.prefix) + len(self.answer) - 1

    @property
    def weight(self) -> float:
        return float(len(self.answer))

    @property
    def count(self) -> int:
        return 1


@dataclass(frozen=True)
class Batch:
    """Samples padded on the right. `tokens`: (rows, length); `prefix`: (rows,) tokens of each
    prefix; of each answer token `at`, its place in the flattened states that predict it, `target`,
    its id, and `weight`, its share of the loss."""

    tokens: torch.Tensor
    prefix: torch.Tensor
    at: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(*(getattr(self, one.name).to(device) for one in fields(self)))


def make_batch(samples: Sequence[Sample], pad: int = 0) -> Batch:
    """The samples as tensors."""
    length = max(map(len, samples))
    rows, at, target = [], list[int](), list[int]()
    for number, one in enumerate(samples):
        read = (*one.prefix, *one.answer[:-1])
        rows.append(read + (pad,) * (length - len(read)))
        first = number * length + len(one.prefix) - 1
        at += range(first, first + len(one.answer))
        target += one.answer
    return Batch(
        torch.tensor(rows),
        torch.tensor([len(one.prefix) for one in samples]),
        torch.tensor(at),
        torch.tensor(target),
        torch.ones(len(at)),
    )


def cut(samples: Sequence[Sample], most: int) -> list[Sequence[Sample]]:
    """A batch whole: its tokens are bounded when it is made."""
    return [samples]


Make = Callable[[int, int], Sample]
"""The sample of a number in an epoch."""


class Order:
    """All batches of a run: each sample once an epoch, in an order fixed by the seed."""

    def __init__(
        self, lengths: Sequence[int], make: Make, steps: int, tokens: int, seed: int,
        accumulation: int = 1,
    ):  # fmt: skip
        """`lengths`: tokens of each sample; `tokens`: of a batch, padding with them."""
        self._lengths, self._make = lengths, make
        self.steps, self._tokens, self._seed = steps, tokens, seed
        self._accumulation = accumulation

    def from_step(self, step: int) -> Iterator[list[list[Sample]]]:
        """The batches of each step, from this one on, without end."""
        numbered = (
            (epoch, numbers) for epoch in itertools.count() for numbers in self.batches_of(epoch)
        )
        rest = itertools.islice(numbered, step * self._accumulation, None)
        while True:
            mine = list(itertools.islice(rest, self._accumulation))
            yield [[self._make(i, epoch) for i in numbers] for epoch, numbers in mine]

    def batches_of(self, epoch: int) -> list[list[int]]:
        """The epoch's batches, as numbers of samples."""
        draw = random.Random(f"{self._seed} {epoch}")
        shuffled = draw.sample(range(len(self._lengths)), len(self._lengths))
        pool = max(1, _POOL * self._tokens // (max(self._lengths) or 1))
        batches = []
        for start in range(0, len(shuffled), pool):
            near = sorted(shuffled[start : start + pool], key=self._lengths.__getitem__)
            batches += self._cut(near)
        draw.shuffle(batches)
        return batches

    def _cut(self, near: Sequence[int]) -> list[list[int]]:
        """Numbers in order of length, as batches."""
        batches: list[list[int]] = [[]]
        for number in near:
            if batches[-1] and (len(batches[-1]) + 1) * self._lengths[number] > self._tokens:
                batches.append([])
            batches[-1].append(number)
        return batches


def pair_samples(
    codec: Codec, sources: Sequence[str], targets: Sequence[str], pair: str, positions: int
) -> list[Sample]:
    """Sentences with their translations; those that are longer than the model's positions are left
    out."""
    source, _, target = pair.partition("-")
    made = [
        Sample(codec.question(asked, source, target), (*said, codec.end))
        for asked, said in zip(codec.encode(sources), codec.encode(targets), strict=True)
        if asked and said
    ]
    return [one for one in made if len(one) <= positions]


def gap_samples(
    codec: Codec, texts: Sequence[tuple[str, Sequence[str]]], positions: int, seed: int,
    share: float, mean: float,
) -> tuple[list[int], Make]:  # fmt: skip
    """Lines of some languages with holes, other holes each epoch: the samples' lengths, and what
    makes each of them. A line that is longer than the model's positions is cut; ScratchError where
    they leave no room for any, or no line has two tokens."""
    room = int(positions / (1 + 2 * share)) - 4
    if room < 2:
        raise ScratchError("few_positions", f"model.positions = {positions}: no line is that short")
    lines = [
        (language, ids[:room])
        for language, mine in texts
        for ids in codec.encode(mine)
        if len(ids) > 1
    ]

    if not lines:
        raise ScratchError("empty_corpus", "texts: no line has two tokens")

    def make(number: int, epoch: int) -> Sample:
        language, ids = lines[number]
        draw = random.Random(f"{seed} {epoch} {number}")
        text, answer = corrupt(ids, codec.holes, draw, share, mean)
        return Sample(codec.gap_text(text, language), (*answer, codec.end))

    return [len(make(number, 0)) for number in range(len(lines))], make
