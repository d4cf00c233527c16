"""Rows of a tree: each has the hidden states that it would have alone."""

import pytest
import torch

from engine.branches import Runner
from tests.tiny import tiny_model


@pytest.fixture(scope="module")
def model():
    return tiny_model(60)


@torch.inference_mode()
def alone(model, *pieces):
    tokens = [token for piece in pieces for token in piece]
    return model.get_decoder()(input_ids=torch.tensor([tokens])).last_hidden_state[0, -1]


@torch.inference_mode()
def test_every_row_is_as_if_it_stood_alone(model):
    runner = Runner(model)
    start = [1, 7, 8, 9]
    prefix, first, hidden = runner.begin(start, [[20], [21, 22, 23], [24, 25]])
    for row, piece in zip(hidden, ([20], [21, 22, 23], [24, 25])):
        torch.testing.assert_close(row, alone(model, start, piece), rtol=1e-4, atol=1e-4)

    other = first.copy()
    first.select([2, 0, 2])
    hidden = first.feed([[30], [31, 32], [33]])
    wanted = [([24, 25], [30]), ([20], [31, 32]), ([24, 25], [33])]
    for row, pieces in zip(hidden, wanted):
        torch.testing.assert_close(row, alone(model, start, *pieces), rtol=1e-4, atol=1e-4)

    hidden = other.feed([[40], [41], [42]])  # the copy knows nothing of what the first did
    for row, pieces in zip(hidden, (([20], [40]), ([21, 22, 23], [41]), ([24, 25], [42]))):
        torch.testing.assert_close(row, alone(model, start, *pieces), rtol=1e-4, atol=1e-4)

    lasts = ([34], [35, 36], [37])
    hidden, more, behind = first.feed_twice(lasts, [45, 46])
    for row, after, pieces, last in zip(hidden, behind, wanted, lasts):
        pieces = (start, *pieces, last)
        torch.testing.assert_close(row, alone(model, *pieces), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(after, alone(model, *pieces, [45, 46]), rtol=1e-4, atol=1e-4)

    other.select([1])
    more.put([0], other)
    hidden = more.feed([[47], [48], [49]])
    kept = alone(model, start, *wanted[1], lasts[1], [45, 46], [48])
    torch.testing.assert_close(hidden[1], kept, rtol=1e-4, atol=1e-4)
    put = alone(model, start, [21, 22, 23], [41], [47])
    torch.testing.assert_close(hidden[0], put, rtol=1e-4, atol=1e-4)

    late = runner.branch(prefix, 1).feed([[50, 51]])
    torch.testing.assert_close(late[0], alone(model, start, [50, 51]), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_a_row_longer_than_any_window_sees_its_beginning(model):
    runner = Runner(model)
    long = [3 + i % 50 for i in range(900)]
    _, _, hidden = runner.begin(long, [[5]])
    torch.testing.assert_close(hidden[0], alone(model, long, [5]), rtol=1e-3, atol=1e-3)
