"""Split a passage into sentences and words that join back to exactly the same text.

Pure text: no model, no settings. Every index is a Python string index (code points).
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import regex
import sentencex

# The letters of a word, by source language. The default takes the letters of every script.
_LETTERS = {"en": r"[\p{Latin}\p{M}\p{Nd}]"}
_ANY_LETTER = r"[\p{L}\p{M}\p{N}]"
_LONE_SURROGATE = regex.compile(r"\p{Cs}")
# Lines longer than this are cut at white space first: the splitter's time grows faster than length.
_LONGEST_RUN = 4000


@dataclass(frozen=True)
class Word:
    """One clickable word; `start` and `end` are offsets in its sentence's text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    """One sentence with the white space after it; `start` is its offset in the passage."""

    text: str
    start: int
    words: tuple[Word, ...]

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@lru_cache(maxsize=16)
def _word_pattern(language: str) -> regex.Pattern:
    letter = _LETTERS.get(language, _ANY_LETTER)
    return regex.compile(rf"{letter}+(?:['’-]{letter}+)*")


def split_words(text: str, language: str = "en") -> tuple[Word, ...]:
    """The words of `text` in order, by the pattern of the labelling rules."""
    return tuple(
        Word(m.group(), m.start(), m.end()) for m in _word_pattern(language).finditer(text)
    )


def split_passage(text: str, language: str = "en") -> tuple[Sentence, ...]:
    """The sentences of `text` in order; their texts joined are `text`. Empty text has none."""
    sentences: list[Sentence] = []
    at = 0
    for piece in _pieces(text, language):
        words = split_words(piece, language)
        if not words and sentences:  # blank lines and stray marks belong to what stands before
            last = sentences.pop()
            sentences.append(Sentence(last.text + piece, last.start, last.words))
        else:
            sentences.append(Sentence(piece, at, words))
        at += len(piece)
    return tuple(sentences)


def _pieces(text: str, language: str) -> list[str]:
    """Sentence texts that join to `text`: line by line, long lines cut into runs."""
    pieces: list[str] = []
    for line in _lines(text):
        for run in _runs(line):
            pieces.extend(_segment(run, language))
    return [piece for piece in pieces if piece]


def _segment(run: str, language: str) -> list[str]:
    """The library's sentences of `run`; all of it as one where they do not join to it."""
    text = _LONE_SURROGATE.sub("\ufffd", run)  # the library takes only what UTF-8 can hold
    found = list(sentencex.segment(language, text))
    if "".join(found) != text:
        return [run]
    ends = list(itertools.accumulate(map(len, found)))
    return [run[start:end] for start, end in zip([0, *ends], ends)]


def _lines(text: str) -> list[str]:
    """Lines with their ends; one that goes on in lower case is joined to the next (wrapped)."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if lines and line[:1].islower() and _goes_on(lines[-1]):
            lines[-1] += line
        else:
            lines.append(line)
    return lines


def _goes_on(line: str) -> bool:
    return len(line) < _LONGEST_RUN and line.strip()[-1:] not in {"", *".!?…:。！？"}


def _runs(line: str) -> list[str]:
    runs = []
    while len(line) > _LONGEST_RUN:
        cut = line.rfind(" ", 0, _LONGEST_RUN) + 1 or _LONGEST_RUN
        runs.append(line[:cut])
        line = line[cut:]
    return [*runs, line]


def word_at(words: tuple[Word, ...], offset: int) -> int | None:
    """The index of the word that covers `offset`, or None between words."""
    i = bisect_left(words, offset + 1, key=lambda w: w.end)
    return i if i < len(words) and words[i].start <= offset else None
