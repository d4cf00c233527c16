"""What an engine remembers beside its model: known phrases and known meanings of words. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from engine.phrasebook import Phrasebook, shipped_phrasebook
from engine.wordbook import Wordbook, shipped_wordbook


@dataclass(frozen=True)
class Books:
    """A phrasebook and a wordbook; an empty one of either changes nothing."""

    phrases: Phrasebook = field(default_factory=Phrasebook)
    words: Wordbook = field(default_factory=Wordbook)

    @property
    def version(self) -> str:
        return f"{self.phrases.version}-{self.words.version}"


def books_for(pair: str) -> Books:
    """The books of a pair: those that ship are of English and Chinese, others have none."""
    return shipped_books() if pair == "en-zh" else Books()


@cache
def shipped_books() -> Books:
    """The books that ship with the app."""
    return Books(shipped_phrasebook(), shipped_wordbook())
