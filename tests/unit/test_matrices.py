"""Each way of holding a matrix multiplies as the weight does, but for what its numbers cannot
say.
"""

import pytest
import torch

from engine.matrices import GROUP, WAYS, bytes_of, nibbles_of, values_of
from engine.rows import Embedding, Rows, shrink_rows

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)
# How far the product of a way may be from the exact one, and what it must at least lose.
ERRORS = {
    "bf16": (0.004, 0), "fp16": (0.004, 0), "int8": (0.02, 0.004), "int8-dynamic": (0.02, 0.004),
    "int8-static": (0.03, 0.004), "int8-weight": (0.02, 0.003), "int4-weight": (0.12, 0.03),
    "int4": (0.12, 0.03), "nf4": (0.13, 0.03),
}  # fmt: skip


def weight(out: int = 96, inner: int = 128) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(out, inner).bfloat16()


def product(name: str, w: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    way = WAYS[name]
    tensors = way.shrink(w)
    if way.calibrated:
        tensors["input_scale"] = x.float().abs().max() / 127
    with torch.inference_mode():
        return way.lay_out(tensors)(x)


def error(found: torch.Tensor, w: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Of each row."""
    exact = x.float() @ w.float().T
    return (found.float() - exact).norm(dim=1) / exact.norm(dim=1)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("rows", [1, 7, 40])
def test_a_product_is_right_but_for_its_numbers(name, rows):
    if reason := WAYS[name].missing():
        pytest.skip(reason)
    w, x = weight(), torch.randn(rows, 128).bfloat16()
    found = product(name, w, x)
    most, least = ERRORS[name]
    assert found.dtype == torch.bfloat16 and found.shape == (rows, 96)
    assert least <= error(found, w, x).max() <= most


def test_every_way_is_tried():
    assert set(ERRORS) == set(WAYS)


def test_one_loud_token_does_not_take_the_others_digits():
    w, x = weight(), torch.randn(8, 128).bfloat16()
    x[3] *= 100
    by_row, together = (error(product(n, w, x), w, x)[0] for n in ("int8", "int8-dynamic"))
    assert by_row < 0.02 < 0.2 < together


@pytest.mark.parametrize("name", ["int8", "int4"])
def test_a_row_gives_bit_for_bit_what_it_gives_alone(name):
    w, x = weight(), torch.randn(9, 128).bfloat16()
    x[0], x[4] = x[0].abs(), x[4] * 50
    together = product(name, w, x)
    for number in range(len(x)):
        assert torch.equal(together[number], product(name, w, x[number : number + 1])[0])


@pytest.mark.parametrize("name", ["int8", "int8-weight", "int8-static"])
def test_a_row_of_zeros_stays_one(name):
    w, x = torch.zeros(96, 128).bfloat16(), torch.zeros(3, 128).bfloat16()
    w[0], x[0] = 1.0, 1.0
    found = product(name, w, x)
    assert torch.isfinite(found).all()
    assert float(found[0, 0]) == pytest.approx(128, rel=0.02) and not found[1:].any()


@pytest.mark.parametrize("shrink, bits", [(bytes_of, 8), (nibbles_of, 4)])
def test_what_is_stored_is_as_small_as_it_says(shrink, bits):
    w = weight(64, 256)
    stored = shrink(w)
    assert stored["weight"].numel() * 8 == w.numel() * bits
    scales = 4 * 64 if bits == 8 else 2 * 2 * w.numel() // GROUP
    assert sum(one.nbytes for one in stored.values()) == w.numel() * bits // 8 + scales
    step = stored["scale"].float().max() / 2 + 0.02  # half of one, and bfloat16's own
    assert (values_of(stored) - w.float()).abs().max() <= step


@pytest.mark.parametrize("way", ["int8", "int4"])
def test_rows_of_an_embedding_are_widened_as_they_are_asked_for(way):
    w = weight(70, 64)
    rows = Rows(shrink_rows(w, way))
    numbers = torch.tensor([3, 69, 3])
    exact = values_of(shrink_rows(w, way))
    assert torch.equal(rows[numbers], exact[numbers].bfloat16())
    assert torch.equal(Embedding(rows, 8.0)(numbers), rows[numbers] * 8)
    x = torch.randn(2, 64).bfloat16()
    chosen = torch.arange(32)
    with torch.inference_mode():
        found = rows.matrix(chosen)(x)
    assert error(found, exact[chosen], x).max() < 0.02


def test_many_rows_are_shrunk_as_few_are(monkeypatch):
    w = weight(70, 64)
    whole = shrink_rows(w, "int4")
    monkeypatch.setattr("engine.rows._AT_ONCE", 16)
    for name, tensor in shrink_rows(w, "int4").items():
        assert torch.equal(tensor, whole[name])
