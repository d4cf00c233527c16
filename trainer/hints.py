"""Known phrases named in questions: as the book finds them, or as training shows them, withheld or
wrong in a share of rows, so that a model learns when not to believe them. Pure.
"""

from __future__ import annotations

import random

from engine.phrasebook import Phrasebook, hints
from engine.sense import Query

_WITHHELD, _WRONG = 0.3, 0.05  # shares of training rows


def book_hint(query: Query, book: Phrasebook) -> tuple[int, ...]:
    """The longest known phrase that the word may stand in; () where there is none."""
    return hints(book.find(query.words)).get(query.position, ())


def training_hint(query: Query, book: Phrasebook) -> tuple[int, ...]:
    """The same for a training row; the same row always gets the same one."""
    draw = random.Random(f"{query.context} {query.position}")
    chance = draw.random()
    if chance < _WITHHELD:
        return ()
    if chance < _WITHHELD + _WRONG and len(query.words) > 1:
        others = [i for i in range(len(query.words)) if i != query.position]
        near = sorted(others, key=lambda i: abs(i - query.position))[:4]
        return tuple(sorted((query.position, draw.choice(near))))
    return book_hint(query, book)
