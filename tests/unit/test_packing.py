"""Packed linear layers give bit for bit what plain ones give, where they are used at all."""

import copy

import pytest
import torch
from torch import nn

from engine.packing import PackedLinear, pack
from tests.tiny import tiny_model

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)


@pytest.mark.parametrize("rows", [1, 3, 16, 65, 200])
@pytest.mark.parametrize("shape", [(1024, 640), (256, 640), (640, 2048)])
def test_a_packed_layer_is_the_plain_one(shape, rows):
    torch.manual_seed(0)
    plain = nn.Linear(shape[1], shape[0], bias=False, dtype=torch.bfloat16)
    x = torch.randn(2, rows, shape[1], dtype=torch.bfloat16)
    with torch.inference_mode():
        assert torch.equal(PackedLinear(plain)(x), plain(x))


def test_a_packed_model_answers_as_before_and_keeps_its_head():
    plain = tiny_model(60).to(torch.bfloat16)
    packed = pack(copy.deepcopy(plain))
    ids = torch.arange(3, 20)[None]
    with torch.inference_mode():
        assert torch.equal(packed(input_ids=ids).logits, plain(input_ids=ids).logits)
    kinds = [type(module) for module in packed.modules()]
    assert kinds.count(PackedLinear) == 14 and type(packed.lm_head) is nn.Linear


def test_a_model_in_float32_stays_as_it_is():
    model = tiny_model(60)
    assert not any(isinstance(module, PackedLinear) for module in pack(model).modules())
