"""Which words of a sentence become queries: all but the language's stop words. Pure."""

from __future__ import annotations

from functools import cache

from stop_words import StopWordError, get_stop_words

from engine.sense import Query, context_words


def queries_of(context: str, pair: str, most: int) -> tuple[Query, ...]:
    """A query for each word that is worth asking, in order, at most `most`; a word that comes
    again is asked again, as it may mean something else there."""
    stopped = _stop_words(pair.partition("-")[0])
    words = context_words(context, pair)
    positions = [i for i, word in enumerate(words) if word.text.lower() not in stopped]
    return tuple(Query(context, i, pair) for i in positions[:most])


@cache
def _stop_words(language: str) -> frozenset[str]:
    try:
        return frozenset(get_stop_words(language))
    except StopWordError:  # no list of this language: every word is asked
        return frozenset()
