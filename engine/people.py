"""What people accepted, as a lookup needs it: answers for words, and phrases for any sentence.

The book of their phrases follows the labels: a decision counts from the next question on. Any
thread may ask. Knows no SQL and no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from engine.phrasebook import Candidates, Phrasebook
from engine.sense import Answer, Entry
from engine.views import View

_EMPTY = Phrasebook()


class Labels(Protocol):
    """Where people's decisions are kept."""

    def accepted(self, pair: str, context: str) -> Mapping[int, Answer]: ...
    def phrases(self, pair: str) -> Iterable[Entry]: ...
    def decided_since(self, moment: tuple[int, int]) -> tuple[tuple[int, int], bool]: ...


class People:
    """What people accepted up to now; nothing without labels."""

    def __init__(self, labels: Labels | None = None):
        self._labels = labels
        # By pair, with the moment up to which decisions are in it.
        self._books: dict[str, tuple[tuple[int, int], Phrasebook]] = {}

    def accepted(self, pair: str, context: str) -> Mapping[int, Answer]:
        """People's answers for words of a context, by position."""
        return self._labels.accepted(pair, context) if self._labels else {}

    def find(self, pair: str, views: Sequence[View]) -> tuple[Candidates, ...]:
        """People's phrases whose words stand in these views, view by view."""
        book = self._book(pair)
        return tuple(book.find(view.words) for view in views)

    def _book(self, pair: str) -> Phrasebook:
        """The book as of now. Two threads may make it at once: where the older one is kept, its
        moment shows the next to ask that it is out of date."""
        if not self._labels:
            return _EMPTY
        seen, book = self._books.get(pair, ((0, 0), _EMPTY))
        last, decided = self._labels.decided_since(seen)
        if decided:  # its phrases are read after `last`: a decision in between is never missed
            book = Phrasebook(self._labels.phrases(pair), "person")
        self._books[pair] = last, book
        return book
