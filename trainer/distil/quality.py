"""Whether a smaller model answers as well as the one it was made of: figure by figure, on the same
rows, with intervals over sentences drawn in pairs.

A figure must keep LEAST of its value, and the lower end of that share LEAST_LOW; the rate of an
error may grow by MORE_ERRORS of what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.sense import Sense
from trainer.evaluation.figures import Sums, terms_of
from trainer.examples import Example

LEAST, LEAST_LOW, MORE_ERRORS = 0.90, 0.88, 0.10
KEPT = (
    "class_accuracy", "meaning_match", "phrase_f1", "phrase_exact", "phrase_meaning_chrf", "right",
)  # fmt: skip
ERRORS = ("phrase_where_not",)


@dataclass(frozen=True)
class Quality:
    """What rows say of a model beside its original. `figures` and `original`: each figure with
    interval and n; `shares`: each figure's share of the original's; `reason`: the figures that do
    not hold, "" where all do."""

    rows: int
    sentences: int
    figures: Mapping[str, Any]
    original: Mapping[str, Any]
    shares: Mapping[str, Any]
    reason: str

    @property
    def fit(self) -> bool:
        return not self.reason

    @property
    def kept(self) -> float:
        """The least share that a figure keeps."""
        return min((self.shares[name]["value"] for name in KEPT if name in self.shares), default=0)

    def told(self) -> dict[str, Any]:
        return {**vars(self), "fit": self.fit, "kept": self.kept}


def compare(
    examples: Sequence[Example], original: Sequence[Sense], answers: Sequence[Sense]
) -> Quality:
    """Judge a model's answers to examples beside its original's. Without rows nothing is shown, and
    the gate is closed."""
    if not examples:
        return Quality(0, 0, {}, {}, {}, "there are no rows")
    sentences = [example.query.context for example in examples]
    both = [
        [terms_of(e, sense, 0.0) for e, sense in zip(examples, senses, strict=True)]
        for senses in (original, answers)
    ]
    sums = Sums(sentences, both)
    theirs, mine, shares = sums.figures(0), sums.figures(1), sums.shares(0, 1)
    for found in (theirs, mine, shares):
        found.pop("ms", None)
    reason = "; ".join(_failings(theirs, mine, shares))
    return Quality(len(examples), len(set(sentences)), mine, theirs, shares, reason)


def _failings(theirs: Mapping[str, Any], mine: Mapping[str, Any], shares: Mapping[str, Any]):
    """Each figure that does not hold, with what it is."""
    for name in KEPT:
        if name in shares:
            value, low = shares[name]["value"], shares[name]["interval"][0]
            if value < LEAST or low < LEAST_LOW:
                yield f"{name} keeps {value:.3f} (from {low:.3f}) of {theirs[name]['value']:.3f}"
        elif name in theirs and theirs[name]["value"] > 0:
            yield f"{name} cannot be compared"
    for name in ERRORS:
        if name in theirs and mine[name]["value"] > theirs[name]["value"] * (1 + MORE_ERRORS):
            yield f"{name} grows from {theirs[name]['value']:.3f} to {mine[name]['value']:.3f}"
