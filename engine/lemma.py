"""The dictionary form of English words. Pure."""

from __future__ import annotations

from functools import lru_cache

import simplemma

# Frequent forms that simplemma takes for words of their own, or for another word's.
_IRREGULAR = {
    "bit": "bite",
    "bound": "bind",
    "broke": "break",
    "cancelled": "cancel",
    "cutting": "cut",
    "felt": "feel",
    "fitting": "fit",
    "gone": "go",
    "leaves": "leaf",
    "left": "leave",
    "lives": "life",
    "preferred": "prefer",
    "rose": "rise",
    "setting": "set",
    "shook": "shake",
    "shot": "shoot",
    "singing": "sing",
    "sitting": "sit",
    "thought": "think",
    "travelled": "travel",
    "travelling": "travel",
    "wives": "wife",
    "won": "win",
    "wound": "wind",
}


@lru_cache(maxsize=100_000)
def lemma(word: str) -> str:
    """The dictionary form of an English word, in lower case."""
    word = word.lower().replace("’", "'")
    return _IRREGULAR.get(word) or simplemma.lemmatize(word, lang="en").lower()
