"""How a run is spread over processors: by accelerate, which knows whether it was launched so.

`accelerate launch --multi_gpu -m trainer fit RECIPE.json` runs the same recipe on all processes it
starts; each takes its part of every batch, so the curve is that of one process. CTX_DEVICE=cpu puts
them on processors (to accelerate, --cpu is one process).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import broadcast_object_list

from engine.models import choose
from engine.settings import Settings
from trainer.recipe import Recipe, RecipeError

# The others wait while the first process scores the result, far longer than torch expects.
_PATIENCE = timedelta(days=2)


def make_accelerator(recipe: Recipe, folder: Path, settings: Settings) -> Accelerator:
    """The accelerator of a run; RecipeError where the tracker it asks for is not installed."""
    if recipe.tracker and find_spec(recipe.tracker) is None:
        raise RecipeError(f"tracker = {recipe.tracker!r}: run  pip install {recipe.tracker}")
    choice = choose(settings)
    # Chooses this process's device before the base comes.
    PartialState(cpu=choice.device == "cpu", timeout=_PATIENCE)
    accelerator = Accelerator(
        cpu=choice.device == "cpu",
        mixed_precision="fp16" if choice.dtype == torch.float16 else "no",
        log_with=recipe.tracker or None,
        project_dir=str(folder),
    )
    if recipe.tracker:
        accelerator.init_trackers(recipe.name)
    return accelerator


def agree(settings: Settings, accelerator: Accelerator) -> Settings:
    """The settings with the numbers that the first process computes in: each of several would
    measure for itself which are faster."""
    if accelerator.num_processes == 1:
        return settings
    found = [choose(settings).dtype_name]
    broadcast_object_list(found)
    return replace(settings, dtype=found[0])
