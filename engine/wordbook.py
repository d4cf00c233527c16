"""Known meanings of words: what dictionaries list and how often labelled rows gave each.

A small model that never saw "fig" cannot know 无花果; so meanings are remembered, and the model
weighs them. What the book says of a meaning is worth so many nats on top of the model's own
log-probability: any other meaning can still win. Pure.
"""

from __future__ import annotations

import gzip
import hashlib
import math
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from engine.lemma import lemma
from engine.settings import assets

LISTED = 4.5  # nats for a meaning that the book has for the word
SEEN = 0.8  # nats for each e-fold of 1 + rows that gave it to the word in its class


_NAMES = "proper noun"  # what a dictionary says of a rose tells nothing of Mrs Rose


class Wordbook:
    """Meanings by lemma. `version` changes with the content."""

    def __init__(self, lines: Iterable[str] = (), version: str = "none"):
        """`lines`: lemma ⇥ meaning ⇥ meaning noun=3 verb=1 …, with numbers of labelled rows."""
        self._entries = {word: rest for word, _, rest in (line.partition("\t") for line in lines)}
        self.version = version

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, word: str, word_class: str) -> dict[str, float]:
        """What each known meaning of a word is worth when it is of a class, in nats."""
        found: dict[str, float] = {}
        for form in {lemma(word), word.lower()}:
            for meaning, seen in _read(self._entries.get(form, "")).items():
                count = seen.get(word_class, 0)
                if count or word_class != _NAMES:
                    worth = LISTED + SEEN * math.log1p(count)
                    found[meaning] = max(worth, found.get(meaning, 0.0))
        return found


@lru_cache(maxsize=10_000)
def _read(entries: str) -> dict[str, dict[str, int]]:
    """Meaning → rows by class, from one line's text."""
    known = {}
    for entry in filter(None, entries.split("\t")):
        meaning, *seen = entry.split(" ")
        pairs = (pair.rpartition("=") for pair in seen)
        known[meaning] = {name.replace("_", " "): int(count) for name, _, count in pairs}
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
