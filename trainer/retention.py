"""Whether a run's result may be given to readers: it must keep a share of a reference's score.

The reference is an adapter, or a teacher's answers to the same rows. Scores are means over
sentences of how many of a row's fields are right, on rows that no training saw.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.adapters import merged_copy
from engine.books import books_for
from engine.branches import Runner
from engine.checking import read_adapter
from engine.decoding import SenseDecoder
from engine.models import Base
from engine.prompt import SensePrompt
from engine.sense import Query, Sense
from trainer.evaluate import evaluate
from trainer.examples import Example
from trainer.guard import interval
from trainer.metrics import score
from trainer.watch import by_sentence, worth


@dataclass(frozen=True)
class Reference:
    """Whose score is to be kept: the adapter in `folder`, or `answers` by query."""

    name: str
    folder: Path | None = None
    answers: Mapping[Query, Sense] | None = None


@dataclass(frozen=True)
class Gate:
    """What the comparison found. `kept`: the result's share of the reference's score; `difference`:
    result less reference, with its 95 % interval over sentences."""

    reference: str
    sentences: int
    score: float
    reference_score: float
    kept: float
    difference: float
    low: float
    high: float
    fit: bool
    reason: str

    def told(self) -> dict[str, Any]:
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in vars(self).items()}


def sentence_scores(decoder: SenseDecoder, rows: list[Example]) -> list[float]:
    """Each sentence's score, 0 to 1, in order of first appearance."""
    scored = by_sentence(evaluate(decoder, rows))
    return [statistics.fmean(map(worth, mine)) for mine in scored]


def teacher_scores(answers: Mapping[Query, Sense], rows: list[Example]) -> list[float]:
    """The same of a teacher's answers."""
    groups: dict[str, list[float]] = {}
    for e in rows:
        found = worth(score(e.query, e.sense, answers[e.query], e.fields))
        groups.setdefault(e.query.context, []).append(found)
    return list(map(statistics.fmean, groups.values()))


def adapter_decoder(base: Base, folder: Path) -> SenseDecoder:
    """The decoder of an adapter as readers have it."""
    adapter = read_adapter(folder)
    card = adapter.card
    return SenseDecoder(
        Runner(merged_copy(base, adapter)),
        SensePrompt(base.tokenizer, card.style, card.pair.partition("-")[2]),
        books_for(card.pair),
        card.phrase_threshold,
        card.phrase_favour,
    )


def judge(
    reference: Reference, base: Base, decoder: SenseDecoder, rows: list[Example], least: float
) -> Gate | None:
    """Compare a result's decoder with its reference on these rows; None where no row can be
    compared. `least`: the share of the reference's score that must be kept."""
    if reference.answers is not None:
        rows = [e for e in rows if e.query in reference.answers]
    if not rows:
        return None
    mine = sentence_scores(decoder, rows)
    if reference.folder:
        theirs = sentence_scores(adapter_decoder(base, reference.folder), rows)
    else:
        theirs = teacher_scores(reference.answers or {}, rows)
    score, standard = statistics.fmean(mine), statistics.fmean(theirs)
    differences = [a - b for a, b in zip(mine, theirs, strict=True)]
    low, high = interval(differences)
    kept = score / standard if standard else 1.0
    fit = kept >= least
    return Gate(
        reference.name, len(mine), score, standard, kept, statistics.fmean(differences), low, high,
        fit, "" if fit else "retention",
    )  # fmt: skip
