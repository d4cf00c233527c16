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

# The letters of a word and what may join them, by source language. The default takes the letters of
# every script, and the unseen joiners that shape them in Indic scripts and Persian.
_LETTERS = {"en": (r"[\p{Latin}\p{M}\p{Nd}]", r"['’-]")}
_ANY_LETTERS = (r"[\p{L}\p{M}\p{N}]", r"(?:['’-]|[\u200c\u200d]+)")
_LONE_SURROGATE = regex.compile(r"\p{Cs}")
# Lines longer than this are cut at white space first: the splitter's time grows faster than length.
_LONGEST_RUN = 4000
# In these languages only what begins a sentence, or is a name, has a capital: a line that begins in
# lower case goes on. In others (German nouns, scripts without case) a full line goes on.
_LOWER_GOES_ON = ("en", "es", "fr", "it", "nl", "pt")
_FULL_LINE = 45  # characters of a line that was wrapped by hand
_ENDS = {"", *".!?…:。！？।॥؟۔"}


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
    letter, link = _LETTERS.get(language, _ANY_LETTERS)
    return regex.compile(rf"{letter}+(?:{link}{letter}+)*")


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
    for line in _lines(text, language):
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


def _lines(text: str, language: str) -> list[str]:
    """Lines with their ends; one that goes on in the next (wrapped) is joined to it."""
    lines: list[str] = []
    last = ""
    for line in text.splitlines(keepends=True):
        if lines and _goes_on(lines[-1], last, line, language):
            lines[-1] += line
        else:
            lines.append(line)
        last = line
    return lines


def _goes_on(before: str, last: str, line: str, language: str) -> bool:
    """Whether `line` goes on what stands before it, whose last line is `last`."""
    if len(before) >= _LONGEST_RUN or before.strip()[-1:] in _ENDS:
        return False
    if line[:1].islower():
        return True
    return language not in _LOWER_GOES_ON and len(last) >= _FULL_LINE and line[:1].isalpha()


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
