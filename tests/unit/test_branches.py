"""Rows of a tree: each has the hidden states that it would have alone."""

import pytest
import torch

from engine.branches import Branches, Runner, begin, side_by_side
from tests.tiny import tiny_model


@pytest.fixture(scope="module", params=["sdpa", "eager"])
def model(request):
    model = tiny_model(60)
    model.set_attn_implementation(request.param)
    return model


@torch.inference_mode()
def alone(model, *pieces):
    tokens = [token for piece in pieces for token in piece]
    return model.get_decoder()(input_ids=torch.tensor([tokens])).last_hidden_state[0, -1]


@torch.inference_mode()
def test_every_row_is_as_if_it_stood_alone(model):
    start = [1, 7, 8, 9]

    def close(hidden, *pieces):
        torch.testing.assert_close(hidden, alone(model, start, *pieces), rtol=1e-4, atol=1e-4)

    def task():
        prefix, first, hidden = yield from begin(start, [[20], [21, 22, 23], [24, 25]])
        for row, piece in zip(hidden, ([20], [21, 22, 23], [24, 25])):
            close(row, piece)

        chosen = first.chosen([2, 0, 2])
        hidden = yield from chosen.feed([[30], [31, 32], [33]])
        wanted = [([24, 25], [30]), ([20], [31, 32]), ([24, 25], [33])]
        for row, pieces in zip(hidden, wanted):
            close(row, *pieces)

        hidden = yield from first.feed([[40], [41], [42]])  # knows nothing of what chosen did
        for row, pieces in zip(hidden, (([20], [40]), ([21, 22, 23], [41]), ([24, 25], [42]))):
            close(row, *pieces)

        lasts = ([34], [35, 36], [37])
        hidden, more, behind = yield from chosen.feed_twice(lasts, [45, 46], range(3))
        for row, after, pieces, last in zip(hidden, behind, wanted, lasts):
            close(row, *pieces, last)
            close(after, *pieces, last, [45, 46])
        hidden = yield from more.feed([[47], [48], [49]])
        close(hidden[1], *wanted[1], lasts[1], [45, 46], [48])

        late = yield from Branches([prefix]).feed([[50, 51]])
        close(late[0], [50, 51])
        return "done"

    assert Runner(model).run(task()) == "done"


@torch.inference_mode()
def test_tasks_side_by_side_share_their_rounds(model):
    runner, rounds = Runner(model), []
    plain = runner.body

    class Counted:
        cache = plain.cache

        def __call__(self, ids, *rest):
            rounds.append(len(ids))
            return plain(ids, *rest)

    runner.body = Counted()
    start = [1, 7, 8, 9]

    def grows(branches, *tokens):
        """Feeds each token in turn; the last hidden state."""
        for token in tokens:
            hidden = yield from branches.feed([[token]])
        return hidden[0]

    def twice(branches):
        _, _, behind = yield from branches.feed_twice([[30]], [31], [0])
        return behind[0]

    def idle():
        return "nothing"
        yield

    def task():
        prefix, _, _ = yield from begin(start, [[20]])
        return (
            yield from side_by_side(
                idle(),
                grows(Branches([prefix]), 40, 41, 42),
                twice(Branches([prefix])),
                twice(Branches([prefix])),
            )
        )

    nothing, grown, *behind = runner.run(task())
    assert nothing == "nothing"
    torch.testing.assert_close(grown, alone(model, start, [40, 41, 42]), rtol=1e-4, atol=1e-4)
    for row in behind:
        torch.testing.assert_close(row, alone(model, start, [30, 31]), rtol=1e-4, atol=1e-4)
    assert rounds == [5, 1 + 2 + 2, 1, 1]


@torch.inference_mode()
def test_a_row_longer_than_any_window_sees_its_beginning(model):
    long = [3 + i % 50 for i in range(900)]
    _, _, hidden = Runner(model).run(begin(long, [[5]]))
    torch.testing.assert_close(hidden[0], alone(model, long, [5]), rtol=1e-3, atol=1e-3)


@torch.inference_mode()
def test_trees_that_grow_at_once_do_not_see_each_other(model):
    def grows(start, *tokens):
        _, branches, hidden = yield from begin(start, [[tokens[0]]])
        for token in tokens[1:]:
            hidden = yield from branches.feed([[token]])
        return hidden[0]

    def nothing():
        return None
        yield

    asked = [([1, 7, 8, 9], [40, 41, 42]), ([1, 30], [31]), ([1, 7], [50, 51])]
    found = Runner(model).run_all([nothing(), *(grows(start, *more) for start, more in asked)])
    assert found[0] is None
    for hidden, (start, more) in zip(found[1:], asked):
        torch.testing.assert_close(hidden, alone(model, start, more), rtol=1e-4, atol=1e-4)
