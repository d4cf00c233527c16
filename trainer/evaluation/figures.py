"""Figures of many answers with their intervals, of one model and of two side by side. Pure.

Every figure is a ratio of sums over rows, so its interval is that of sums over sentences: the same
bootstrap draws of sentences for all models, which makes differences paired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.sense import Sense
from trainer.examples import Example
from trainer.metrics import Scored, chrf, plain, score

DRAWS, FEWER_DRAWS = 1000, 300
# Counts of errors, and what takes time.
LOWER_IS_BETTER = (
    "phrase_where_not", "characters", "tokens", "ms", "free_tokens", "tokens_after_answer",
    "repeats",
)  # fmt: skip
SLICED = ("right", "class_accuracy", "meaning_match", "phrase_f1")
_LEAST = 5  # rows of a slice that is shown

Terms = dict[str, tuple[float, float]]
"""What one row adds to each figure: above and below the line."""


def terms_of(example: Example, sense: Sense | None, ms: float, tokens: int = 0) -> Terms:
    """What a row adds to the figures; None: the model gave no answer to it, which is wrong in every
    way. `ms` and `tokens` are what the answer took; tokens that are 0 are not known."""
    query, reference, known = example.query, example.sense, set(example.fields)
    scored = score(query, reference, sense, example.fields) if sense else _missing(example)
    terms: Terms = {"answered": (float(sense is not None), 1.0)}
    if sense is not None:
        terms |= {"characters": (float(len(_said(sense))), 1.0), "ms": (ms, 1.0)}
        terms["tokens"] = (float(tokens), float(tokens > 0))
    if "class" in known:
        terms["class_accuracy"] = (float(scored.word_class), 1.0)
    if "meaning" in known:
        meaning, language = sense.meaning if sense else "", query.pair.partition("-")[2]
        wanted = plain(reference.meaning, language)
        terms["meaning_match"] = (float(scored.meaning), 1.0)
        terms["meaning_exact"] = (float(plain(meaning, language) == wanted), 1.0)
        terms["meaning_chrf"] = (chrf(meaning, reference.meaning), 1.0)
    if "phrase" in known:
        terms |= _of_phrase(reference, scored, "phrase_meaning" in known)
    if {"meaning", "phrase"} <= known:
        terms["right"] = (float(scored.right), 1.0)
    return terms


def _said(sense: Sense) -> str:
    return sense.meaning + (sense.phrase.meaning if sense.phrase else "")


def _of_phrase(reference: Sense, scored: Scored, told: bool) -> Terms:
    hit, wanted, found = float(scored.hit), float(scored.wanted), float(scored.found)
    terms: Terms = {
        "phrase_precision": (hit, found),
        "phrase_recall": (hit, wanted),
        "phrase_f1": (2 * hit, wanted + found),
        "phrase_exact": (float(scored.exact), wanted),
        "phrase_where_not": (found * (1 - wanted), 1 - wanted),
    }
    if is_split(reference):
        terms["split_phrase_recall"] = (hit, wanted)
        terms["split_phrase_exact"] = (float(scored.exact), wanted)
    if scored.wanted and told:
        terms["phrase_meaning_chrf"] = (scored.phrase_meaning, 1.0)
    return terms


def free_terms(valid: bool, ended: bool, tokens: int, over: int, text: str) -> Terms:
    """What a row that was written with nothing to hold the model adds to the figures."""
    return {
        "valid": (float(valid), 1.0),
        "ended": (float(ended), 1.0),
        "free_tokens": (float(tokens), 1.0),
        "tokens_after_answer": (float(over), 1.0),
        "repeats": (float(repeats(text)), 1.0),
    }


def repeats(text: str) -> bool:
    """Whether a text says a line or a run of eight characters three times."""
    lines = [line for line in text.splitlines() if line.strip()]
    if any(lines.count(line) >= 3 for line in set(lines)):
        return True
    runs = [text[i : i + 8] for i in range(len(text) - 7)]
    return any(text.count(run) >= 3 for run in set(runs))


def is_split(sense: Sense) -> bool:
    """Whether other words stand between the members of the phrase."""
    members = sense.phrase.members if sense.phrase else ()
    return any(b - a > 1 for a, b in zip(members, members[1:]))


def is_right(example: Example, sense: Sense | None) -> bool:
    """Whether a row's known meaning and phrase are right; its class where neither is known."""
    if sense is None:
        return False
    scored = score(example.query, example.sense, sense, example.fields)
    phrase = scored.hit if scored.wanted else not scored.found
    good = {"meaning": scored.meaning, "phrase": phrase}
    told = [value for name, value in good.items() if name in example.fields]
    return all(told) if told else scored.word_class


def _missing(example: Example) -> Scored:
    """What no answer scores: no word is found, and nothing is right even where none was to be."""
    scored = score(example.query, example.sense, Sense("", "", None), example.fields)
    return Scored(False, False, scored.wanted, not scored.wanted, False, False, 0.0, example.fields)


def gain_of(row: Mapping[str, Any], left: int, right: int) -> float:
    """How much more of a row the right model's answer has right, -1 to 1."""
    answers = row["answers"]
    return answers[right].get("worth", 0.0) - answers[left].get("worth", 0.0)


def count_gains(gains: Sequence[float]) -> dict[str, int]:
    """In how many rows the right model is better, worse, the same."""
    better, worse = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    return {"better": better, "worse": worse, "same": len(gains) - better - worse}


class Sums:
    """The terms of some rows, summed by sentence, for one or more models."""

    def __init__(
        self, sentences: Sequence[str], models: Sequence[Sequence[Terms]], draws: int = DRAWS
    ):
        """`sentences`: each row's; `models`: each model's terms, row by row."""
        numbers = {name: n for n, name in enumerate(dict.fromkeys(sentences))}
        at = np.array([numbers[name] for name in sentences])
        count = len(numbers)
        self.names = list(dict.fromkeys(name for mine in models for row in mine for name in row))
        shape = (len(models), len(self.names), count)
        above, below = np.zeros(shape), np.zeros(shape)
        for m, mine in enumerate(models):
            for f, name in enumerate(self.names):
                pairs = np.array([row.get(name, (0.0, 0.0)) for row in mine])
                np.add.at(above[m, f], at, pairs[:, 0])
                np.add.at(below[m, f], at, pairs[:, 1])
        drawn = np.random.default_rng(1).multinomial(count, np.full(count, 1 / count), draws)
        with np.errstate(invalid="ignore", divide="ignore"):
            self._drawn = (above @ drawn.T) / (below @ drawn.T)
            self._value = above.sum(-1) / below.sum(-1)
        self._rows = below.sum(-1)  # rows, or phrases, that a figure counts

    def figures(self, model: int) -> dict[str, Any]:
        """Each figure with its 95 % interval and how many it counts; what counts none is left
        out."""
        return {
            name: {
                "value": _rounded(self._value[model, f]),
                "interval": _interval(self._drawn[model, f]),
                "n": round(float(self._rows[model, f])),
            }
            for f, name in enumerate(self.names)
            if self._rows[model, f] > 0
        }

    def differences(self, left: int, right: int) -> dict[str, Any]:
        """For each figure that both have, right less left, with its paired 95 % interval."""
        return {
            name: {
                "value": _rounded(self._value[right, f] - self._value[left, f]),
                "interval": _interval(self._drawn[right, f] - self._drawn[left, f]),
            }
            for f, name in enumerate(self.names)
            if self._rows[left, f] > 0 and self._rows[right, f] > 0
        }

    def shares(self, left: int, right: int) -> dict[str, Any]:
        """For each figure that both have, right's share of left, with its paired 95 % interval;
        where left has nothing there is no share."""
        with np.errstate(invalid="ignore", divide="ignore"):
            value, drawn = self._value[right] / self._value[left], self._drawn[right]
            drawn = drawn / self._drawn[left]
        return {
            name: {"value": _rounded(value[f]), "interval": _interval(drawn[f])}
            for f, name in enumerate(self.names)
            if np.isfinite(value[f])
        }


def _interval(values: np.ndarray) -> list[float]:
    found = values[np.isfinite(values)]
    if not len(found):
        return [0.0, 0.0]
    return [_rounded(bound) for bound in np.percentile(found, (2.5, 97.5))]


def _rounded(value: Any) -> float:
    return round(float(value), 4)


def slices(
    sentences: Sequence[str], rows: Sequence[Mapping[str, str]], terms: Sequence[Terms]
) -> dict[str, Any]:
    """The main figures of one model by each thing that rows are sorted by; `rows`: what each row
    is of each. Those of few rows are left out."""
    found: dict[str, dict[str, Any]] = {}
    for name in rows[0] if rows else ():
        for value in sorted({row[name] for row in rows}):
            mine = [i for i, row in enumerate(rows) if row[name] == value]
            if len(mine) < _LEAST:
                continue
            few = [{k: v for k, v in terms[i].items() if k in SLICED} for i in mine]
            sums = Sums([sentences[i] for i in mine], [few], FEWER_DRAWS)
            found.setdefault(name, {})[value] = {"n": len(mine), **sums.figures(0)}
    return found
