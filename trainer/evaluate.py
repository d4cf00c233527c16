"""Score an engine on examples by decoding, the way readers get it; calibrate it on dev data.

Contexts are answered whole, as everywhere; figures come with n and intervals over sentences.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from engine.calibration import Calibration
from engine.decoding import SenseDecoder
from engine.phrasebook import favoured
from engine.phrases import Vote, reconcile
from engine.sense import Answer
from engine.views import AT_ONCE, views
from trainer.examples import Example
from trainer.metrics import (
    Scored,
    calibration_error,
    intervals,
    normal,
    score,
    summarise,
)

Tick = Callable[[int, int], None]
"""Called with contexts done and contexts in all."""


@dataclass(frozen=True)
class Evaluation:
    """What an engine answered to examples, and how each answer scored."""

    examples: tuple[Example, ...]
    answers: tuple[Answer, ...]
    scored: tuple[Scored, ...]

    def figures(self) -> dict[str, Any]:
        """Each figure with its 95 % interval, and n."""
        groups: dict[str, list[Scored]] = defaultdict(list)
        for example, scored in zip(self.examples, self.scored):
            groups[example.query.context].append(scored)
        bounds = intervals(list(groups.values()))
        figures = {
            name: {"value": round(value, 4), "interval": [round(x, 4) for x in bounds[name]]}
            for name, value in summarise(self.scored).items()
        }
        return {"n": len(self.scored), "sentences": len(groups), **figures}


def by_context(examples: Sequence[Example]) -> dict[tuple[str, str], list[Example]]:
    """Examples grouped by pair and context, in order of first appearance."""
    groups: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.query.pair, example.query.context].append(example)
    return groups


def evaluate(
    decoder: SenseDecoder, examples: Sequence[Example], tick: Tick = lambda done, of: None
) -> Evaluation:
    """Answer the examples, some contexts at a time, and score them; in order of their contexts."""
    groups = list(by_context(examples).items())
    kept: list[tuple[Example, Answer, Scored]] = []
    for start in range(0, len(groups), AT_ONCE):
        some = groups[start : start + AT_ONCE]
        asked = [(c, p, [e.query.position for e in mine]) for (p, c), mine in some]
        for (_, mine), answers in zip(some, answer_contexts(decoder, asked)):
            for example in mine:
                answer = answers[example.query.position]
                scored = score(example.query, example.sense, answer.sense, example.fields)
                kept.append((example, answer, scored))
        tick(start + len(some), len(groups))
    return Evaluation(*(tuple(column) for column in zip(*kept)))


def answer_contexts(
    decoder: SenseDecoder, asked: Sequence[tuple[str, str, Collection[int]]]
) -> list[dict[int, Answer]]:
    """For each context, its pair and the wanted positions in it: the answers by position. All
    contexts are run at once; AT_ONCE of them are a good measure."""
    parts = [
        (number, view, set(wanted) & set(view.asked))
        for number, (context, pair, wanted) in enumerate(asked)
        for view in views(context, pair)
    ]
    parts = [part for part in parts if part[2]]
    found = decoder.answer_many([(view, wanted) for _, view, wanted in parts])
    answers: list[dict[int, Answer]] = [{} for _ in asked]
    for (number, _, _), some in zip(parts, found):
        answers[number] |= some
    return answers


@dataclass(frozen=True)
class Voted:
    """A view's votes and favoured candidates, and the examples that ask for its words."""

    offset: int
    votes: dict[int, Vote]
    known: Collection[tuple[int, ...]]
    asked: tuple[Example, ...]


def vote_on(decoder: SenseDecoder, examples: Sequence[Example]) -> list[Voted]:
    """What the words of the examples' contexts vote, of those whose phrase is known."""
    voted = []
    for (pair, context), mine in by_context(examples).items():
        for view in views(context, pair):
            asked = tuple(
                e for e in mine if e.query.position in view.asked and "phrase" in e.fields
            )
            if asked:
                known = favoured(decoder.known(view))
                voted.append(Voted(view.offset, decoder.votes(view), known, asked))
    return voted


def calibrate_phrases(sets: Sequence[Sequence[Voted]]) -> tuple[float, float]:
    """Threshold and favour with the best phrase F1, on average over the sets: a set's size says
    nothing of how often its kind is read. The favour is below the threshold, or known phrases
    would need no vote."""
    grid = [(t / 100, f / 100) for t in range(10, 86, 5) for f in range(0, t, 5)]

    def worth(point: tuple[float, float]) -> float:
        return sum(phrase_f1(voted, *point) for voted in sets) / len(sets)

    # Of points that dev rows cannot tell apart the strictest.
    return max(grid, key=lambda point: (round(worth(point), 3), point[0], -point[1]))


def phrase_f1(voted: Sequence[Voted], threshold: float, favour: float) -> float:
    """F1 of the phrases that these votes give."""
    hits = wanted = found = 0
    for view in voted:
        given = reconcile(view.votes, threshold, view.known, favour)
        for example in view.asked:
            got = {i + view.offset for i in given[example.query.position - view.offset]}
            want = set(example.sense.phrase.members if example.sense.phrase else ())
            shared = len(want & got)
            hits += shared >= 2 and 2 * shared >= max(len(want), len(got))
            wanted, found = wanted + bool(want), found + bool(got)
    return 2 * hits / max(1, wanted + found)


def fit_calibration(evaluation: Evaluation) -> Calibration:
    """The scale from an answer's probability to how often such answers are right (Platt)."""
    x = torch.tensor([_logit(a.confidence) for a in evaluation.answers], dtype=torch.float64)
    y = torch.tensor([s.right for s in evaluation.scored], dtype=torch.float64)
    weights = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(x * weights[0] + weights[1], y)
        loss.backward()
        return loss

    optimizer.step(closure)
    slope, shift = weights.tolist()
    return Calibration(slope, shift)


def calibration_report(evaluation: Evaluation, calibration: Calibration) -> dict[str, Any]:
    """Expected calibration error before and after, and what each level is worth."""
    right = [scored.right for scored in evaluation.scored]
    raw = [answer.confidence for answer in evaluation.answers]
    sure = [calibration.apply(confidence) for confidence in raw]
    levels: dict[str, list[bool]] = defaultdict(list)
    for confidence, good in zip(sure, right):
        levels[calibration.level(confidence)].append(good)
    return {
        "error_before": round(calibration_error(raw, right), 4),
        "error_after": round(calibration_error(sure, right), 4),
        "levels": {
            name: {
                "share": round(len(mine) / len(right), 3),
                "right": round(sum(mine) / len(mine), 3),
            }
            for name, mine in sorted(levels.items())
        },
    }


def second_best_right(evaluation: Evaluation) -> float:
    """How often the second-best meaning is the reference where the best is not."""
    missed = [
        normal(answer.second) == normal(example.sense.meaning)
        for example, answer, scored in zip(
            evaluation.examples, evaluation.answers, evaluation.scored
        )
        if not scored.meaning
    ]
    return sum(missed) / len(missed) if missed else math.nan


def _logit(probability: float) -> float:
    p = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))
