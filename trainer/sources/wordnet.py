"""WordNet 3.0's example sentences, each word with the Chinese words of its sense.

Reads WordNet's data and index files (Debian wordnet-base; WordNet licence); its references: Chinese
Open Wordnet's .tab (Bond, Wang; free for any use with its notice) and labelled rows (*.jsonl) that
help to choose the usual Chinese word, with the wordfreq package's frequencies (build only).
A word gives its class and meaning, its phrase unknown; a multiword entry gives each member its
phrase, and the phrase's meaning where Chinese Open Wordnet has one.
Refused: examples under three words, held out for tests, without the entry or with it twice; senses
without a Chinese word in common use; entries that are names, free compounds (*straight line*) or
part of a longer phrase; members whose class nothing tells.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.sense import Phrase, Query, QueryError, Sense, check_context
from trainer.examples import Example, Refusal, held_out
from trainer.recipe import RecipeError, Source
from trainer.sources.classes import guess
from trainer.sources.lexicon import (
    CLASS_OF,
    Index,
    Synset,
    fixed_entries,
    read_chinese,
    read_synsets,
)
from trainer.sources.phrases import Finder, read_phrases, wordnet_phrases
from trainer.sources.usual import UsualMeanings, read_rows
from trainer.sources.words import (
    ARTICLES,
    FUNCTION_CLASSES,
    LONGEST_MEANING,
    SLOTS,
    forms,
    is_chinese,
)

FEWEST_WORDS = 3
RAREST = 1e-8  # share of Chinese text: below that a word's translation is rather a paraphrase
WIDEST_GAP = 3  # words between two members of a verb's entry; other entries have no gaps
_ENDING = re.compile(r"\+?[的地]$")
_NUMERAL = re.compile(r"[第零〇一二两三四五六七八九十百千万亿]+的?")

Frequency = Callable[[str], float]


def read(source: Source, files: Sequence[Path], pair: str) -> Iterator[Example | Refusal]:
    """The examples of `files`' WordNet in its own order."""
    synsets = list(read_synsets(files))
    usual = UsualMeanings(read_rows(files, pair))
    chinese = Chinese(read_chinese(files), synsets, usual, frequency())
    known = _Known(chinese, Index(files), fixed_entries(synsets), Finder(
        read_phrases(files) | wordnet_phrases(files)
    ))  # fmt: skip
    yield from Reader(source, pair, known).rows(synsets)


def frequency() -> Frequency:
    """wordfreq's frequency of a Chinese word; RecipeError where the package is not installed."""
    try:
        from wordfreq import get_frequency_dict
    except ImportError as error:
        raise RecipeError(
            "source wordnet needs wordfreq: pip install -r trainer/sources/requirements.txt"
        ) from error
    known = get_frequency_dict("zh", "large")
    return lambda word: known.get(word, 0.0)


class Chinese:
    """Chooses among a synset's Chinese words."""

    def __init__(
        self,
        words: Mapping[str, tuple[str, ...]],
        synsets: Iterable[Synset],
        usual: UsualMeanings,
        frequency: Frequency,
    ):
        self._words, self._usual, self._frequency = words, usual, frequency
        self._senses: Counter[str] = Counter()  # of an entry, of a Chinese word, of both together
        for synset in synsets:
            entries = [entry.lower() for entry in synset.lemmas]
            texts = {_bare(word) for word in words.get(synset.id, ())}
            self._senses.update([*entries, *texts, *(e + w for e in entries for w in texts)])

    def of(self, synset: str, entry: str) -> str:
        """The Chinese word for `entry` in this sense: what labelled rows say, else what is both
        frequent and often shared by senses of the two; "" where none fits."""
        fitting = self._words.get(synset, ())
        if synset.endswith("a"):  # in dictionary form an adjective ends in 的
            fitting = tuple(w for w in fitting if w.endswith("的")) or fitting
        fitting = tuple(w for w in fitting if len(w.replace("+", "")) <= LONGEST_MEANING)
        if "_" not in entry:
            fitting = tuple(w for w in fitting if self._frequency(_bare(w)) >= RAREST)
        if not fitting:
            return ""
        word = min(fitting, key=lambda w: self._rank(w, entry.lower()))
        return (
            _bare(word) if synset.endswith("r") and word.endswith("的") else word.replace("+", "")
        )

    def first(self, index: Index, word: str, word_class: str) -> str:
        """A plausible meaning of a word as that class: from labelled rows, else its senses."""
        if word.lower() in ARTICLES:
            return "这" if word.lower() == "the" else "一个"
        if meaning := self._usual.of(word, word_class):
            return meaning
        senses = (
            (synset, form)
            for form in sorted(forms(word))
            for pos, entry in sorted(index.entries.get(form, {}).items())
            if CLASS_OF[pos] == word_class
            for synset in entry.synsets
        )
        return next((text for sense in senses if (text := self.of(*sense))), "")

    def _rank(self, word: str, entry: str) -> tuple[float, float, int, str]:
        bare = _bare(word)
        often = max(self._frequency(bare), 1e-9)
        shared = 2 * self._senses[entry + bare] / (self._senses[entry] + self._senses[bare] + 1e-9)
        weight = math.log10(often) + 1.5 * math.log10(max(shared, 1e-9))
        labelled = self._usual.count(entry, word.replace("+", ""))
        return -labelled, -round(weight, 6), len(word), word


def _bare(word: str) -> str:
    return (_ENDING.sub("", word) or word).replace("+", "")


@dataclass(frozen=True)
class _Known:
    chinese: Chinese
    index: Index
    fixed: dict[str, frozenset[str]]  # entries of several words that count as phrases
    phrases: Finder


class Reader:
    """Makes the rows of synsets."""

    def __init__(self, source: Source, pair: str, known: _Known):
        self._source, self._pair, self._known = source, pair, known

    def rows(self, synsets: Iterable[Synset]) -> Iterator[Example | Refusal]:
        """All rows of the synsets' examples."""
        for synset in synsets:
            for text in synset.examples:
                yield from self._example_rows(synset, text)

    def _example_rows(self, synset: Synset, text: str) -> Iterator[Example | Refusal]:
        try:
            query = Query(check_context(text), 0, self._pair)
        except QueryError as error:
            yield Refusal(error.code)
            return
        words = [word.text for word in query.words]
        if len(words) < FEWEST_WORDS:
            yield Refusal("too_short")
            return
        if held_out(query.context) or held_out(text):
            yield Refusal("held_out")
            return
        found = False
        for entry in synset.lemmas:
            places = self._places(entry, words, synset.pos)
            if len(places) > 1:
                yield Refusal("word_repeated")
            elif places:
                found = True
                (place,) = places
                make = self._word_row if "_" not in entry else self._phrase_rows
                yield from make(synset, entry, query, place)
        if not found:
            yield Refusal("entry_not_in_example")

    def _places(self, entry: str, words: Sequence[str], pos: str) -> list[tuple[int, ...]]:
        """Where the entry's words stand; open slots match any word and are no members."""
        parts = entry.split("_")
        gap = WIDEST_GAP if pos == "v" else 0
        places = []
        for start, word in enumerate(words):
            if _matches(parts[0], word) and (at := _follow(parts, words, start, gap)):
                places.append(at)
        return places

    def _word_row(
        self, synset: Synset, entry: str, query: Query, place: tuple[int, ...]
    ) -> Iterator[Example | Refusal]:
        meaning = self._known.chinese.of(synset.id, entry)
        if not meaning or not is_chinese(meaning):
            yield Refusal("no_chinese")
            return
        named = synset.pos == "n" and entry[0].isupper()
        word_class = "proper noun" if named else CLASS_OF[synset.pos]
        doubtful = entry.lower() in FUNCTION_CLASSES or _NUMERAL.fullmatch(meaning)
        fields = ("meaning",) if doubtful else ("class", "meaning")
        asked = Query(query.context, place[0], query.pair)
        yield self._example(asked, Sense(word_class, meaning), fields)

    def _phrase_rows(
        self, synset: Synset, entry: str, query: Query, place: tuple[int, ...]
    ) -> Iterator[Example | Refusal]:
        words = query.words
        if entry not in self._known.fixed.get(synset.id, ()):
            yield Refusal("name_or_free_compound")
            return
        if any(set(place) < set(p) for p in self._known.phrases.places([w.text for w in words])):
            yield Refusal("longer_phrase")
            return
        if len(place) > 2 and words[place[0]].text.lower() in ("a", "an"):
            place = place[1:]
        if len(place) < 2:
            yield Refusal("entry_of_one_word")
            return
        phrase = Phrase(place, self._known.chinese.of(synset.id, entry))
        for i in place:
            asked = Query(query.context, i, query.pair)
            likely = ("verb",) if synset.pos == "v" and i == place[0] else ()
            word_class, _ = guess(self._known.index, asked, likely)
            if not word_class:
                yield Refusal("no_class")
                continue
            meaning = self._known.chinese.first(self._known.index, words[i].text, word_class)
            known = bool(meaning and phrase.meaning)
            fields = ("phrase", "phrase_meaning") if known else ("phrase",)
            sense = Sense(word_class, meaning if known else "", phrase)
            yield self._example(asked, sense, fields)

    def _example(self, query: Query, sense: Sense, fields: tuple[str, ...]) -> Example:
        known = tuple(name for name in self._source.fields if name in fields)
        return Example(query, sense, self._source.name, self._source.weight, known)


def _matches(part: str, word: str) -> bool:
    return part == word or part.lower() in forms(word)


def _follow(parts: Sequence[str], words: Sequence[str], start: int, gap: int) -> tuple[int, ...]:
    """The members' positions when the first part stands at `start`; () where the rest does not."""
    members, at = [start], start
    for part in parts[1:]:
        if part in SLOTS:
            at += 1
            continue
        reach = range(at + 1, min(at + 2 + gap, len(words)))
        found = next((i for i in reach if _matches(part, words[i])), None)
        if found is None:
            return ()
        members.append(found)
        at = found
    return tuple(members)
