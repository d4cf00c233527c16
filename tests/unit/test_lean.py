"""The lean body gives bit for bit what the library's own gives, where it is used at all."""

import copy

import pytest
import torch

from engine.branches import Runner, begin
from engine.lean import LeanBody, lean
from tests.tiny import tiny_gemma, tiny_model

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)


def grown(model, lengths):
    """Hidden states of several rounds of rows in one tree."""

    def task():
        _, branches, hidden = yield from begin(range(3, 43), [[n + 50] for n in range(lengths[0])])
        states = [hidden]
        for count in lengths[1:]:
            branches = branches.chosen([n % lengths[0] for n in range(count)])
            states.append((yield from branches.feed([[7 + n % 60, 9] for n in range(count)])))
        return states

    with torch.inference_mode():
        return Runner(model).run(task())


@pytest.mark.parametrize("heads, shared", [(4, 1), (4, 2), (2, 2)])
@pytest.mark.parametrize("lengths", [(1,), (3, 3, 1), (40, 70, 200)])
def test_the_states_are_the_same_bits(heads, shared, lengths):
    model = tiny_gemma(heads, shared)
    small = lean(copy.deepcopy(model))
    assert isinstance(small.model, LeanBody)
    for mine, plain in zip(grown(small, lengths), grown(model, lengths), strict=True):
        assert torch.equal(mine, plain)


@pytest.mark.parametrize("model", [tiny_model(60), tiny_model(60).bfloat16(), tiny_gemma().float()])
def test_any_other_model_keeps_its_own_body(model):
    own = model.model
    assert lean(model).model is own
