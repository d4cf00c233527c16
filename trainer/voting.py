"""Blind votes: which side stands first, and what the votes say. Pure.

A win rate counts the votes that chose one of the two; its interval is Wilson's, 95 %.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

_Z = 1.959964
_MOST = 1_000_000  # votes; more than this means never


@dataclass(frozen=True)
class Rate:
    """How often the right one was chosen of the votes that chose one. `needed`: after how many such
    votes the interval would leave 50 % out if it went on like this; None: never."""

    value: float
    low: float
    high: float
    decided: int
    needed: int | None

    @property
    def is_clear(self) -> bool:
        return not self.low <= 0.5 <= self.high


def left_stands_first(seed: str, number: int) -> bool:
    """Whether the left model's answer stands first in the vote of this number."""
    return hashlib.sha256(f"{seed}/{number}".encode()).digest()[0] % 2 == 0


def rate_of(left: int, right: int) -> Rate | None:
    """The right one's win rate; None before anybody chose one of the two."""
    decided = left + right
    if not decided:
        return None
    low, high = wilson(right, decided)
    return Rate(right / decided, low, high, decided, needed(right / decided))


def wilson(wins: float, votes: int) -> tuple[float, float]:
    """The 95 % interval of a share: wins of votes, of which there is one at least."""
    share, z2 = wins / votes, _Z * _Z
    middle = (share + z2 / (2 * votes)) / (1 + z2 / votes)
    half = _Z / (1 + z2 / votes) * math.sqrt(share * (1 - share) / votes + z2 / (4 * votes**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def needed(share: float) -> int | None:
    """The fewest votes at which a rate of this share has an interval without 50 %; None where there
    are none."""

    def is_clear(votes: int) -> bool:
        low, high = wilson(share * votes, votes)
        return not low <= 0.5 <= high

    if not is_clear(_MOST):
        return None
    low, high = 0, _MOST
    while high - low > 1:  # the interval only narrows
        middle = (low + high) // 2
        low, high = (low, middle) if is_clear(middle) else (middle, high)
    return high
