"""Examples → padded tensors: prompt and answer tokens, with which positions count and how much.

All examples of one context are packed behind one copy of it: each question and answer sees the
context and itself, never the others, exactly as if it stood alone (prefix sharing: about half
the tokens). Only answer positions carry loss; head and softmax are computed there alone.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import torch

from engine.prompt import FIELDS, SensePrompt
from engine.sense import Query
from engine.translation import TranslationPrompt
from engine.trie import Trie
from trainer.examples import Example, TranslationExample

LARGEST_PACK = 8  # examples behind one copy of their context


@dataclass(frozen=True)
class Row:
    """One example behind its context: its question's tokens, its answer's, and each answer token's
    field number and loss weight (0 in fields that its source does not know). `gains`: what the
    wordbook adds to the logits that predict an answer token, as (its number, token, nats).
    `person`: a person gave the answer. `taught`: the number of what a teacher says of its first
    answer token, the others' following it; -1: nothing."""

    question: tuple[int, ...]
    answer: tuple[int, ...]
    fields: tuple[int, ...]
    weights: tuple[float, ...]
    gains: tuple[tuple[int, int, float], ...] = ()
    person: bool = False
    taught: int = -1


@dataclass(frozen=True)
class Pack:
    """Rows that share the prefix before them."""

    prefix: tuple[int, ...]
    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.prefix) + sum(len(r.question) + len(r.answer) - 1 for r in self.rows)

    @property
    def weight(self) -> float:
        """The loss weight of all its answer tokens."""
        return sum(sum(row.weights) for row in self.rows)

    @property
    def count(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Batch:
    """Packs padded on the right. `input_ids`, `position_ids`: (packs, length); `mask`: (packs, 1,
    length, length), True where a token sees another. The rest has one entry an answer token: `at`
    its place in the flattened hidden states that predict it, `target` its id, `field` its field's
    number, `weight` its share of the loss, `row` the number of its row, `taught` the number of what
    a teacher says of it (-1: nothing). `gain_at`, `gain_token`, `gain`: what is added to the logit
    of a token at an answer token's place."""

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    mask: torch.Tensor
    at: torch.Tensor
    target: torch.Tensor
    field: torch.Tensor
    weight: torch.Tensor
    row: torch.Tensor
    taught: torch.Tensor
    gain_at: torch.Tensor
    gain_token: torch.Tensor
    gain: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(*(getattr(self, one.name).to(device) for one in fields(self)))


Worths = Callable[[Example], Mapping[str, float]]
"""What known meanings of an example's word are worth, in nats."""


Hint = Callable[[Query], Sequence[int]]
"""Members of a known phrase that a question names, for the prompt style that names one."""


@dataclass(frozen=True)
class Weights:
    """Loss weights: of each of FIELDS, and of what holds an answer together."""

    fields: tuple[float, ...] = (1.0,) * len(FIELDS)
    structure: float = 1.0


def no_hint(query: Query) -> Sequence[int]:
    return ()


def make_packs(
    examples: Sequence[Example],
    prompt: SensePrompt,
    worths: Worths | None = None,
    hint: Hint = no_hint,
    weights: Weights = Weights(),
) -> list[Pack]:
    """The examples as packs, in order of their contexts' first appearance."""
    rows: dict[tuple[int, ...], list[Row]] = defaultdict(list)
    for example in examples:
        prefix, row = _make_row(example, prompt, worths, hint, weights)
        rows[prefix].append(row)
    return _cut_packs(rows)


def _cut_packs(rows: Mapping[tuple[int, ...], Sequence[Row]]) -> list[Pack]:
    return [
        Pack(prefix, tuple(mine[i : i + LARGEST_PACK]))
        for prefix, mine in rows.items()
        for i in range(0, len(mine), LARGEST_PACK)
    ]


def _make_row(
    example: Example, prompt: SensePrompt, worths: Worths | None, hint: Hint, weigh: Weights
) -> tuple[tuple[int, ...], Row]:
    answers = prompt.answer(example.query, example.sense)
    ids, numbers, structure = zip(*answers.marked())
    prefix, question = prompt.parts(example.query, hint(example.query))
    weights = tuple(
        example.weight
        * (FIELDS[number] in example.fields)
        * (weigh.structure if holds else weigh.fields[number])
        for number, holds in zip(numbers, structure)
    )
    gains: tuple[tuple[int, int, float], ...] = ()
    if worths and answers.meaning:
        known = Trie((prompt.ids(text), worth) for text, worth in worths(example).items())
        first = len(answers.word_class) + len(answers.phrase)
        gains = tuple(_gains(known, answers.meaning, first))
    return prefix, Row(question, ids, numbers, weights, gains, example.person)


def _gains(known: Trie, meaning: Sequence[int], first: int) -> Iterator[tuple[int, int, float]]:
    """What known meanings add along the right one, whose first token has the number `first`."""
    place: Trie | None = known
    for number, token in enumerate(meaning, first):
        if place is None:
            return
        yield from ((number, after, branch.worth) for after, branch in place.next.items())
        if place.whole:
            yield number, meaning[-1], place.whole
        place = place.next.get(token)


def make_translation_packs(
    examples: Sequence[TranslationExample], prompt: TranslationPrompt
) -> list[Pack]:
    """Sentences with their translations as packs: those of one sentence share its prompt."""
    rows: dict[tuple[int, ...], list[Row]] = defaultdict(list)
    for example in examples:
        *prefix, last = prompt.parts(example.query.context, example.query.pair)
        answer = prompt.answer(example.text)
        numbers = (FIELDS.index("meaning"),) * len(answer)
        row = Row((last,), answer, numbers, (example.weight,) * len(answer))
        rows[tuple(prefix)].append(row)
    return _cut_packs(rows)


def make_batch(packs: Sequence[Pack]) -> Batch:
    """Pad packs to one length; a row's last answer token is only a target, never an input."""
    length = max(len(pack) for pack in packs)
    ids = torch.zeros(len(packs), length, dtype=torch.long)
    positions = torch.zeros(len(packs), length, dtype=torch.long)
    segments = torch.full((len(packs), length), -1)
    columns: list[tuple[int, int, int, float, int, int]] = []
    gains: list[tuple[int, int, float]] = []
    number = 0
    for p, pack in enumerate(packs):
        at = _lay(ids[p], positions[p], segments[p], 0, pack.prefix, 0, 0)
        for segment, row in enumerate(pack.rows, 1):
            start, tokens = len(pack.prefix), row.question + row.answer[:-1]
            first = p * length + at + len(row.question) - 1
            at = _lay(ids[p], positions[p], segments[p], at, tokens, start, segment)
            gains += [(len(columns) + i, token, worth) for i, token, worth in row.gains]
            columns += [
                (first + i, token, field, weight, number, row.taught + i * (row.taught >= 0))
                for i, (token, field, weight) in enumerate(zip(row.answer, row.fields, row.weights))
            ]
            number += 1
    places, targets, fields, weights, rows, taught = zip(*columns)
    gain_at, gain_token, gain = zip(*gains) if gains else ((), (), ())
    return Batch(
        ids,
        positions,
        _mask(segments),
        torch.tensor(places),
        torch.tensor(targets),
        torch.tensor(fields),
        torch.tensor(weights, dtype=torch.float32),
        torch.tensor(rows),
        torch.tensor(taught),
        torch.tensor(gain_at, dtype=torch.long),
        torch.tensor(gain_token, dtype=torch.long),
        torch.tensor(gain, dtype=torch.float32),
    )


def pieces(packs: Sequence[Pack], most: int) -> list[list[Pack]]:
    """Cut a batch into such as have at most so many tokens, padded, or one pack; 0: leave it."""
    found: list[list[Pack]] = []
    longest = 0
    for pack in packs:
        longest = max(longest, len(pack))
        if not found or (most and longest * (len(found[-1]) + 1) > most):
            found.append([])
            longest = len(pack)
        found[-1].append(pack)
    return found


def _lay(ids, positions, segments, at: int, tokens, position: int, segment: int) -> int:
    """Write tokens from `at` on; returns the place after them."""
    end = at + len(tokens)
    ids[at:end] = torch.tensor(tokens)
    positions[at:end] = torch.arange(position, position + len(tokens))
    segments[at:end] = segment
    return end


def _mask(segments: torch.Tensor) -> torch.Tensor:
    """A token sees itself, what stands before it in its own segment, and the prefix."""
    seen, sees = segments[:, None, :], segments[:, :, None]
    earlier = torch.ones(segments.shape[1], segments.shape[1], dtype=torch.bool).tril()
    return (earlier & ((seen == sees) | (seen == 0)))[:, None]


def bucketed(packs: Sequence[Pack], batch: int, seed: int, epoch: int) -> Iterator[list[Pack]]:
    """The batches of one epoch: packs of like length together, in an order fixed by the seed."""
    order = random.Random(f"{seed} {epoch}")
    shuffled = order.sample(range(len(packs)), len(packs))
    pool = batch * 20
    near = [
        i
        for start in range(0, len(shuffled), pool)
        for i in sorted(shuffled[start : start + pool], key=lambda i: len(packs[i]))
    ]
    batches = _cut(near, packs, batch)
    order.shuffle(batches)
    for members in batches:
        yield [packs[i] for i in members]


def _cut(order: list[int], packs: Sequence[Pack], batch: int) -> list[list[int]]:
    """Cut an order of packs into batches of at least `batch` rows (the last may have fewer)."""
    batches, current, rows = [], [], 0
    for i in order:
        current.append(i)
        rows += len(packs[i].rows)
        if rows >= batch:
            batches.append(current)
            current, rows = [], 0
    return [*batches, current] if current else batches
