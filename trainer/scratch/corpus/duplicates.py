"""Lines that were seen before, exactly or nearly (MinHash, locality-sensitive hashing), found in
memory that never grows: one Bloom filter holds what all kept lines are recognised by.

A line is near another where one of its bands of MinHash values is the other's. The filter forgets
no line that it has seen; the fuller it is, the more new lines it takes for seen ones, and it says
how many. Knows no files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import regex
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

PIECE = 5  # characters of a piece; lines are compared by the pieces that they share
_PERMUTATIONS = 128
_PROBES = 8  # bits of the filter for each key
_AT_ONCE = 200_000  # pieces whose hashes are computed together: 64 MB of MinHash values
_FOLDED = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_PRIME = np.uint64(0x100000001B3)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@cache
def choose_bands(similar: float) -> tuple[int, int]:
    """How many bands of how many MinHash values tell lines that share `similar` of their pieces
    from those that share less with the fewest mistakes."""
    shares = np.linspace(0, 1, 201)

    def mistakes(rows: int) -> float:
        found = taken_for_near(shares, _PERMUTATIONS // rows, rows)
        return float(found[shares < similar].sum() + (1 - found[shares >= similar]).sum())

    rows = min(range(1, _PERMUTATIONS + 1), key=mistakes)
    return _PERMUTATIONS // rows, rows


def taken_for_near(
    share: NDArray[np.float64] | float, bands: int, rows: int
) -> NDArray[np.float64]:
    """How likely two lines that share so much of their pieces are called near duplicates."""
    return 1 - (1 - np.asarray(share, dtype=float) ** rows) ** bands


def exact_key(text: str) -> int:
    """What a line is recognised by as it is."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest(), "little")


def near_keys(texts: Sequence[str], similar: float) -> Keys:
    """What each line is recognised by nearly: [lines, bands]. Case and marks are passed over."""
    bands, rows = choose_bands(similar)
    if not texts:
        return np.zeros((0, bands), np.uint64)
    pieces = [_pieces(text) for text in texts]
    counts = np.array([len(one) for one in pieces])
    signatures = np.empty((len(texts), bands * rows), np.uint64)
    start = 0
    while start < len(texts):
        end = start + max(1, int(np.searchsorted(np.cumsum(counts[start:]), _AT_ONCE, "right")))
        signatures[start:end] = _signatures(pieces[start:end], bands * rows)
        start = end
    banded = signatures.reshape(len(texts), bands, rows)
    keys = np.tile(_GOLDEN * np.arange(1, bands + 1, dtype=np.uint64), (len(texts), 1))
    for row in range(rows):
        keys = _mixed(keys ^ banded[:, :, row])
    return keys


def _pieces(text: str) -> Keys:
    """A number for each piece of PIECE characters of the folded text; for the whole where it is
    shorter."""
    folded = _FOLDED.sub(" ", text.casefold()).strip() or text
    points = np.frombuffer(folded.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    size = min(PIECE, len(points))
    hashed = np.zeros(len(points) - size + 1, np.uint64)
    for n in range(size):
        hashed = hashed * _PRIME + points[n : n + len(hashed)]
    return np.unique(_mixed(hashed))


def _signatures(pieces: Sequence[Keys], count: int) -> Keys:
    """The least value of each of `count` hash functions over each line's pieces."""
    factors, addends = _functions(count)
    starts = np.cumsum([0, *(len(one) for one in pieces[:-1])])
    hashed = np.concatenate(pieces)
    found = np.empty((len(pieces), count), np.uint64)
    for n in range(
        count
    ):  # one function at a time: all at once would not fit the processor's cache
        values = (hashed * factors[n] + addends[n]) >> np.uint64(32)
        found[:, n] = np.minimum.reduceat(values, starts)
    return found


@cache
def _functions(count: int) -> tuple[Keys, Keys]:
    """Multiply-and-shift hash functions, always the same ones."""
    draw = np.random.Generator(np.random.PCG64(1))
    high = 2**63 - 1
    factors = draw.integers(1, high, count, np.uint64) * np.uint64(2) + np.uint64(1)
    return factors, draw.integers(0, high, count, np.uint64)


def _mixed(keys: Keys) -> Keys:
    """Numbers of which every bit depends on every bit (splitmix64)."""
    keys = keys + _GOLDEN
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


class BloomFilter:
    """A set of keys in memory of one size, that never forgets one and now and then claims one that
    it has not seen."""

    def __init__(self, megabytes: int):
        self._bits = np.zeros(megabytes * 2**20, np.uint8)
        self._count = np.uint64(8 * len(self._bits))

    def add(self, keys: Keys) -> None:
        """Put keys of any shape in."""
        for byte, bit in self._places(keys):
            np.bitwise_or.at(self._bits, byte.ravel(), bit.ravel())

    def has(self, keys: Keys) -> NDArray[np.bool_]:
        """Which of the keys are in it, in their shape."""
        found = np.ones(keys.shape, bool)
        for byte, bit in self._places(keys):
            found &= (self._bits[byte] & bit) != 0
        return found

    def false_rate(self) -> float:
        """The share of new keys that it claims to have."""
        filled = int(np.bitwise_count(self._bits).sum()) / int(self._count)
        return filled**_PROBES

    def _places(self, keys: Keys):
        step = _mixed(keys ^ _PRIME) | np.uint64(1)
        for n in range(_PROBES):
            place = (keys + np.uint64(n) * step) % self._count
            yield place >> np.uint64(3), np.uint8(1) << (place & np.uint64(7)).astype(np.uint8)


@dataclass(frozen=True)
class Judged:
    """What of some lines was seen before: of each "", "exact" or "near"; of those near another of
    these lines, which; and the keys of those that are new."""

    seen: tuple[str, ...]
    twin: tuple[int | None, ...]
    keys: Keys


class Seen:
    """What all lines until now are recognised by."""

    def __init__(self, similar: float, megabytes: int):
        self._similar, self._filter = similar, BloomFilter(megabytes)

    def judge(self, texts: Sequence[str]) -> Judged:
        """Tell new lines from those seen, in order, and remember the new ones."""
        keys = self._keys(texts)
        known = self._filter.has(keys)
        here: dict[int, int] = {}
        seen, twins, new = [], [], []
        for n, (mine, old) in enumerate(zip(keys.tolist(), known.tolist())):
            twin = next((here[key] for key in mine if key in here), None)
            exact = old[0] or mine[0] in here
            seen.append("exact" if exact else "near" if any(old) or twin is not None else "")
            twins.append(twin)
            if not seen[-1]:
                new.append(n)
                here |= dict.fromkeys(mine, n)
        kept = keys[new]
        self.remember(kept)
        return Judged(tuple(seen), tuple(twins), kept)

    def remember(self, keys: Keys) -> None:
        """Put in what lines are recognised by that were judged in an earlier run."""
        self._filter.add(keys)

    def false_rate(self) -> float:
        """The share of new lines that would be taken for seen ones by the filter's fault."""
        count = 1 + (choose_bands(self._similar)[0] if self._similar else 0)
        return 1 - (1 - self._filter.false_rate()) ** count

    def _keys(self, texts: Sequence[str]) -> Keys:
        exact = np.array([exact_key(text) for text in texts], np.uint64).reshape(-1, 1)
        return np.hstack([exact, near_keys(texts, self._similar)]) if self._similar else exact
