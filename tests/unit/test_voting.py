"""What votes say: the interval, and after how many they mean something."""

import pytest

from trainer.voting import left_stands_first, needed, rate_of, wilson


def test_the_interval_is_wilsons():
    low, high = wilson(15, 20)
    assert (round(low, 3), round(high, 3)) == (0.531, 0.888)
    assert wilson(0, 10)[0] == pytest.approx(0) and wilson(10, 10)[1] == pytest.approx(1)


def test_nobody_chose_one():
    assert rate_of(0, 0) is None


@pytest.mark.parametrize("share", [0.55, 0.6, 0.75, 0.9, 1.0, 0.25, 0.0])
def test_needed_is_the_first_count_that_is_clear(share):
    n = needed(share)
    low, high = wilson(share * n, n)
    assert not low <= 0.5 <= high
    low, high = wilson(share * (n - 1), n - 1) if n > 1 else (0.0, 1.0)
    assert low <= 0.5 <= high


def test_a_draw_never_means_anything():
    rate = rate_of(10, 10)
    assert rate.needed is None and not rate.is_clear and rate.value == 0.5


def test_clear_is_what_was_needed():
    few, many = rate_of(4, 6), rate_of(40, 60)
    assert few.needed == many.needed == 97
    assert not few.is_clear and many.is_clear and many.decided == 100
    assert few.value == 0.6 and few.low < 0.5 < few.high


def test_sides_are_shuffled_and_the_same_every_time():
    first = [left_stands_first("a", n) for n in range(400)]
    assert first == [left_stands_first("a", n) for n in range(400)]
    assert first != [left_stands_first("b", n) for n in range(400)]
    assert 150 < sum(first) < 250
