"""The pairs of languages that people can choose from, and what there is for each: answers to words,
translations of sentences. What a page says of a pair comes from a stranger.
"""

from __future__ import annotations

from db.store.checks import check_pair
from ui.desk import Bad, Reply, text_of
from ui.services import Services

USUAL = "en-zh"


def list_pairs(services: Services) -> list[Reply]:
    """Each pair with what answers it, those whose words are answered first."""
    translated = services.translations.pairs() if services.translations else ()
    answered = services.lookup.pairs()
    return [
        {"pair": pair, "words": pair in answered, "sentences": pair in translated}
        for pair in dict.fromkeys((*answered, *translated))
    ]


def list_work_pairs(services: Services) -> list[str]:
    """The pairs that can be labelled, trained and compared: those, and whatever else has questions
    or sentences with their translations."""
    held: tuple[str, ...] = ()
    if not services.access.hosted:
        store = services.store
        held = (*store.queries.pairs(), *store.synthetic.referenced_pairs())
    return list(dict.fromkeys((*(one["pair"] for one in list_pairs(services)), *held)))


def read_pair(asked: Reply, services: Services) -> str:
    """The pair that a reader asks for, the usual one where none is said; Bad for any other than
    those to choose from."""
    pair = text_of(asked, "pair") or USUAL
    if not any(one["pair"] == pair for one in list_pairs(services)):
        raise Bad("unknown_pair")
    return pair


def work_pair(asked: Reply) -> str:
    """The pair that somebody labels, trains or compares, which may have no adapter yet."""
    return check_pair(text_of(asked, "pair") or USUAL)


def source_of(pair: str) -> str:
    """The code of the language that the pair is read in."""
    return pair.partition("-")[0]
