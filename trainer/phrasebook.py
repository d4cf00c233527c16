"""The phrasebook that the app ships: the table of the written labels' phrases, those of other
labelled sentences, and listed ones.

    python -m trainer books RECIPE.json

Dev and test rows of those sentences are left out. Writes assets/phrasebook.tsv.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from engine.lemma import lemma
from engine.sense import phrase_words
from engine.settings import Settings
from trainer.examples import Example
from trainer.recipe import RecipeError

TABLE = "gold-phrases.tsv"  # members ⇥ Chinese ⇥ sentences
LISTED = "datasets/en-zh-phrases"  # of the assets: files of members ⇥ Chinese
TOLD = ("sentences",)  # sources whose phrases are not in the table, but as good


def read_table(settings: Settings) -> list[str]:
    """The lines of the table in the data folder; RecipeError where it is not there."""
    file = settings.data / TABLE if settings.data else None
    if file is None or not file.exists():
        raise RecipeError(f"no {TABLE}; set CTX_DATA to its folder")
    return file.read_text(encoding="utf-8").splitlines()


def read_listed(assets: Path) -> list[str]:
    """The lines of the listed phrases' files, in order of name."""
    files = sorted((assets / LISTED).glob("*.tsv"))
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def make_phrase_lines(
    table: Iterable[str], examples: Iterable[Example], listed: Iterable[str]
) -> Iterator[str]:
    """The book's lines: the table's; those of the examples, a sentence counted once; and of the
    listed phrases those that neither knows, as seen in no sentence."""
    known = set()
    for line in chain(table, _told(examples)):
        known.add(_lemmas(line))
        yield line
    for line in listed:
        if _lemmas(line) not in known:
            yield f"{line}\t0"


def _lemmas(line: str) -> tuple[str, ...]:
    return tuple(map(lemma, line.split("\t")[0].split(" ")))


def _told(examples: Iterable[Example]) -> Iterator[str]:
    contexts: dict[tuple[str, str], set[str]] = {}
    for example in examples:
        phrase = example.sense.phrase
        if example.source in TOLD and phrase and phrase.meaning:
            told = phrase_words(example.query, phrase).lower(), phrase.meaning
            contexts.setdefault(told, set()).add(example.query.context)
    for (members, meaning), found in sorted(contexts.items()):
        yield f"{members}\t{meaning}\t{len(found)}"


def write_phrasebook(lines: Iterable[str], file: Path) -> int:
    """Write the book; its number of lines."""
    kept = list(lines)
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return len(kept)
