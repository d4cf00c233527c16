"""Whether a line and its translation belong together: lengths that fit, words that are not simply
copied, numbers and questions that both have. Pure.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import regex

from trainer.scratch.corpus.recipe import CorpusRecipe
from trainer.scratch.corpus.shape import words_of
from trainer.scratch.corpus.stages import Dropped, Row, Stage

_FEW = 4  # words, of fewer of which the same ones (names) say nothing
_SLACK = 20  # bytes that a side may be longer whatever its share: short lines differ more
# A number with its separators, which are not the same in all languages: 1,000.5 and 1.000,5.
_NUMBER = regex.compile(r"\p{Nd}+(?:[.,'’\u00a0\u202f]\p{Nd}+)*")
_QUESTION = regex.compile(r"[?？؟]\W*$")
_OPEN = "¿"


def comparing(recipe: CorpusRecipe, usual: float | None) -> tuple[Stage, ...]:
    """The stages for pairs; `usual`: how many times longer the second side usually is, None where
    that is not known."""
    copied = Stage(
        "copied",
        "a translation that repeats its source teaches to copy",
        lambda row: _judge_overlap(row, recipe),
    )
    misaligned = Stage(
        "misaligned",
        "sides with other numbers, or of which one only asks, are not each other's translation",
        lambda row: _judge_agreement(row, recipe),
    )
    if usual is None:
        return copied, misaligned
    ratio = Stage(
        "ratio",
        "a side much longer than usual holds more, or less, than the other",
        lambda row: _judge_ratio(row, recipe.ratio, usual),
    )
    return copied, ratio, misaligned


def usual_ratio(rows: Sequence[Row]) -> float:
    """How many times longer the second side is than the first, in the middle of all rows; 1.0 of
    none."""
    ratios = [_bytes(row[1]) / _bytes(row[0]) for row in rows]
    return statistics.median(ratios) if ratios else 1.0


def _bytes(text: str) -> int:
    # Bytes, as a Chinese character says about as much as three letters.
    return len(text.encode("utf-8", "replace")) or 1


def _judge_overlap(row: Row, recipe: CorpusRecipe) -> Row | Dropped:
    source, target = row
    if source.casefold() == target.casefold():
        return Dropped("both sides are the same")
    one, other = (set(words_of(text, code)) for text, code in zip(row, recipe.sides))
    fewer = min(len(one), len(other))
    if fewer >= _FEW and len(one & other) > recipe.overlap * fewer:
        return Dropped("too many words on both sides")
    return row


def _judge_ratio(row: Row, most: float, usual: float) -> Row | Dropped:
    expected, found = _bytes(row[0]) * usual, _bytes(row[1])
    if found > most * expected + _SLACK:
        return Dropped("the translation is too long")
    return Dropped("the translation is too short") if expected > most * found + _SLACK else row


def _judge_agreement(row: Row, recipe: CorpusRecipe) -> Row | Dropped:
    one, other = (set(_numbers(text)) for text in row)
    if one and other and len(one & other) < recipe.numbers * len(one | other):
        return Dropped("other numbers")
    asks = [bool(_QUESTION.search(text)) or text.startswith(_OPEN) for text in row]
    return (
        Dropped("one side only is a question") if recipe.questions and len(set(asks)) > 1 else row
    )


def _numbers(text: str) -> list[str]:
    """The digits of each number of two digits or more: small ones are as often written out."""
    found = (regex.sub(r"\P{Nd}", "", number) for number in _NUMBER.findall(text))
    return [str(int(digits)) for digits in found if len(digits) > 1]
