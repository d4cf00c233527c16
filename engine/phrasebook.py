"""Known phrases and their meanings, found in a sentence by lemma. Pure.

A small model learns where a phrase is, not what an idiom means: so meanings are remembered. What
the book finds is a candidate only; the words' votes decide whether the phrase is meant here.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.lemma import lemma
from engine.passage import Word, split_words
from engine.sense import Entry
from engine.settings import assets

_WIDEST_GAP = 5  # words between two members of a known phrase
_MOST_MEANINGS = 4  # of one phrase, the most frequent first

Lemmas = tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """A known meaning of a phrase, whose it is (book or person), and whether the phrase was seen in
    a labelled sentence or is only listed."""

    meaning: str
    source: str = "book"
    seen: bool = True


Candidates = Mapping[tuple[int, ...], tuple[Known, ...]]
"""Known phrases that may stand in a sentence: member positions → meanings, the best first."""
NO_CANDIDATES: Candidates = {}


class Phrasebook:
    """Looks known phrases up in sentences; their meanings are of one `source`. `version` changes
    with its content."""

    def __init__(self, entries: Iterable[Entry] = (), source: str = "book"):
        self._counts: dict[Lemmas, Counter[str]] = defaultdict(Counter)
        for entry in entries:
            self._counts[tuple(map(lemma, entry.members))][entry.meaning] += entry.count
        meanings = {
            lemmas: tuple(meaning for meaning, _ in counted.most_common(_MOST_MEANINGS))
            for lemmas, counted in self._counts.items()
        }
        self._source = source
        self._known = {
            lemmas: tuple(
                Known(meaning, source, self._counts[lemmas].total() > 0) for meaning in found
            )
            for lemmas, found in meanings.items()
        }
        self._starting: dict[str, list[Lemmas]] = defaultdict(list)
        for lemmas in sorted(meanings):
            self._starting[lemmas[0]].append(lemmas)
        self.version = digest(sorted(meanings.items()))

    def only(self, keep: Callable[[Lemmas, int], bool]) -> Phrasebook:
        """The book of those phrases that `keep` says yes to, given lemmas and sentences."""
        entries = (
            Entry(lemmas, meaning, count)
            for lemmas, counted in self._counts.items()
            if keep(lemmas, counted.total())
            for meaning, count in counted.items()
        )
        return Phrasebook(entries, self._source)

    def __len__(self) -> int:
        return len(self._known)

    def find(self, words: Sequence[Word]) -> Candidates:
        """The book's phrases whose words stand in a sentence."""
        lemmas = [lemma(word.text) for word in words]
        found = {}
        for i, first in enumerate(lemmas):
            for phrase in self._starting.get(first, ()):
                members = _follow(phrase, lemmas, i)
                if members:
                    found[members] = self._known[phrase]
        return found


def hints(found: Candidates) -> dict[int, tuple[int, ...]]:
    """For each position the longest of the candidates it is a member of."""
    longest: dict[int, tuple[int, ...]] = {}
    for members in sorted(found, key=lambda m: (len(m), m)):
        longest |= dict.fromkeys(members, members)
    return longest


def favoured(found: Candidates) -> tuple[tuple[int, ...], ...]:
    """The candidates that were seen in labelled sentences: only these have anything in advance of
    what words vote for. A listed phrase of common words stands in many sentences by chance."""
    return tuple(members for members, known in found.items() if any(one.seen for one in known))


def join(first: Candidates, second: Candidates) -> Candidates:
    """The candidates of both, the first's meanings before the second's and each only once."""
    joined = dict(first)
    for members, known in second.items():
        mine = joined.get(members, ())
        told = {one.meaning for one in mine}
        joined[members] = (*mine, *(one for one in known if one.meaning not in told))
    return joined


def digest(value: object) -> str:
    """A short name for a value; another value has another."""
    return _hash(value)[:8]


def _follow(phrase: Lemmas, lemmas: Sequence[str], start: int) -> tuple[int, ...] | None:
    """Where the phrase's words stand from `start` on, each as near as can; None if not all do."""
    members = [start]
    for wanted in phrase[1:]:
        reach = range(members[-1] + 1, min(members[-1] + 2 + _WIDEST_GAP, len(lemmas)))
        at = next((i for i in reach if lemmas[i] == wanted), None)
        if at is None:
            return None
        members.append(at)
    return tuple(members)


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()


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
