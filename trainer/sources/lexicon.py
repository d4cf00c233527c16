"""WordNet 3.0 in its own file format, and Chinese Open Wordnet's words for its synsets.

WordNet: Debian's wordnet-base (data.* and index.*; format: man wndb). Chinese Open Wordnet: lines
`offset-pos ⇥ cmn:lemma ⇥ word`. Knows nothing of examples.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.sources.words import FUNCTION_CLASSES, is_chinese

CLASS_OF = {"n": "noun", "v": "verb", "a": "adjective", "s": "adjective", "r": "adverb"}
_MARKER = re.compile(r"\([a-z]+\)$")  # where an adjective may stand: "afraid(p)"
_QUOTED = re.compile(r'"([^"]+)"')


@dataclass(frozen=True)
class Synset:
    """One WordNet sense; `id` as Chinese Open Wordnet writes it, `lemmas` with underscores."""

    id: str
    lemmas: tuple[str, ...]
    hypernyms: tuple[str, ...]  # ids
    examples: tuple[str, ...]

    @property
    def pos(self) -> str:
        return self.id[-1]


@dataclass(frozen=True)
class Entry:
    """A lemma as one part of speech: how many of its senses corpora showed, and all its senses in
    order of frequency."""

    tagged: int
    synsets: tuple[str, ...]


def read_synsets(files: Iterable[Path]) -> Iterator[Synset]:
    """The synsets of the data.* files among `files`."""
    for file in files:
        if not file.name.startswith("data."):
            continue
        with file.open(encoding="utf-8") as lines:
            yield from (_synset(line) for line in lines if not line.startswith(" "))


def _synset(line: str) -> Synset:
    data, _, gloss = line.partition("|")
    columns = data.split()
    count = int(columns[3], 16)
    lemmas = tuple(_MARKER.sub("", lemma) for lemma in columns[4 : 4 + 2 * count : 2])
    pos = "a" if columns[2] == "s" else columns[2]
    pointers = columns[5 + 2 * count : 5 + 2 * count + 4 * int(columns[4 + 2 * count])]
    above = (
        f"{offset}-{kind}"
        for symbol, offset, kind in zip(pointers[::4], pointers[1::4], pointers[2::4])
        if symbol in ("@", "@i")
    )
    return Synset(f"{columns[0]}-{pos}", lemmas, tuple(above), tuple(_examples(gloss)))


def _examples(gloss: str) -> Iterator[str]:
    """The quoted examples of a gloss; words quoted inside the definition are none."""
    for match in _QUOTED.finditer(gloss):
        before = gloss[: match.start()].rstrip()
        if before.endswith((";", ",", '"')) or (before.endswith("or") and '"' in before):
            yield " ".join(match[1].split()).strip(" ;,")


def fixed_entries(synsets: Iterable[Synset]) -> dict[str, frozenset[str]]:
    """Synset id → its entries of several words that are fixed phrases. Names are none, nor are
    nouns that are a kind of their last word, as *straight line* is a line and *hot dog* no dog."""
    known = {synset.id: synset for synset in synsets}
    fixed = {}
    for synset in known.values():
        above = [known[i].lemmas for i in synset.hypernyms if i in known]
        heads = {_head(lemma) for lemmas in above for lemma in lemmas} if synset.pos == "n" else ()
        entries = frozenset(
            lemma
            for lemma in synset.lemmas
            if "_" in lemma and lemma.islower() and _head(lemma) not in heads
        )
        if entries:
            fixed[synset.id] = entries
    return fixed


def _head(lemma: str) -> str:
    return lemma.rpartition("_")[2].lower()


class Index:
    """Which parts of speech and senses a lemma has."""

    def __init__(self, files: Iterable[Path]):
        """From the index.n|v|adj|adv files among `files`."""
        self.entries: dict[str, dict[str, Entry]] = defaultdict(dict)
        for file in files:
            if file.name in ("index.noun", "index.verb", "index.adj", "index.adv"):
                with file.open(encoding="utf-8") as lines:
                    for line in lines:
                        if not line.startswith(" "):
                            self._add(line.split())

    def _add(self, columns: list[str]) -> None:
        lemma, pos, pointers = columns[0], columns[1], int(columns[3])
        tagged = int(columns[5 + pointers])
        synsets = tuple(f"{offset}-{pos}" for offset in columns[6 + pointers :])
        self.entries[lemma][pos] = Entry(tagged, synsets)

    def word_class(self, forms: Iterable[str]) -> tuple[str, bool]:
        """The likeliest class of a word listed under `forms`, and whether it is the only one; ""
        where no form is listed."""
        known = sorted(forms)
        for form in known:
            if form in FUNCTION_CLASSES:
                return FUNCTION_CLASSES[form], False
        found = self.classes(known)
        return (found[0], len(found) == 1) if found else ("", False)

    def classes(self, forms: Iterable[str]) -> list[str]:
        """The classes that dictionary entries `forms` have, the likeliest first."""
        found: dict[str, tuple[int, int]] = {}
        for form in forms:
            for pos, entry in self.entries.get(form, {}).items():
                seen = found.get(pos, (0, 0))
                found[pos] = max(seen, (entry.tagged, len(entry.synsets)))
        return [CLASS_OF[pos] for pos in sorted(found, key=lambda p: (found[p], p), reverse=True)]


def read_chinese(files: Iterable[Path]) -> dict[str, tuple[str, ...]]:
    """Synset id → its Chinese words in the .tab files among `files`, `+` marks kept."""
    words: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if file.suffix != ".tab":
            continue
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                columns = line.rstrip("\n").split("\t")
                if not line.startswith("#") and len(columns) == 3:
                    number, _, pos = columns[0].partition("-")
                    words[f"{number}-{'a' if pos == 's' else pos}"].append(columns[2])
    return {
        synset: tuple(w for w in mine if is_chinese(w.replace("+", "")))
        for synset, mine in words.items()
    }
