"""An adapter folder is hostile until checked; a merged copy leaves the base as it was."""

import json
from pathlib import Path

import pytest
import torch

from engine.adapters import merged_copy
from engine.checking import CARD, CONFIG, WEIGHTS, AdapterError, read_adapter
from engine.models import Base
from tests.tiny import tiny_base, tiny_model, tiny_prompt
from trainer.model import make_trainable, save_adapter
from trainer.recipe import Recipe

PROMPT = tiny_prompt()
RECIPE = Recipe(rank=4, alpha=8, dropout=0.0)


@pytest.fixture
def folder(tmp_path) -> Path:
    model = make_trainable(tiny_model(len(PROMPT.tokenizer)), RECIPE)
    torch.manual_seed(3)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.05)
    save_adapter(model, RECIPE, tmp_path / "adapter")
    return tmp_path / "adapter"


def test_a_saved_adapter_is_read_back_small_and_without_paths(folder):
    adapter = read_adapter(folder)
    assert adapter.card.name == "adapter" and len(adapter.version) == 12
    config = json.loads((folder / CONFIG).read_text())
    assert config["base_model_name_or_path"] is None
    assert (folder / "recipe.json").is_file() and not list(folder.glob("*.bin"))


def test_the_version_changes_with_weights_and_card(folder):
    before = read_adapter(folder).version
    (folder / CARD).write_text(json.dumps({"name": "a", "phrase_threshold": 0.4}))
    after = read_adapter(folder)
    assert after.version != before and after.card.phrase_threshold == 0.4


def test_a_merged_copy_answers_as_the_unmerged_one_and_the_base_stays(folder):
    from peft import PeftModel

    base, ids = tiny_base(), torch.arange(5, 25)[None]
    before = base.model(input_ids=ids).logits
    merged = merged_copy(base, read_adapter(folder))
    unmerged = PeftModel.from_pretrained(tiny_model(len(PROMPT.tokenizer)), folder).eval()
    torch.testing.assert_close(
        merged(input_ids=ids).logits, unmerged(input_ids=ids).logits, rtol=1e-3, atol=1e-3
    )
    assert torch.equal(base.model(input_ids=ids).logits, before)
    assert not torch.allclose(merged(input_ids=ids).logits, before, atol=1e-3)
    assert merged.get_input_embeddings().weight is base.model.get_input_embeddings().weight


def edit_config(folder, **changes):
    config = json.loads((folder / CONFIG).read_text()) | changes
    (folder / CONFIG).write_text(json.dumps(config))


HOSTILE = {
    "no weights": lambda f: (f / WEIGHTS).unlink(),
    "no config": lambda f: (f / CONFIG).unlink(),
    "pickled weights": lambda f: (f / "adapter_model.bin").write_bytes(b"x"),
    "code": lambda f: (f / "modeling.py").write_text("import os"),
    "config is no JSON": lambda f: (f / CONFIG).write_text("{"),
    "config is a list": lambda f: (f / CONFIG).write_text("[]"),
    "card is no JSON": lambda f: (f / CARD).write_text("{"),
    "card has odd numbers": lambda f: (f / CARD).write_text('{"name": "a", "calibration": ["x"]}'),
    "another method": lambda f: edit_config(f, peft_type="IA3"),
    "a regular expression": lambda f: edit_config(f, target_modules="(a+)+$"),
    "an expression in a list": lambda f: edit_config(f, target_modules=["(a+)+$"]),
    "whole modules": lambda f: edit_config(f, modules_to_save=["lm_head"]),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_folders_are_refused(folder, what):
    HOSTILE[what](folder)
    with pytest.raises(AdapterError):
        read_adapter(folder)


def test_an_adapter_for_another_base_is_refused(folder):
    base = tiny_base()
    wide = Base(_wider(), base.tokenizer, "wide", "0", base.choice)
    with pytest.raises(AdapterError, match="does not fit wide"):
        merged_copy(wide, read_adapter(folder))


def _wider():
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=100, hidden_size=64, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=1,
        )
    )  # fmt: skip
