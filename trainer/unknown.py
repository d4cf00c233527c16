"""Phrases that no training row holds: dev figures on them tell what is learnt from what is known
by heart.

Of the phrases seen in few sentences one in twelve is kept out. Each sentence of the train split
where its words stand, as the phrase or as its literal twin, moves to the split `unknown`; the book
there knows none of them.
"""

from __future__ import annotations

import hashlib
from functools import cache

from engine.passage import split_words
from engine.phrasebook import Lemmas, Phrasebook, shipped_phrasebook
from engine.sense import Query

_ONE_IN = 12
_MOST_SENTENCES = 2  # in which a rare phrase was seen
_CONTENT = 4  # letters of a content word; a phrase kept out has two


def _is_unknown(lemmas: Lemmas, sentences: int) -> bool:
    content = sum(len(lemma) >= _CONTENT for lemma in lemmas)
    digest = hashlib.sha256(" ".join(lemmas).encode()).hexdigest()
    return 0 < sentences <= _MOST_SENTENCES and content >= 2 and int(digest, 16) % _ONE_IN == 0


@cache
def unknown_phrases() -> Phrasebook:
    """The phrases kept out of training."""
    return shipped_phrasebook().only(_is_unknown)


@cache
def known_phrases() -> Phrasebook:
    """The shipped book without them."""
    return shipped_phrasebook().only(lambda *phrase: not _is_unknown(*phrase))


def has_unknown(context: str) -> bool:
    """Whether a phrase kept out stands in a sentence, meant or literal."""
    return bool(unknown_phrases().find(split_words(context)))


def in_unknown(query: Query) -> bool:
    """Whether the word asked for is one of those of a phrase kept out."""
    return any(query.position in members for members in unknown_phrases().find(query.words))
