"""The meanings that labelled rows give to a word: which is its usual one.

A row whose own meaning is unknown still needs some meaning in front of its phrase's meaning; this
gives a plausible one, whose loss is masked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from engine.sense import Query, QueryError, Sense
from engine.split import split_of
from trainer.examples import parse_row
from trainer.metrics import normal
from trainer.sources.words import lemma, usable_meaning


class UsualMeanings:
    """Counts of (lemma, class) → meaning over labelled rows."""

    def __init__(self, rows: Iterable[tuple[Query, Sense]]):
        self._by_class: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._by_lemma: dict[str, Counter[str]] = defaultdict(Counter)
        self._plain: Counter[tuple[str, str]] = Counter()
        for query, sense in rows:
            same = sense.phrase is not None and sense.phrase.meaning == sense.meaning
            if usable_meaning(sense.meaning, query.target) and not same:
                word = lemma(query.target)
                self._by_class[word, sense.word_class][sense.meaning] += 1
                self._by_lemma[word][sense.meaning] += 1
                self._plain[word, normal(sense.meaning)] += 1

    def of(self, word: str, word_class: str, but: str = "") -> str:
        """The most frequent meaning of `word`, as `word_class` if it can be, other than `but`; ""
        where there is none."""
        base = lemma(word)
        for counts in (self._by_class.get((base, word_class)), self._by_lemma.get(base)):
            ways = [(-count, text) for text, count in (counts or {}).items() if text != but]
            if ways:
                return min(ways)[1]
        return ""

    def count(self, word: str, meaning: str) -> int:
        """How many rows give `word` this meaning, closing 的/地 aside."""
        return self._plain[lemma(word), normal(meaning)]


def read_rows(files: Iterable[Path], pair: str) -> Iterable[tuple[Query, Sense]]:
    """The train rows of the flat *.jsonl files among `files` that fit."""
    for file in files:
        if file.suffix != ".jsonl":
            continue
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                query, sense = parse_row(line, "flat", pair)
            except (QueryError, ValueError, KeyError, TypeError):
                continue  # the source that owns the row counts it
            if split_of(query.context) == "train":
                yield query, sense
