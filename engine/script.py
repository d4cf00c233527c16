"""What a meaning can be written with: a property of the target language. Tokens of a vocabulary are
looked at as text, a blank as a blank. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import regex

# Letters and marks by script, and the languages that are written in it.
_SPACED = {
    r"\p{Latin}\u0300-\u036f": "en es de fr it pt nl pl cs sv da fi ro hu tr vi id",
    r"\p{Cyrillic}": "ru uk",
    r"\p{Greek}": "el",
    r"\p{Arabic}\p{Mn}\u200c": "ar fa ur",
    r"\p{Hebrew}": "he",
    r"\p{Devanagari}\u200c\u200d": "hi mr",
    r"\p{Bengali}\u200c\u200d": "bn",
    r"\p{Tamil}\u200c\u200d": "ta",
    r"\p{Telugu}\u200c\u200d": "te",
    r"\p{Hangul}": "ko",
}
_UNSPACED = {
    r"\p{Han}": "zh",
    r"\p{Han}\p{Hiragana}\p{Katakana}ー": "ja",
    r"\p{Thai}": "th",
}
_JOINERS = r"'’\-"  # between the parts of a word


@dataclass(frozen=True)
class Script:
    """How meanings in one language are written. `token` matches a whole token that can be part of
    one, `start` finds what one can begin with, `letter` what any must hold, `stray` what none may.
    The longest meanings of a word and of a phrase, in characters."""

    token: regex.Pattern
    start: regex.Pattern
    letter: regex.Pattern
    stray: regex.Pattern
    longest: int
    longest_phrase: int


@cache
def script_of(language: str) -> Script:
    """The script of a language by its code; KeyError where no meanings are written in it."""
    for letters, languages in _UNSPACED.items():
        if language in languages.split():
            return _unspaced(letters)
    for letters, languages in _SPACED.items():
        if language in languages.split():
            return _spaced(letters)
    raise KeyError(language)


def is_written(pair: str) -> bool:
    """Whether meanings can be written in a pair's target language."""
    source, _, target = pair.partition("-")
    known = " ".join((*_SPACED.values(), *_UNSPACED.values())).split()
    return bool(source) and source != target and target in known


def _unspaced(letters: str) -> Script:
    return Script(
        token=regex.compile(rf"[{letters}·…]+"),
        start=regex.compile(rf"[{letters}]"),
        letter=regex.compile(rf"[{letters}]"),
        stray=regex.compile(rf"[^{letters}…·]|…(?=…)"),
        longest=8,
        longest_phrase=12,
    )


def _spaced(letters: str) -> Script:
    part = rf"[{letters}0-9]+"
    return Script(
        token=regex.compile(rf" ?{part}(?:[{_JOINERS} ]{part})*|[{_JOINERS} ]"),
        start=regex.compile(rf"^(?=\p{{L}})[{letters}]"),
        letter=regex.compile(rf"(?=\p{{L}})[{letters}]"),
        stray=regex.compile(rf"[^{letters}0-9{_JOINERS} ]"),
        longest=40,
        longest_phrase=60,
    )
