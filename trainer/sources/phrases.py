"""Which word sequences are known to be fixed phrases, and where a sentence has one.

Known are the phrases of labelled rows (*.jsonl), of a phrase list (members ⇥ …, *.tsv) and
WordNet's fixed entries. Compared by lemma, without articles and open slots (*someone*, *her*).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.passage import split_words
from engine.sense import Phrase, Query
from trainer.sources.lexicon import fixed_entries, read_synsets
from trainer.sources.words import ARTICLES, SLOTS, lemma

WIDEST_GAP = 3  # words between two members when a sentence is searched

Key = tuple[str, ...]


def phrase_key(words: Iterable[str]) -> Key:
    """The lemmas that make two spellings one phrase; articles count where little else is left."""
    lower = [word.lower().replace("’", "'") for word in words]
    bare = tuple(lemma(word) for word in lower if word not in ARTICLES | SLOTS)
    return bare if len(bare) > 1 else tuple(map(lemma, lower))


def read_phrases(files: Iterable[Path]) -> frozenset[Key]:
    """Keys of the phrases that the rows and phrase lists among `files` hold."""
    spelled: set[str] = set()
    for file in files:
        if file.suffix not in (".jsonl", ".tsv"):
            continue
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                if file.suffix == ".tsv":
                    spelled.add(line.partition("\t")[0])
                elif line.strip():
                    spelled.add(json.loads(line).get("phrase", "").partition("|")[0])
    keys = (phrase_key(word.text for word in split_words(text)) for text in spelled)
    return frozenset(key for key in keys if len(key) > 1)


def wordnet_phrases(files: Iterable[Path]) -> frozenset[Key]:
    """Keys of the fixed entries of the WordNet data files among `files`."""
    entries = {e for mine in fixed_entries(read_synsets(files)).values() for e in mine}
    keys = (phrase_key(entry.split("_")) for entry in entries)
    return frozenset(key for key in keys if len(key) > 1)


def trimmed(query: Query, phrase: Phrase) -> Phrase | None:
    """The phrase without open slots and a leading a/an; None where the target or all but one
    member goes."""
    members = [i for i in phrase.members if query.words[i].text.lower() not in SLOTS]
    if len(members) > 2 and query.words[members[0]].text.lower() in ("a", "an"):
        members = members[1:]
    if len(members) < 2 or query.position not in members:
        return None
    return Phrase(tuple(members), phrase.meaning)


class Finder:
    """Finds known phrases in sentences, gaps between their members allowed."""

    def __init__(self, keys: Iterable[Key]):
        self._by_first: dict[str, list[Key]] = defaultdict(list)
        for key in sorted(keys):
            self._by_first[key[0]].append(key)

    def members(self, words: Sequence[str]) -> frozenset[int]:
        """Positions of all words that stand in some known phrase."""
        return frozenset(i for place in self.places(words) for i in place)

    def places(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """The members' positions of each known phrase that the words hold."""
        lemmas = [lemma(word) for word in words]
        found = (
            place(key, lemmas, start)
            for start, first in enumerate(lemmas)
            for key in self._by_first.get(first, ())
        )
        return [members for members in found if members]


def place(key: Key, lemmas: Sequence[str], start: int, gap: int = WIDEST_GAP) -> tuple[int, ...]:
    """Where `key` stands when its first lemma is at `start`, each member as early as it can; ()
    where it does not."""
    at = [start]
    for wanted in key[1:]:
        reach = range(at[-1] + 1, min(at[-1] + 2 + gap, len(lemmas)))
        i = next((i for i in reach if lemmas[i] == wanted), None)
        if i is None:
            return ()
        at.append(i)
    return tuple(at)
