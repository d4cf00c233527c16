"""Known phrases and their meanings, found in a sentence by lemma. Pure.

A small model learns where a phrase is, not what an idiom means: so meanings are remembered. What
the book finds is a candidate only; the words' votes decide whether the phrase is meant here.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import simplemma

from engine.passage import Word, split_words
from engine.settings import assets

_WIDEST_GAP = 5  # words between two members of a known phrase
_MOST_MEANINGS = 4  # of one phrase, the most frequent first


@dataclass(frozen=True)
class Entry:
    """A phrase as it was seen: its members' spelling, one meaning, in how many sentences."""

    members: tuple[str, ...]
    meaning: str
    count: int = 1


class Phrasebook:
    """Looks known phrases up in sentences. `version` changes with its content."""

    def __init__(self, entries: Iterable[Entry] = ()):
        meanings: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for entry in entries:
            meanings[tuple(map(_lemma, entry.members))][entry.meaning] += entry.count
        self._meanings = {
            lemmas: tuple(meaning for meaning, _ in counted.most_common(_MOST_MEANINGS))
            for lemmas, counted in meanings.items()
        }
        self._starting: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for lemmas in sorted(self._meanings):
            self._starting[lemmas[0]].append(lemmas)
        self.version = _hash(sorted(self._meanings.items()))[:8]

    def half(self) -> Phrasebook:
        """A book without every second phrase: to calibrate on phrases it does not know, too."""
        kept = [lemmas for lemmas in self._meanings if _hash(lemmas)[-1] in "02468ace"]
        return Phrasebook(Entry(lemmas, self._meanings[lemmas][0]) for lemmas in kept)

    def __len__(self) -> int:
        return len(self._meanings)

    def find(self, words: Sequence[Word]) -> dict[tuple[int, ...], tuple[str, ...]]:
        """Candidates in a sentence: member positions → the phrase's known meanings."""
        lemmas = [_lemma(word.text) for word in words]
        found = {}
        for i, lemma in enumerate(lemmas):
            for phrase in self._starting.get(lemma, ()):
                members = _follow(phrase, lemmas, i)
                if members:
                    found[members] = self._meanings[phrase]
        return found


def _follow(phrase: tuple[str, ...], lemmas: Sequence[str], start: int) -> tuple[int, ...] | None:
    """Where the phrase's words stand from `start` on, each as near as can; None if not all do."""
    members = [start]
    for lemma in phrase[1:]:
        reach = range(members[-1] + 1, min(members[-1] + 2 + _WIDEST_GAP, len(lemmas)))
        at = next((i for i in reach if lemmas[i] == lemma), None)
        if at is None:
            return None
        members.append(at)
    return tuple(members)


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()


@lru_cache(maxsize=50_000)
def _lemma(word: str) -> str:
    return simplemma.lemmatize(word.lower().replace("’", "'"), lang="en").lower()


def read_phrasebook(file: Path) -> Phrasebook:
    """The book in a table of members ⇥ meaning ⇥ sentences; phrases of one word are left out."""
    entries = []
    for line in file.read_text(encoding="utf-8").splitlines():
        english, meaning, count = line.split("\t")
        members = tuple(word.text for word in split_words(english))
        if len(members) > 1:
            entries.append(Entry(members, meaning, int(count)))
    return Phrasebook(entries)


@cache
def shipped_phrasebook() -> Phrasebook:
    """The book that ships with the app."""
    return read_phrasebook(assets() / "phrasebook.tsv")
