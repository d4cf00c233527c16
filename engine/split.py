"""Which of train, dev and test a sentence is in: a function of its words alone, for ever. Pure.

Sentences that differ in case, marks or white space only are in the same split.
"""

from __future__ import annotations

import hashlib

from engine.sense import context_words

SPLITS = ("train", "dev", "test")


def folded(context: str, pair: str = "en-zh") -> str:
    """The words alone in small letters, under which near-identical sentences are equal."""
    return " ".join(word.text.lower() for word in context_words(context, pair))


def english_side(context: str, text: str, pair: str) -> str:
    """The side of a translation whose split it is in: the English one, so that no two pairs of
    languages that share a sentence hold it out differently; without one, the sentence."""
    return text if pair.endswith("-en") else context


def split_of_translation(context: str, text: str, pair: str) -> str:
    """The split of a sentence with its translation."""
    return split_of(english_side(context, text, pair))


def split_of(context: str, pair: str = "en-zh") -> str:
    """train, dev or test: 90, 5, 5 %."""
    text = f"split {folded(context, pair)}"
    bucket = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 20
    return {0: "dev", 1: "test"}.get(bucket, "train")
