"""What a model writes behind prompts, many at once: greedy, by beam search, or drawn at random.

A prompt is the model's whole prefix. Prompts are padded on the left, so rows grow side by side
through one cache; what a row writes depends on its prompt alone, whoever is beside it and whenever
they end. Knows tokens, no text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.scratch.model import Cache, Translator

Prompts = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Written:
    """What stands behind one prompt: its tokens without the one that ends it, whether that came,
    and the logarithm of the probability of them all."""

    tokens: tuple[int, ...]
    ended: bool
    score: float


class Rows:
    """Rows that grow by a token at each step. `cached`: False reads each row anew at every step,
    which is what the cache is held against."""

    def __init__(self, model: Translator, prompts: Prompts, most: int, cached: bool = True):
        lengths = [len(prompt) for prompt in prompts]
        self._model, self._longest = model, max(lengths)
        self.room = min(most, model.config.positions - self._longest)
        if self.room < 1 or not min(lengths):
            raise ValueError(
                f"prompts of {min(lengths)} to {self._longest} tokens: 1 to"
                f" {model.config.positions - 1} have room in this model"
            )
        like = model.embed_tokens.weight
        padded = [[0] * (self._longest - len(prompt)) + [*prompt] for prompt in prompts]
        self._tokens = torch.tensor(padded, device=like.device)
        self._prefix = torch.tensor(lengths, device=like.device)
        ragged = min(lengths) < self._longest
        self._start = self._longest - self._prefix if ragged else None
        kind, dtype = like.device.type, like.dtype
        if torch.is_autocast_enabled(kind):
            dtype = torch.get_autocast_dtype(kind)
        columns = self._longest + self.room
        kept = Cache(model.config, len(prompts), columns, dtype, like.device)
        self._cache = kept if cached else None

    def scores(self) -> Tensor:
        """Log-probabilities of each row's next token, (rows, vocabulary)."""
        new = self._tokens[:, self._cache.length if self._cache else 0 :]
        states = self._model(new, self._prefix, self._start, self._cache)
        return self._model.logits(states[:, -1]).float().log_softmax(-1)

    def put(self, tokens: Tensor) -> None:
        """The next token of each row."""
        self._tokens = torch.cat([self._tokens, tokens[:, None]], dim=1)

    def choose(self, rows: Tensor) -> None:
        """Go on with these rows, in this order; a row may come more than once."""
        self._tokens, self._prefix = self._tokens[rows], self._prefix[rows]
        self._start = None if self._start is None else self._start[rows]
        if self._cache:
            self._cache.choose(rows)

    def written(self, row: int) -> tuple[int, ...]:
        """What was put into a row so far."""
        return tuple(self._tokens[row, self._longest :].tolist())


def greedy(
    model: Translator, prompts: Prompts, end: int, most: int, cached: bool = True
) -> list[Written]:
    """The likeliest token at each step, up to `end` or `most` tokens."""
    return _write(model, prompts, end, most, lambda said, _, __: said.argmax(-1), cached)


def sample(
    model: Translator,
    prompts: Prompts,
    end: int,
    most: int,
    temperature: float = 1.0,
    top_p: float = 1.0,
    seeds: Sequence[int] = (),
    cached: bool = True,
) -> list[Written]:
    """Tokens drawn at random from the fewest that have `top_p` of the probability. Each row draws
    by its seed (its number, if none are given): the same again, whoever is beside it. ValueError
    where a number is out of range."""
    if temperature <= 0 or not 0 < top_p <= 1:
        raise ValueError(f"temperature {temperature} is above 0, top_p {top_p} above 0 and up to 1")
    drawn = torch.stack([
        torch.rand(most, generator=torch.Generator().manual_seed(seed))
        for seed in seeds or range(len(prompts))
    ]).to(model.embed_tokens.weight.device)  # fmt: skip

    def draw(said: Tensor, rows: Sequence[int], step: int) -> Tensor:
        likely, order = (said / temperature).softmax(-1).sort(-1, descending=True)
        before = likely.cumsum(-1) - likely
        likely = likely.masked_fill(before >= top_p, 0.0)
        reach = likely.cumsum(-1)
        place = (reach <= drawn[rows, step, None] * reach[:, -1:]).sum(-1, keepdim=True)
        kept = (likely > 0).sum(-1, keepdim=True)
        return order.gather(-1, place.minimum(kept - 1))[:, 0]

    return _write(model, prompts, end, most, draw, cached)


Pick = Callable[[Tensor, list[int], int], Tensor]
"""From log-probabilities (rows, vocabulary), the prompts' numbers and the step: a token a row."""


@torch.inference_mode()
def _write(
    model: Translator, prompts: Prompts, end: int, most: int, pick: Pick, cached: bool
) -> list[Written]:
    rows = Rows(model, prompts, most, cached)
    tokens: list[list[int]] = [[] for _ in prompts]
    scores = [0.0] * len(prompts)
    batch, going = list(range(len(prompts))), set(range(len(prompts)))
    for step in range(rows.room):
        said = rows.scores()
        chosen = pick(said, batch, step)
        gains = said.gather(-1, chosen[:, None])[:, 0]
        for number, token, gain in zip(batch, chosen.tolist(), gains.tolist()):
            if number in going:
                scores[number] += gain
                if token == end:
                    going.discard(number)
                else:
                    tokens[number].append(token)
        if not going:
            break
        rows.put(chosen)
        if 2 * len(going) <= len(batch):  # to leave costs a copy of the cache
            kept = [row for row, number in enumerate(batch) if number in going]
            rows.choose(torch.tensor(kept, device=chosen.device))
            batch = [batch[row] for row in kept]
    return [
        Written(tuple(tokens[number]), number not in going, scores[number])
        for number in range(len(prompts))
    ]


@torch.inference_mode()
def beam(
    model: Translator,
    prompts: Prompts,
    end: int,
    most: int,
    beams: int = 4,
    penalty: float = 1.0,
    cached: bool = True,
) -> list[Written]:
    """The best that a search with this many open beginnings finds, by log-probability over length
    (the end counts) to the power of `penalty`: 0 favours short ones, 1 is the mean. A prompt's
    search is over when it has `beams` whole texts and no beginning is better than the worst of
    them as it stands."""
    rows = Rows(model, prompts, most, cached)
    found: list[list[Written]] = [[] for _ in prompts]
    batch = list(range(len(prompts)))  # the prompts that are still searched
    totals = torch.zeros(len(prompts), 1, device=model.embed_tokens.weight.device)

    def worth(one: Written) -> float:
        return one.score / (len(one.tokens) + one.ended) ** penalty

    for step in range(rows.room):
        width = totals.shape[1]  # one beginning at first, then `beams`
        reached = totals[:, :, None] + rows.scores().unflatten(0, (len(batch), width))
        # Of twice as many candidates at most half end: enough beginnings are left.
        best, at = reached.flatten(1).topk(min(2 * beams, reached[0].numel()))
        origin, tokens = at // reached.shape[2], at % reached.shape[2]
        ends = (tokens == end) & best.isfinite()
        for row, place in ends[:, :beams].nonzero().tolist():
            behind = rows.written(row * width + int(origin[row, place]))
            found[batch[row]].append(Written(behind, True, float(best[row, place])))
            found[batch[row]] = sorted(found[batch[row]], key=worth, reverse=True)[:beams]
        totals, open_ = best.masked_fill(ends, -torch.inf).topk(min(beams, best.shape[1]))
        leading = totals[:, 0].tolist()
        kept = [
            row
            for row, number in enumerate(batch)
            if len(found[number]) < beams
            or leading[row] / (step + 1) ** penalty > worth(found[number][-1])
        ]
        if not kept:
            break
        place = torch.tensor(kept, device=totals.device)
        parents = place[:, None] * width + origin.gather(1, open_)[place]
        rows.choose(parents.flatten())
        rows.put(tokens.gather(1, open_)[place].flatten())
        totals, batch = totals[place], [batch[row] for row in kept]
    width = totals.shape[1]
    for row, number in enumerate(batch):  # cut off by `most`
        if not found[number]:
            found[number].append(Written(rows.written(row * width), False, float(totals[row, 0])))
    return [max(some, key=worth) for some in found]
