"""Training for a form, through the loop that trains everything else: a tiny model, to its end."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.forms import Form, shrink
from engine.matrices import values_of
from engine.models import Base, Choice
from engine.sense import Sense, ask
from engine.settings import read_settings
from tests.tiny import tiny_gemma, tiny_tokenizer
from trainer.distil import quantise_aware
from trainer.distil.quantise_aware import RECIPE, train_aware
from trainer.examples import Example

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)
NAMES = ("Tom", "Ann", "him", "her", "them", "us", "me", "you")
FORM = Form("int4", "int4", aware=True)


def examples(first: str) -> list[Example]:
    sense = Sense("verb", "打电话", None)
    return [Example(ask(f"{first} call {n}", "call"), sense, "en-zh-gold") for n in NAMES]


def tiny() -> Base:
    tokenizer = tiny_tokenizer()
    model = tiny_gemma(vocabulary=len(tokenizer)).requires_grad_(False)
    return Base(model, tokenizer, "tiny", "0", Choice("cpu", torch.bfloat16, "a test"))


def train(tmp_path, monkeypatch, stopped=lambda: False):
    monkeypatch.setattr(quantise_aware, "load_base", lambda settings: tiny())
    told: list[dict] = []
    recipe = replace(RECIPE, steps=8, rate=2e-3, evaluate_every=4, epochs=9.0)
    settings = read_settings({"CTX_HOME": str(tmp_path)})
    splits = {"train": examples("I"), "dev": examples("You")}
    made = train_aware(
        None, FORM, splits, tmp_path / "run", settings, told.append, recipe, stopped
    )  # fmt: skip
    return made, told


def test_what_is_held_gets_better(tmp_path, monkeypatch):
    made, told = train(tmp_path, monkeypatch)
    losses = [event["dev_loss"] for event in told if event["event"] == "dev"]
    assert len(losses) == 3 and min(losses[1:]) < losses[0]
    tensors, before = shrink(made, FORM), shrink(tiny().model, FORM)
    assert not torch.equal(values_of_place(tensors, "0.down"), values_of_place(before, "0.down"))
    assert torch.equal(tensors["rows/weight"], before["rows/weight"])


def values_of_place(tensors, place: str) -> torch.Tensor:
    names = ("weight", "scale", "zero")
    return values_of({name: tensors[f"{place}/{name}"] for name in names})


def test_one_that_is_stopped_has_no_model_and_goes_on(tmp_path, monkeypatch):
    made, _ = train(tmp_path, monkeypatch, stopped=lambda: True)
    assert made is None
    made, told = train(tmp_path, monkeypatch)
    assert made is not None and told[0]["event"] == "resumed"
