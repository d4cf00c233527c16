"""Which part of speech a word most likely has where it stands: dictionary first, then neighbours.

For sources that give no class. The guess stands before a meaning as its condition; only where a
dictionary knows a single class is it a fact to be learnt.
"""

from __future__ import annotations

from collections.abc import Collection

from engine.sense import Query
from trainer.sources.lexicon import Index
from trainer.sources.words import FUNCTION_CLASSES, forms, lemma

_BEFORE_VERBS = frozenset(
    word + end
    for words, ends in {
        "i you we they he she it who": ("", "'ll", "'d"),
        "do does did wo ca could should would": ("n't",),
        "to not let's please never always": ("",),
    }.items()
    for word in words.split()
    for end in ends
)
_BEFORE_NOUNS = frozenset({"of", "in", "at", "for", "with", "from", "without", "into"})


def guess(index: Index, query: Query, likely: Collection[str] = ()) -> tuple[str, bool]:
    """The class of the query's word and whether it is certain; `likely` narrows the choice. ""
    where nothing is known of the word."""
    target, position = query.target, query.position
    listed = index.classes(forms(target))
    if target[0].isupper() and (position > 0 or not listed):
        return "proper noun", False  # WordNet's index lists names in lower case, as nouns
    if len(listed) < 2 or target.lower() in FUNCTION_CLASSES:
        word_class, only = index.word_class(forms(target))
        return word_class, only and target[0].islower()  # a sentence may begin with a name
    before = query.words[position - 1].text if position else ""
    if "verb" in listed and _looks_verbal(target.lower(), before):
        return "verb", False
    return _by_place(before.lower(), [c for c in listed if c in likely] or listed), False


def _looks_verbal(target: str, before: str) -> bool:
    """Whether the form says so: slept, going, Tom walks; but not songs, better, the going."""
    if FUNCTION_CLASSES.get(before.lower()) == "determiner" or lemma(target) == target:
        return False
    named = before[:1].isupper() and before.lower() not in FUNCTION_CLASSES
    return named if target.endswith("s") else not target.endswith(("er", "est"))


def _by_place(before: str, open_to: list[str]) -> str:
    """Of the classes, the most frequent first, the one that the word before asks for."""
    kind = FUNCTION_CLASSES.get(before, "")
    asks_verb = kind == "auxiliary" and "adjective" not in open_to
    if "verb" in open_to and (before in _BEFORE_VERBS or asks_verb):
        return "verb"
    if "noun" in open_to and (kind == "determiner" or before in _BEFORE_NOUNS):
        return "adjective" if open_to[0] == "adjective" else "noun"
    return open_to[0]
