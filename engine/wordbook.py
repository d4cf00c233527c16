"""Known meanings of words: what dictionaries list and how often labelled rows gave each.

A small model that never saw "fig" cannot know 无花果; so meanings are remembered, and the model
weighs them. What the book says of a meaning is worth so many nats on top of the model's own
log-probability: any other meaning can still win. Pure.
"""

from __future__ import annotations

import gzip
import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from engine.lemma import lemma
from engine.settings import assets

LISTED = 4.5  # nats for a meaning that the book has for the word
SEEN = 0.8  # nats for each e-fold of 1 + rows that gave it to the word in its class
_NAMES = "proper noun"  # what a dictionary says of a rose tells nothing of Mrs Rose


@dataclass(frozen=True)
class Entry:
    """What the book has on one meaning of a word: how many labelled rows gave it, by class, and
    whether a dictionary lists it."""

    seen: Mapping[str, int]
    listed: bool

    def worth(self, word_class: str) -> float:
        """What the meaning is worth when the word is of a class, in nats."""
        count = self.seen.get(word_class, 0)
        return LISTED + SEEN * math.log1p(count) if count or word_class != _NAMES else 0.0


class Wordbook:
    """Meanings by lemma. `version` changes with the content."""

    def __init__(self, lines: Iterable[str] = (), version: str = "none"):
        """`lines`: lemma ⇥ meaning ⇥ meaning noun=3 listed ⇥ …: numbers of labelled rows, and
        whether a dictionary has it, too; a bare one is a dictionary's."""
        self._lines = {word: rest for word, _, rest in (line.partition("\t") for line in lines)}
        self.version = version

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def words(self) -> tuple[str, ...]:
        """The lemmas that it has, as it spells them."""
        return tuple(self._lines)

    def entries(self, word: str) -> dict[str, Entry]:
        """Meaning → what is known of it, under the word's spelling and its lemma."""
        found: dict[str, Entry] = {}
        for form in sorted({lemma(word), word.lower()}):
            for meaning, entry in _read(self._lines.get(form, "")).items():
                other = found.get(meaning)
                if other is None or sum(other.seen.values()) < sum(entry.seen.values()):
                    found[meaning] = entry
        return found

    def find(self, word: str, word_class: str) -> dict[str, float]:
        """What each known meaning of a word is worth when it is of a class, in nats."""
        worths = {m: entry.worth(word_class) for m, entry in self.entries(word).items()}
        return {meaning: worth for meaning, worth in worths.items() if worth}


@lru_cache(maxsize=10_000)
def _read(line: str) -> dict[str, Entry]:
    known = {}
    for entry in filter(None, line.split("\t")):
        meaning, *marks = entry.split(" ")
        counts = (mark.rpartition("=") for mark in marks if "=" in mark)
        seen = {name.replace("_", " "): int(count) for name, _, count in counts}
        known[meaning] = Entry(seen, not marks or "listed" in marks)
    return known


def read_wordbook(file: Path) -> Wordbook:
    """The book in a gzipped table of such lines."""
    packed = file.read_bytes()
    lines = gzip.decompress(packed).decode().splitlines()
    return Wordbook(lines, hashlib.sha256(packed).hexdigest()[:8])


@cache
def shipped_wordbook() -> Wordbook:
    """The book that ships with the app."""
    return read_wordbook(assets() / "wordbook.tsv.gz")
