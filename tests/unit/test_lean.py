"""The lean body gives bit for bit what the library's own gives, where it is used at all."""

import copy

import pytest
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from engine.branches import Runner, begin
from engine.lean import LeanBody, lean
from tests.tiny import tiny_model

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)


def gemma(heads: int = 4, shared: int = 1) -> Gemma3ForCausalLM:
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=100,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=6,
        num_attention_heads=heads,
        num_key_value_heads=shared,
        head_dim=32,
        sliding_window=16,
        initializer_range=0.5,
    )
    model = Gemma3ForCausalLM(config).eval().to(torch.bfloat16)
    for name, weight in model.named_parameters():
        if "norm" in name:  # zero in a new model
            torch.nn.init.normal_(weight, std=0.5)
    return model


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
    model = gemma(heads, shared)
    small = lean(copy.deepcopy(model))
    assert isinstance(small.model, LeanBody)
    for mine, plain in zip(grown(small, lengths), grown(model, lengths), strict=True):
        assert torch.equal(mine, plain)


@pytest.mark.parametrize("model", [tiny_model(60), tiny_model(60).bfloat16(), gemma().float()])
def test_any_other_model_keeps_its_own_body(model):
    own = model.model
    assert lean(model).model is own
