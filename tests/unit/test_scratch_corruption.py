"""Span corruption loses what it should and nothing else; batches are what their samples are."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from trainer.scratch.corruption import corrupt
from trainer.scratch.samples import Order, Sample, make_batch

HOLES = range(1000, 1064)


def restore(text, answer, holes):
    """The text that was corrupted."""
    spans = {}
    for token in answer:
        if token in holes:
            current = spans.setdefault(token, [])
        else:
            current.append(token)
    return [token for one in text for token in spans.get(one, [one])]


@given(
    st.lists(st.integers(0, 99), min_size=2, max_size=200),
    st.integers(0, 1000), st.floats(0.01, 0.6), st.floats(1, 8),
)  # fmt: skip
def test_a_corrupted_text_can_be_restored_from_its_answer(tokens, seed, share, mean):
    text, answer = corrupt(tokens, HOLES, Random(seed), share, mean)
    assert restore(text, answer, HOLES) == tokens
    holes = [one for one in text if one in HOLES]
    assert holes == list(HOLES[: len(holes)]) == [one for one in answer if one in HOLES]
    lost = len(answer) - len(holes)
    assert lost == min(max(1, round(len(tokens) * share)), len(tokens) - 1)
    assert not any(a in HOLES and b in HOLES for a, b in zip(text, text[1:])), "two are one"
    assert not any(a in HOLES and b in HOLES for a, b in zip(answer, answer[1:])), "none is empty"


def test_spans_have_the_mean_that_was_asked_for_and_may_be_anywhere():
    found = [corrupt(range(100), HOLES, Random(seed), 0.15, 3.0) for seed in range(200)]
    assert all(len(text) == 90 and len(answer) == 20 for text, answer in found)  # 5 holes
    lost = {one for _, answer in found for one in answer if one < 100}
    assert lost == set(range(100))


def samples(lengths):
    return [Sample((7,) * n, tuple(range(10, 10 + n % 5 + 1))) for n in lengths]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80), st.integers(60, 200))
def test_an_epoch_has_each_sample_once_in_batches_of_no_more_tokens(lengths, tokens):
    mine = samples(lengths)
    order = Order([len(one) for one in mine], lambda n, _: mine[n], 10, tokens, 1)
    batches = order.batches_of(0)
    assert sorted(n for batch in batches for n in batch) == list(range(len(mine)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(len(mine[n]) for n in batch) <= tokens


def test_a_steps_batches_can_be_had_without_those_before():
    mine = samples(range(1, 40))
    order = Order([len(one) for one in mine], lambda n, e: (n, e), 10, 100, 1, accumulation=2)
    steps = order.from_step(0)
    first = [next(steps) for _ in range(20)]
    assert next(order.from_step(13)) == first[13]
    assert {epoch for batches in first for batch in batches for _, epoch in batch} >= {0, 1}
    assert order.batches_of(0) != order.batches_of(1)


def test_a_batch_says_where_each_answer_token_is_predicted():
    mine = [Sample((1, 2, 3), (4, 5)), Sample((6,), (7, 8, 9))]
    batch = make_batch(mine)
    assert batch.tokens.tolist() == [[1, 2, 3, 4], [6, 7, 8, 0]]
    assert batch.prefix.tolist() == [3, 1] and batch.target.tolist() == [4, 5, 7, 8, 9]
    assert batch.tokens.flatten()[batch.at].tolist() == [3, 4, 6, 7, 8]
