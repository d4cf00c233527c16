"""What of a base is trained: LoRA matrices, or every parameter; and what is kept of it.

Knows peft and the base, no data and no loop.
"""

from __future__ import annotations

import copy
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel

from engine.checking import CONFIG, WEIGHTS
from engine.lean import lean
from engine.models import Base
from trainer.parallel import is_sharded
from trainer.recipe import FULL, MATRICES, Recipe, RecipeError, save_recipe


def make_trainable(model: PreTrainedModel, recipe: Recipe) -> nn.Module:
    """The model with new LoRA weights (float32) on the recipe's matrices, the base frozen; or all
    of it in float32, to be trained as it is."""
    if recipe.checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    if recipe.checkpointing or recipe.quantised:
        # Where nothing before a layer is trained, 4 bits are multiplied by a kernel that knows no
        # gradient.
        model.enable_input_require_grads()
    _keep_gradients(model)
    torch.manual_seed(recipe.seed)
    if recipe.matrices == FULL:
        return model.float().requires_grad_(True)
    targets = MATRICES[recipe.matrices]
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        use_rslora=recipe.rslora,
        use_dora=recipe.dora,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        return get_peft_model(model, config)


def _keep_gradients(model: nn.Module) -> None:
    """On processors with bfloat16 units bitsandbytes lays 4-bit weights out anew at the first
    evaluation, for good, and multiplies them from then on by a kernel that has no gradient:
    training would go on, and learn next to nothing."""
    modules: list[Any] = list(model.modules())
    for module in modules:
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def load_start(model: nn.Module, recipe: Recipe, folder: Path) -> None:
    """Begin with the weights of the adapter in `folder`; RecipeError where it has other ones."""
    weights = load_file(folder / WEIGHTS)
    mine = {name for name, p in model.named_parameters() if p.requires_grad}
    if not isinstance(model, PeftModel) or len(mine) != len(weights):
        raise _start_error(folder)
    check_start(recipe, folder)
    set_peft_model_state_dict(model, weights)


def check_start(recipe: Recipe, folder: Path) -> None:
    """RecipeError where the adapter in `folder` has other LoRA matrices than the recipe wants."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    shape = (config["r"], config["lora_alpha"])
    kind = (bool(config.get("use_rslora")), bool(config.get("use_dora")))
    targets = set(config["target_modules"])
    few = [name for name, named in MATRICES.items() if set(named) == targets]
    other = (few or ["all-linear"]) != [recipe.matrices]
    if other or (shape, kind) != ((recipe.rank, recipe.alpha), (recipe.rslora, recipe.dora)):
        raise _start_error(folder)


def _start_error(folder: Path) -> RecipeError:
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return RecipeError(
        f"start: the adapter in {folder.name} has rank {config['r']} and alpha"
        f" {config['lora_alpha']} on {', '.join(sorted(config['target_modules']))}; a run that goes"
        " on from it must have the same"
    )


def readers_copy(model: nn.Module) -> PreTrainedModel:
    """The model as readers would have it now: merged and lean where that can be; one that is held
    in 4 bits, is sharded, or is trained as a whole, as it is."""
    if not isinstance(model, PeftModel):
        return model  # type: ignore[return-value]
    base: Any = model.get_base_model()
    if getattr(base, "is_quantized", False) or is_sharded(base):
        return base
    shared = {
        id(parameter): parameter
        for embedding in (base.get_input_embeddings(), base.get_output_embeddings())
        for parameter in embedding.parameters()
    }
    with torch.no_grad():
        merged: Any = copy.deepcopy(model, shared).merge_and_unload()
        return lean(merged.eval().requires_grad_(False))


def save_adapter(model: PeftModel, recipe: Recipe, folder: Path) -> None:
    """Write the LoRA weights in bfloat16 as safetensors, with their config and the recipe. DoRA's
    lengths stay float32: they scale whole weights, not small additions to them."""
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(str(folder))
    weights = load_file(folder / WEIGHTS)
    save_file(
        {
            name: tensor if "magnitude" in name else tensor.to(torch.bfloat16).contiguous()
            for name, tensor in weights.items()
        },
        folder / WEIGHTS,
        metadata={"format": "pt"},
    )
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / CONFIG).read_text())
    config["base_model_name_or_path"] = None  # a path of this machine
    config["target_modules"] = sorted(config["target_modules"])
    (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    save_recipe(recipe, folder / "recipe.json")


def save_whole(model: PreTrainedModel, base: Base, recipe: Recipe, folder: Path) -> None:
    """Write a model of which every parameter was trained, as a base that CTX_BASE can name."""
    shutil.rmtree(folder, ignore_errors=True)
    half: Any = model
    half.to(torch.bfloat16).save_pretrained(str(folder))
    base.tokenizer.save_pretrained(str(folder))
    save_recipe(recipe, folder / "recipe.json")
