"""Write meanings behind given rows: only what their language is written with, of bounded length.

A row may allow one other answer as a whole, the spelling of a name or number itself; and it may
know meanings, which then count for more than the model says of them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from engine.branches import Branches, Runner, Task
from engine.prompt import SensePrompt
from engine.sense import clean_context
from engine.trie import Trie


@dataclass(frozen=True)
class Request:
    """What a meaning may be: the token that ends it, a spelling that may stand instead, with the
    token it begins with (none: ""), and known meanings with what each is worth, in nats."""

    end: int
    spelling: str = ""
    spelling_start: int = 0
    known: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Written:
    """A meaning as it is written, with the logarithm of its probability."""

    text: str
    score: float

    @property
    def probability(self) -> float:
        return min(1.0, math.exp(self.score))


@dataclass(frozen=True)
class _Going:
    """A text that is not whole yet: its row, the token to feed, and the token that would end it."""

    branch: Branches
    token: int
    end: int


class MeaningWriter:
    """Writes meanings with one model and tokenizer."""

    def __init__(self, runner: Runner, prompt: SensePrompt):
        self._runner = runner
        device = runner.device
        self._prompt = prompt
        self._ids = prompt.meaning_tokens
        self._column = {token: i for i, token in enumerate(self._ids)}
        self._texts = list(prompt.meaning_texts.values())
        self._score = runner.scorer(self._ids)
        self._lengths = torch.tensor([len(text) for text in self._texts], device=device)
        starts = prompt.script.start
        self._no_start = torch.tensor([not starts.search(t) for t in self._texts], device=device)

    def write(
        self,
        branches: Branches,
        hidden: torch.Tensor,
        requests: Sequence[Request],
        longest: int,
        ways: int,
        brief: bool = False,
    ) -> Task[list[list[Written]]]:
        """For each request, behind its own branch with these hidden states, its meanings from the
        `ways` best first tokens on, the best first; `brief`: the best alone, and none of the others
        is written further than it can win.

        None but a spelling has more than `longest` characters; texts of one request differ.
        """
        if not requests:
            return []
        tries = [self._trie(request.known) for request in requests]
        first = self._first_shares(hidden, requests, tries, longest).topk(ways)
        written: list[Written] = []
        at: list[Trie | None] = []  # where each written text stands among the known ones
        growing: dict[int, _Going] = {}  # by number in `written`
        for i, request in enumerate(requests):
            for column, score in zip(first.indices[i].tolist(), first.values[i].tolist()):
                if column == len(self._ids):
                    text = request.spelling
                else:
                    text = self._texts[column]
                    going = _Going(branches.chosen([i]), self._ids[column], request.end)
                    growing[len(written)] = going
                written.append(Written(text, score))
                at.append(tries[i].next.get(self._ids[column]) if column < len(self._ids) else None)
        together = ways if brief else 1
        yield from self._finish(written, at, growing, longest, together)
        found = [_distinct(written[i : i + ways]) for i in range(0, len(written), ways)]
        return [texts[:1] for texts in found] if brief else found

    def weigh(
        self, branch: Branches, tokens: Sequence[int], end: int, options: Sequence[tuple[int, ...]]
    ) -> Task[list[float]]:
        """How likely each option, as tokens, is as the meaning that stands behind one row and some
        tokens more, and that `end` ends: mean log-probability."""
        paths = [[tokens, *([token] for token in option)] for option in options]
        found = yield from branch.chosen([0] * len(options)).feed_along(paths)
        return [
            self._mean_share(hidden, (*option, end), end)
            for (_, hidden), option in zip(found, options)
        ]

    def _mean_share(self, hidden: torch.Tensor, tokens: Sequence[int], end: int) -> float:
        """The mean log-probability of tokens, each behind its own hidden state."""
        logits = self._score(hidden)
        ended = self._runner.own_logits(hidden, [end] * len(tokens))
        shares = torch.cat([ended, logits], dim=1).log_softmax(-1)
        places = [0 if t == end else self._column.get(t, -2) + 1 for t in tokens]
        if min(places) < 0:
            return -math.inf
        return float(shares[range(len(places)), places].mean())

    def _trie(self, known: Mapping[str, float]) -> Trie:
        return Trie((self._prompt.ids(meaning), worth) for meaning, worth in known.items())

    def _favour(self, logits: torch.Tensor, places: Sequence[Trie | None]) -> torch.Tensor:
        """Logits (rows, meaning tokens), those that go on a known meaning raised by its worth."""
        gains = [
            (row, self._column[token], branch.worth)
            for row, place in enumerate(places)
            if place
            for token, branch in place.next.items()
            if token in self._column
        ]
        if gains:
            rows, columns, worths = zip(*gains)
            logits[list(rows), list(columns)] += torch.tensor(worths, device=logits.device)
        return logits

    def _first_shares(
        self, hidden, requests: Sequence[Request], tries: Sequence[Trie], longest: int
    ) -> torch.Tensor:
        """Log-probabilities of the first token: (rows, meaning tokens and the spelling)."""
        logits = self._favour(self._score(hidden), tries)
        logits = logits.masked_fill(self._no_start | (self._lengths > longest), -math.inf)
        spelled = self._runner.own_logits(hidden, [r.spelling_start for r in requests])
        without = torch.tensor([not r.spelling for r in requests], device=hidden.device)
        spelled = spelled.masked_fill(without[:, None], -math.inf)
        return torch.cat([logits, spelled], dim=1).log_softmax(-1)

    def _finish(
        self,
        written: list[Written],
        at: list[Trie | None],
        growing: dict[int, _Going],
        longest: int,
        together: int,
    ) -> Task[None]:
        """Grow the begun meanings greedily to their ends; of `together` that stand together only
        the likeliest, until that one is whole: no text gets likelier as it grows."""
        while numbers := _leading(written, growing, together):
            mine = [growing.pop(number) for number in numbers]
            branches = Branches.joined([one.branch for one in mine])
            hidden = yield from branches.feed([(one.token,) for one in mine])
            room = [longest - len(written[number].text) for number in numbers]
            places = [at[number] for number in numbers]
            logits = self._favour(self._score(hidden), places)
            too_long = self._lengths > torch.tensor(room, device=hidden.device)[:, None]
            logits = logits.masked_fill(too_long, -math.inf)
            end = self._runner.own_logits(hidden, [one.end for one in mine])
            end += torch.tensor([[p.whole if p else 0.0] for p in places], device=end.device)
            best = torch.cat([end, logits], dim=1).log_softmax(-1).max(-1)
            for row, (column, gain) in enumerate(zip(best.indices.tolist(), best.values.tolist())):
                number = numbers[row]
                written[number].score += gain
                if column:
                    token = self._ids[column - 1]
                    written[number].text += self._texts[column - 1]
                    here = at[number]
                    at[number] = here.next.get(token) if here else None
                    growing[number] = _Going(branches.chosen([row]), token, mine[row].end)


def _leading(written: Sequence[Written], growing: Collection[int], together: int) -> list[int]:
    """Of each `together` texts the likeliest, the first of equals, where it is not whole yet."""
    groups = (range(i, i + together) for i in range(0, len(written), together))
    best = (max(group, key=lambda number: written[number].score) for group in groups)
    return [number for number in best if number in growing]


def _distinct(ways: list[Written]) -> list[Written]:
    ordered = sorted(ways, key=lambda way: -way.score)
    for way in ordered:
        way.text = clean_context(way.text)  # one blank between words, none around them
    return [way for i, way in enumerate(ordered) if way.text not in [w.text for w in ordered[:i]]]
