"""The rows of a split that models are evaluated on, and what each of them is: a rare word, a long
sentence, a split phrase. Which rows is fixed by the seed; a sentence's rows are all in or all out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import wordfreq

from db.store import Refused, Store
from engine.sense import Query
from engine.settings import Settings
from engine.split import split_of
from trainer.evaluation.figures import is_split
from trainer.examples import Example, hash_files
from trainer.jobs.frozen import place
from trainer.jobs.kinds import JobError
from trainer.loading import find_source, load_examples
from trainer.recipe import Recipe, Source
from trainer.watch import choose_rows

SPLITS = ("train", "dev", "test")
_LONG = (10, 20)  # words: a short sentence has fewer, a long one more
# By the least Zipf frequency: the logarithm of a word's occurrences in a billion words.
_UNSPACED = frozenset({"zh", "ja", "ko"})  # wordfreq needs other packages to find their words
_FREQUENT = ((5.5, "very common"), (4.5, "common"), (3.5, "less common"), (0.0, "rare"))


@dataclass(frozen=True)
class Rows:
    """A split's rows, or some of them; `sha256` is that of all the dataset's rows."""

    examples: tuple[Example, ...]
    sha256: str

    @property
    def contexts(self) -> list[tuple[str, tuple[int, ...]]]:
        """Each sentence with the positions that are asked for, in order."""
        found: dict[str, list[int]] = {}
        for example in self.examples:
            found.setdefault(example.query.context, []).append(example.query.position)
        return [(context, tuple(asked)) for context, asked in found.items()]


def find_rows(
    dataset: str, split: str, count: int, seed: int, pair: str, store: Store, settings: Settings
) -> Rows:
    """About `count` rows (0: all) of a dataset's split. JobError or Refused where there is no such
    dataset or it has none."""
    source = Source(dataset, dataset, "dataset")
    placed, _ = place(Recipe(sources=(source,), pair=pair), store, settings.home)
    files = find_source(placed.sources[0], Path(), settings.data)
    loaded = load_examples(placed.sources[0], files, pair)
    mine = [e for e in loaded.examples if split_of(e.query.context, pair) == split]
    chosen = choose_rows(mine, count or len(mine), seed)
    if not chosen:
        raise JobError("no_rows", f"{dataset} has no rows of the split {split}")
    try:
        sha256 = store.datasets.get(dataset).sha256
    except Refused:  # one that ships with the app
        sha256 = hash_files(files)
    return Rows(tuple(chosen), sha256)


def sorts_of(examples: Sequence[Example]) -> list[dict[str, str]]:
    """What each row is: its class, whether it has a phrase, how usual its word is (where that is
    known of its language), how long its sentence, where it is from."""
    return [
        {
            "class": example.sense.word_class,
            "phrase": _phrase(example),
            **_often(example.query),
            "length": _length(example.query),
            "source": example.source,
        }
        for example in examples
    ]


def _phrase(example: Example) -> str:
    if example.sense.phrase is None:
        return "none"
    return "split" if is_split(example.sense) else "together"


def _often(query: Query) -> dict[str, str]:
    language = query.pair.partition("-")[0]
    return {"frequency": band(query.target, language)} if language in _counted() else {}


def band(word: str, language: str) -> str:
    """How usual a word of a language is, by wordfreq's Zipf scale."""
    often = wordfreq.zipf_frequency(word, language)
    return next(name for least, name in _FREQUENT if often >= least)


@cache
def _counted() -> frozenset[str]:
    """The languages whose words can be looked up here."""
    return frozenset(wordfreq.available_languages("small")) - _UNSPACED


def _length(query: Query) -> str:
    words = len(query.words)
    return "short" if words < _LONG[0] else "long" if words > _LONG[1] else "medium"
