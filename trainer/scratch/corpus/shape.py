"""Figures of a line by which running text differs from lists, tables and noise: how long it is,
what it is made of, whether it repeats itself, how many of its words are the language's most usual
ones.

Each bound is a field of the recipe. Pure.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import regex
from stop_words import StopWordError, get_stop_words

from trainer.scratch.corpus.recipe import CorpusRecipe
from trainer.scratch.corpus.stages import Dropped, Look

_UNSPACED = ("zh", "ja", "th")  # written without blanks between words: a character counts as one
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}'’]*")
_CHARACTER = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]|[\p{Latin}\p{N}]+")
# What is no letter, digit, blank or usual mark of a sentence.
_SYMBOL = regex.compile(
    r"[^\p{L}\p{M}\p{N}\s.,;:!?'’‘‚\"“”„«»()\-–—…¿¡、。，！？；：「」『』（）《》।]"
)
_LETTER, _DIGIT = regex.compile(r"[\p{L}\p{M}]"), regex.compile(r"\p{N}")
_RUN = regex.compile(r"(\D)\1{5,}")
_FEW = 8  # words, of fewer of which shares say nothing
_GRAM = 3


def words_of(text: str, language: str) -> list[str]:
    """The text's words, small; of languages that do not part them its characters."""
    return (_CHARACTER if language in _UNSPACED else _WORD).findall(text.lower())


def measuring_size(recipe: CorpusRecipe) -> Look:
    """Looks at how many characters texts have, before any more is done with them."""

    def look(text: str) -> str | Dropped:
        return Dropped("too many characters") if len(text) > recipe.most_characters else text

    return look


def measuring_length(recipe: CorpusRecipe, language: str) -> Look:
    """Looks at how many words texts have, and how long these are."""

    def look(text: str) -> str | Dropped:
        words = words_of(text, language)
        if len(words) < recipe.fewest_words:
            return Dropped("too few words")
        if len(words) > recipe.most_words:
            return Dropped("too many words")
        if max(map(len, words), default=0) > recipe.longest_word:
            return Dropped("a word too long to be one")
        return text

    return look


def weighing_signs(recipe: CorpusRecipe) -> Look:
    """Looks at the shares of letters, digits and symbols."""

    def look(text: str) -> str | Dropped:
        length = len(text) or 1
        if len(_SYMBOL.findall(text)) / length > recipe.symbols:
            return Dropped("too many symbols")
        if len(_DIGIT.findall(text)) / length > recipe.digits:
            return Dropped("too many digits")
        letters = len(_LETTER.findall(text))
        if letters / length < recipe.letters:
            return Dropped("too few letters")
        capitals = sum(map(str.isupper, text))
        return Dropped("capitals throughout") if capitals > recipe.capitals * letters else text

    return look


def counting_repeats(recipe: CorpusRecipe, language: str) -> Look:
    """Looks at whether texts say the same again and again."""

    def look(text: str) -> str | Dropped:
        if _RUN.search(text):
            return Dropped("one character again and again")
        words = words_of(text, language)
        if len(words) >= _FEW:
            if Counter(words).most_common(1)[0][1] / len(words) > recipe.one_word:
                return Dropped("one word again and again")
            grams = list(zip(*(words[n:] for n in range(_GRAM))))
            if 1 - len(set(grams)) / len(grams) > recipe.repeated:
                return Dropped("the same words again and again")
        return text

    return look


def counting_stop_words(recipe: CorpusRecipe, language: str) -> Look:
    """Looks at the share of the language's stop words; at nothing where it has no list of them."""
    stopped = stop_words(language)

    def look(text: str) -> str | Dropped:
        words = words_of(text, language)
        if len(words) < _FEW or not stopped:
            return text
        share = sum(word.replace("’", "'") in stopped for word in words) / len(words)
        return Dropped("too few usual words") if share < recipe.stop_words else text

    return look


@cache
def stop_words(language: str) -> frozenset[str]:
    """The most usual words of a language; none where there is no list."""
    try:
        return frozenset(get_stop_words(language))
    except StopWordError:
        return frozenset()
