"""Lines seen before are found, exactly and nearly, in memory that never grows."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.scratch.corpus.duplicates import (
    BloomFilter,
    Seen,
    _pieces,
    choose_bands,
    near_keys,
    taken_for_near,
)

WORDS = [
    "der",
    "die",
    "ein",
    "Hund",
    "Katze",
    "Haus",
    "Wiese",
    "läuft",
    "springt",
    "sitzt",
    "über",
    "unter",
    "alte",
    "junge",
    "rote",
    "Tür",
]


def sentences(count: int, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=14)) + f" {draw.random()}" for _ in range(count)]


def share(one: str, other: str) -> float:
    a, b = set(_pieces(one).tolist()), set(_pieces(other).tolist())
    return len(a & b) / len(a | b)


@given(st.lists(st.text(max_size=30), max_size=30))
def test_exact_duplicates_and_only_these_are_dropped_where_near_ones_may_stay(texts) -> None:
    seen = Seen(0.0, 1)
    found = seen.judge(texts)
    kept = [text for text, what in zip(texts, found.seen) if not what]
    assert kept == list(dict.fromkeys(texts)) and len(found.keys) == len(kept)
    assert set(seen.judge(texts).seen) <= {"exact"}


@given(st.lists(st.text(max_size=30), max_size=20), st.integers(1, 7))
def test_pieces_of_any_size_are_judged_alike(texts: list[str], size: int) -> None:
    whole, cut = Seen(0.8, 1), Seen(0.8, 1)
    parts = [cut.judge(texts[n : n + size]).seen for n in range(0, len(texts), size)]
    assert [one for part in parts for one in part] == list(whole.judge(texts).seen)


def test_what_was_judged_in_an_earlier_run_is_remembered() -> None:
    texts, before, after = sentences(50), Seen(0.8, 1), Seen(0.8, 1)
    after.remember(before.judge(texts).keys)
    assert set(after.judge(texts).seen) == {"exact"}


def test_a_word_more_or_less_is_a_near_duplicate_and_another_sentence_is_not() -> None:
    long = " ".join(sentences(4, 7))
    seen = Seen(0.8, 1)
    assert seen.judge([long]).seen == ("",)
    found = seen.judge(
        [long.upper() + "!", long + " heute", sentences(1, 8)[0], sentences(1, 8)[0]]
    )
    assert found.seen == ("near", "near", "", "exact")
    assert found.twin == (None, None, None, 2)


def test_lines_are_near_as_often_as_the_share_of_their_pieces_says() -> None:
    draw, found, expected = random.Random(3), 0, 0.0
    bands, rows = choose_bands(0.7)
    one = sentences(300, 5)
    other = []
    for text in one:
        words = text.split()
        for _ in range(draw.randint(0, 5)):
            words[draw.randrange(len(words))] = draw.choice(WORDS)
        other.append(" ".join(words))
    pairs = zip(near_keys(one, 0.7), near_keys(other, 0.7), strict=True)
    found = sum(bool((a == b).any()) for a, b in pairs)
    expected = sum(float(taken_for_near(share(a, b), bands, rows)) for a, b in zip(one, other))
    assert 60 < expected < 280 and abs(found - expected) < 20, (found, expected)


@pytest.mark.parametrize("similar", [0.3, 0.5, 0.8, 0.95, 1.0])
def test_the_bands_turn_where_they_are_asked_to(similar: float) -> None:
    bands, rows = choose_bands(similar)
    assert bands * rows <= 128
    low, high = taken_for_near([similar - 0.25, min(1.0, similar + 0.15)], bands, rows)
    assert low < 0.25 and high > 0.75, (bands, rows)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50))
def test_the_filter_forgets_nothing(keys: list[int]) -> None:
    found = BloomFilter(1)
    found.add(np.array(keys, np.uint64))
    assert found.has(np.array(keys, np.uint64)).all()


def test_the_filter_says_how_often_it_is_wrong() -> None:
    found, draw = BloomFilter(1), np.random.default_rng(1)
    found.add(draw.integers(0, 2**63, 1_200_000, np.uint64))
    wrong = found.has(draw.integers(2**63, 2**64 - 1, 50_000, np.uint64)).mean()
    assert wrong > 0.01 and abs(wrong - found.false_rate()) < 0.2 * wrong
