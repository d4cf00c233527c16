"""Known texts by their tokens, each with what it is worth. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Trie:
    """One place in known texts: `worth` of the best that goes on here, `whole` of the one that ends
    here (0: none does), `next` by token."""

    def __init__(self, known: Iterable[tuple[Sequence[int], float]] = ()):
        """`known`: texts as tokens, and their worth."""
        self.worth, self.whole = 0.0, 0.0
        self.next: dict[int, Trie] = {}
        for tokens, worth in known:
            self._add(tokens, worth)

    def _add(self, tokens: Sequence[int], worth: float) -> None:
        self.worth = max(self.worth, worth)
        if tokens:
            self.next.setdefault(tokens[0], Trie())._add(tokens[1:], worth)
        else:
            self.whole = max(self.whole, worth)
