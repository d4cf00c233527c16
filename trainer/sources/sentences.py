"""Sentences of which every word is labelled, in the project's own format: their phrases judged.

Whoever labels every word calls more word groups phrases than the gold labels do: a phrase is kept
only where a reference (labelled rows, phrase lists, WordNet's data files) has it, else whether the
word stands in one is unknown, and the text stops at the word's meaning. The rows are the files of
the first one's folder, the references all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from trainer.examples import Example, Refusal, read_rows
from trainer.recipe import Source
from trainer.sources.phrases import Key, phrase_key, read_phrases, wordnet_phrases


def read(source: Source, files: Sequence[Path], pair: str) -> Iterator[Example | Refusal]:
    """The rows as examples, in order."""
    own = [file for file in files if file.parent == files[0].parent]
    references = [file for file in files if file.parent != files[0].parent]
    fixed = read_phrases(references) | wordnet_phrases(references)
    for row in read_rows(source, own, pair):
        yield row if isinstance(row, Refusal) else _judge(row, fixed)


def _judge(row: Example, fixed: frozenset[Key]) -> Example:
    phrase = row.sense.phrase
    words = [row.query.words[i].text for i in phrase.members] if phrase else []
    if not phrase or phrase_key(words) in fixed:
        return row
    known = tuple(name for name in row.fields if name not in ("phrase", "phrase_meaning"))
    return replace(row, sense=replace(row.sense, phrase=None), fields=known)
