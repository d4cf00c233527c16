"""The comparison of matrix products: every way has figures, or a reason why not."""

import pytest
import torch

from engine.bench import products
from engine.matrices import WAYS, Way

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(products, "LAYERS", 2)
    monkeypatch.setattr(products, "SHAPES", {"qkv": (64, 64), "down": (32, 128)})
    monkeypatch.setattr(products, "ROWS", (1, 3))
    monkeypatch.setattr(products, "torchao_ways", dict)


def test_every_way_is_timed_or_says_why_not(monkeypatch):
    def unable(weight):
        raise NotImplementedError("no kernel here\nat all")

    ways = {name: WAYS[name] for name in ("bf16", "int8", "int8-static")}
    ways["none"] = Way("none", "", unable, unable)
    ways["absent"] = Way("absent", "", unable, unable, lambda: "a library is missing")
    monkeypatch.setattr(products, "WAYS", ways)
    said: list[str] = []
    found = products.products(said.append)
    assert found["rows"] == [1, 3] and found["machine"]["processor"]
    for name in ("bf16", "int8", "int8-static"):
        assert set(found["ms"][name]) == {"1", "3"} and min(found["ms"][name].values()) > 0
    assert found["ms"]["none"] == {"missing": "no kernel here"}
    assert found["ms"]["absent"] == {"missing": "a library is missing"}
    assert len(said) == len(found["ms"])


def test_a_slow_way_is_not_tried_with_more_rows(monkeypatch):
    monkeypatch.setattr(products, "WAYS", {"bf16": WAYS["bf16"]})
    monkeypatch.setattr(products, "_MOST", 0.0)
    assert set(products.products(lambda line: None)["ms"]["bf16"]) == {"1"}
