"""Passages and answers in the form the page gets them: plain JSON, every string to be set as text.

Words travel as strings between gaps, never as offsets: Python counts code points, JavaScript
UTF-16 units. Pure: no gradio, no service.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import simplemma

from engine.passage import Sentence
from engine.sense import Answer, Query

SENTENCES_PER_PAGE = 60
WORDS_PER_PAGE = 1500
_LEMMAS = ("en", "de", "es", "hi")  # languages whose words have a dictionary form here


def to_pieces(sentence: Sentence) -> list[str]:
    """The sentence as gap, word, gap, word, …, gap; the pieces join to its text."""
    pieces, at = [], 0
    for word in sentence.words:
        pieces += [sentence.text[at : word.start], word.text]
        at = word.end
    return [*pieces, sentence.text[at:]]


def to_pages(sentences: Sequence[Sentence]) -> list[int]:
    """The first sentence of each page; a page holds at least one sentence."""
    starts, count, words = [0], 0, 0
    for i, sentence in enumerate(sentences):
        full = count == SENTENCES_PER_PAGE or words + len(sentence.words) > WORDS_PER_PAGE
        if count and full:
            starts.append(i)
            count = words = 0
        count += 1
        words += len(sentence.words)
    return starts


def to_card(query: Query, answer: Answer, level: str) -> dict[str, Any]:
    """What the card shows of an answer."""
    phrase = answer.sense.phrase
    return {
        "lemma": find_lemma(query.target, answer.sense.word_class, query.pair.partition("-")[0]),
        "class": answer.sense.word_class,
        "meaning": answer.sense.meaning,
        "members": list(phrase.members) if phrase else [],
        "phraseMeaning": phrase.meaning if phrase else "",
        "phraseSource": phrase.source if phrase else "",
        "second": answer.second if answer.second != answer.sense.meaning else "",
        "level": level,
        "person": answer.source == "person",
    }


def find_lemma(word: str, word_class: str, language: str = "en") -> str:
    """The dictionary form of a word; a name and a short form (can't) stay as they are."""
    if language not in _LEMMAS or word_class == "proper noun" or "'" in word or "’" in word:
        return word
    lower = word.istitle() and language != "de"  # German nouns keep their capital
    return simplemma.lemmatize(word.lower() if lower else word, lang=language)
