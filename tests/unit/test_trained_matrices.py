"""Whatever is trained: the copy that evaluations look at answers as the model in training does,
what is saved answers the same, and a run can go on from it."""

import dataclasses

import pytest
import torch

from engine.adapters import merged_copy
from engine.checking import read_adapter
from engine.settings import Settings
from tests.tiny import tiny_base, tiny_model, tiny_prompt
from trainer.model import load_start, make_trainable, readers_copy, save_adapter
from trainer.parallel import make_accelerator
from trainer.recipe import MATRICES, Recipe, RecipeError

PROMPT = tiny_prompt()
PLAIN = Recipe(rank=4, alpha=8, dropout=0.0)
KINDS = {
    **{name: {"matrices": name} for name in MATRICES if name != "full"},
    "rslora": {"rslora": True},
    "dora": {"dora": True},
}
IDS = torch.arange(5, 25)[None]


def trained(recipe):
    """A model as it is in the middle of a run."""
    model = make_trainable(tiny_model(len(PROMPT.tokenizer)), recipe).eval()
    torch.manual_seed(3)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.05)
    return model


def same(one, other):
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_and_what_is_saved_answer_as_the_model_in_training(kind, tmp_path):
    recipe = dataclasses.replace(PLAIN, **KINDS[kind])
    model = trained(recipe)
    now = model(input_ids=IDS).logits
    same(readers_copy(model)(input_ids=IDS).logits, now)
    same(model(input_ids=IDS).logits, now)  # the copy left it alone
    save_adapter(model, recipe, tmp_path / "adapter")
    merged = merged_copy(tiny_base(), read_adapter(tmp_path / "adapter"))
    torch.testing.assert_close(merged(input_ids=IDS).logits, now, rtol=3e-2, atol=3e-2)  # bfloat16
    again = make_trainable(tiny_model(len(PROMPT.tokenizer)), recipe).eval()
    load_start(again, recipe, tmp_path / "adapter")
    torch.testing.assert_close(again(input_ids=IDS).logits, now, rtol=3e-2, atol=3e-2)


@pytest.mark.parametrize(
    "change", [{"rank": 8}, {"matrices": "q,v"}, {"alpha": 16}, {"dora": True}]
)
def test_a_run_that_goes_on_must_have_the_same_matrices(change, tmp_path):
    save_adapter(trained(PLAIN), PLAIN, tmp_path / "adapter")
    other = dataclasses.replace(PLAIN, **change)
    with pytest.raises(RecipeError, match="start"):
        load_start(trained(other), other, tmp_path / "adapter")


def test_checkpointing_changes_no_gradient():
    found = []
    for checkpointing in (False, True):
        model = trained(dataclasses.replace(PLAIN, checkpointing=checkpointing)).train()
        model(input_ids=IDS).logits.square().mean().backward()
        found.append({n: p.grad for n, p in model.named_parameters() if p.requires_grad})
    assert found[0].keys() == found[1].keys() and found[0]
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], msg=name)


def test_all_parameters_are_trained_in_float32():
    model = make_trainable(tiny_model(len(PROMPT.tokenizer)).bfloat16(), Recipe(matrices="full"))
    assert all(p.requires_grad and p.dtype == torch.float32 for p in model.parameters())
    assert readers_copy(model) is model


def test_a_tracker_that_is_not_installed_is_said_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setattr("trainer.parallel.find_spec", lambda name: None)
    recipe = dataclasses.replace(PLAIN, tracker="wandb")
    with pytest.raises(RecipeError, match="pip install wandb"):
        make_accelerator(recipe, tmp_path, Settings(home=tmp_path))
