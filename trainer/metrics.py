"""Scores of senses against references, with bootstrap intervals. Pure.

Meaning match: equal after normalising, any part of a reference's list counts. A phrase is found
when prediction and reference share at least two member words and these are at least half of
either. chrF here: character F1 over 1- and 2-grams, for Chinese phrases too short for words.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.sense import Phrase, Query, Sense

_LIST = re.compile(r"[;；,，、/|\s]+")
_LIST_OF_SPACED = re.compile(r"[;；,，、/|]+")  # a blank is part of a meaning
_ARTICLES = {"a", "an", "the"}


ALL_FIELDS = ("class", "phrase", "meaning", "phrase_meaning")


@dataclass(frozen=True)
class Scored:
    """One prediction against its reference, as numbers that can be summed."""

    word_class: bool
    meaning: bool
    wanted: bool  # the reference has a phrase
    found: bool  # the prediction has one
    hit: bool  # they are the same phrase
    exact: bool  # with exactly the same members
    phrase_meaning: float  # chrF, 0 to 1; 0 where the reference has no phrase
    known: tuple[str, ...] = ALL_FIELDS  # the reference's fields that count

    @property
    def right(self) -> bool:
        """What a reader would call right: this meaning, and this phrase or none."""
        return self.meaning and (self.hit if self.wanted else not self.found)


def normal(text: str) -> str:
    """A Chinese word without spaces, dots and one closing 的/地/得/了/着; never empty of a word."""
    text = re.sub(r"[\s.。…]", "", text)
    return text[:-1] if len(text) > 1 and text[-1] in "的地得了着" else text


def accepted(text: str, language: str = "zh") -> set[str]:
    """The meanings that a reference lists, as `plain` has them."""
    parts = (_LIST if language == "zh" else _LIST_OF_SPACED).split(text)
    return {plain(part, language) for part in parts if plain(part, language)}


def plain(text: str, language: str) -> str:
    """A meaning without what makes no difference: as `normal` in Chinese, elsewhere without blanks
    around it, its case, and a dot behind it."""
    return normal(text) if language == "zh" else " ".join(text.split()).strip(" .").casefold()


def chrf(a: str, b: str) -> float:
    """Character F1 over 1- and 2-grams, 0 to 1."""
    x, y = _grams(normal(a)), _grams(normal(b))
    shared = (x & y).total()
    return 2 * shared / (x.total() + y.total()) if x and y else 0.0


def _grams(text: str) -> Counter[str]:
    return Counter(text[i : i + k] for k in (1, 2) for i in range(len(text) - k + 1))


def _members(query: Query, sense: Sense) -> set[int]:
    """Member positions without articles: whether "a" belongs to a phrase is a convention."""
    members = sense.phrase.members if sense.phrase else ()
    words = query.words
    return {i for i in members if words[i].text.lower() not in _ARTICLES}


def score(
    query: Query, reference: Sense, prediction: Sense, known: tuple[str, ...] = ALL_FIELDS
) -> Scored:
    """Compare one prediction with its reference, of which the fields `known` are to be trusted."""
    want, got = _members(query, reference), _members(query, prediction)
    shared, language = len(want & got), query.pair.partition("-")[2]
    hit = bool(want) and shared >= min(2, len(want)) and 2 * shared >= max(len(want), len(got))
    return Scored(
        prediction.word_class == reference.word_class,
        plain(prediction.meaning, language) in accepted(reference.meaning, language),
        bool(want),
        bool(got),
        hit,
        bool(want) and want == got,
        _phrase_meaning(reference.phrase, prediction.phrase),
        known,
    )


def _phrase_meaning(reference: Phrase | None, prediction: Phrase | None) -> float:
    return chrf(prediction.meaning, reference.meaning) if reference and prediction else 0.0


def summarise(rows: Sequence[Scored]) -> dict[str, float]:
    """The figures of many predictions; a figure without rows to count is left out."""
    classes = [r.word_class for r in rows if "class" in r.known]
    meanings = [r.meaning for r in rows if "meaning" in r.known]
    phrases = [r for r in rows if "phrase" in r.known]
    told = [r.phrase_meaning for r in phrases if r.wanted and "phrase_meaning" in r.known]
    whole = [r.right for r in phrases if "meaning" in r.known]
    wanted, found = sum(r.wanted for r in phrases), sum(r.found for r in phrases)
    hits = sum(r.hit for r in phrases)
    figures = {
        "class_accuracy": _share(sum(classes), len(classes)),
        "meaning_match": _share(sum(meanings), len(meanings)),
        "phrase_precision": _share(hits, found),
        "phrase_recall": _share(hits, wanted),
        "phrase_f1": _share(2 * hits, wanted + found),
        "phrase_where_meant": _share(sum(r.found and r.wanted for r in phrases), wanted),
        "phrase_where_not": _share(sum(r.found > r.wanted for r in phrases), len(phrases) - wanted),
        "phrase_exact": _share(sum(r.exact for r in phrases), wanted),
        "phrase_meaning_chrf": _share(sum(told), len(told)),
        "right": _share(sum(whole), len(whole)),
    }
    return {name: value for name, value in figures.items() if not math.isnan(value)}


def _share(top: float, bottom: int) -> float:
    return top / bottom if bottom else math.nan


def intervals(
    groups: Sequence[Sequence[Scored]], rounds: int = 500, seed: int = 1
) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals of `summarise`; groups (sentences) are drawn, not rows."""
    draw = random.Random(seed)
    seen: dict[str, list[float]] = {}
    for _ in range(rounds):
        rows = [row for group in draw.choices(groups, k=len(groups)) for row in group]
        for name, value in summarise(rows).items():
            seen.setdefault(name, []).append(value)
    return {name: _middle(sorted(values)) for name, values in seen.items()}


def _middle(ordered: list[float]) -> tuple[float, float]:
    last = len(ordered) - 1
    return ordered[round(0.025 * last)], ordered[round(0.975 * last)]


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over equal-width bins."""
    if not confidences:
        return math.nan
    gap = 0.0
    for b in range(bins):
        inside = [i for i, c in enumerate(confidences) if min(int(c * bins), bins - 1) == b]
        if inside:
            gap += abs(sum(confidences[i] - right[i] for i in inside))
    return gap / len(confidences)
