"""Adapters of each kind for the real base, with random weights strong enough to be heard: for the
matrix of invariants, the stress run and the measurements."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import torch

from engine.checking import CARD, Adapter, read_adapter
from engine.models import Base, load_base
from engine.settings import Settings
from trainer.model import make_trainable, save_adapter
from trainer.recipe import Recipe

PAIRS = ("en-zh", "en-es", "de-en", "en-hi", "en-ta")
KINDS = {
    "q,v": Recipe(name="qv", matrices="q,v", rank=8, alpha=16),
    "all linear": Recipe(name="linear", matrices="all-linear", rank=16, alpha=32),
    "QLoRA": Recipe(name="qlora", matrices="all-linear", rank=16, alpha=32, quantised=True),
    "rsLoRA": Recipe(name="rslora", matrices="all-linear", rank=16, alpha=16, rslora=True),
}


def make_kind(
    kind: str, settings: Settings, folder: Path, base: Base, pair: str = "en-es", seed: int = 1
) -> Adapter:
    """An adapter as the trainer saves it, its weights drawn anew; QLoRA's is made over a base in 4
    bits, and stands over the whole one like any other."""
    recipe = KINDS[kind]
    if recipe.quantised:
        model = make_trainable(load_base(settings, quantised=True).model, recipe)
    else:
        weights = {id(one): one for one in base.model.parameters()}
        model = make_trainable(copy.deepcopy(base.model, weights), recipe)
    random = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            strength = 0.02 if "lora_A" in name else 0.01
            parameter.data = torch.randn(parameter.shape, generator=random) * strength
    save_adapter(model, recipe, folder)
    card = {"name": f"{pair}-translation", "pair": pair, "task": "translation", "style": "short"}
    card["base"] = f"{base.name}@{base.revision}"
    (folder / CARD).write_text(json.dumps(card))
    return read_adapter(folder)
