"""How a run is spread over processors: by accelerate, which knows whether it was launched so.

`accelerate launch -m trainer fit RECIPE.json` runs the same recipe on all processes it starts; each
takes its part of every batch, so the curve is that of one process.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from accelerate import Accelerator, PartialState

from engine.models import choose
from engine.settings import Settings
from trainer.recipe import Recipe, RecipeError


def make_accelerator(recipe: Recipe, folder: Path, settings: Settings) -> Accelerator:
    """The accelerator of a run; RecipeError where the tracker it asks for is not installed."""
    if recipe.tracker and find_spec(recipe.tracker) is None:
        raise RecipeError(f"tracker = {recipe.tracker!r}: run  pip install {recipe.tracker}")
    choice = choose(settings)
    PartialState(cpu=choice.device == "cpu")  # chooses this process's device before the base comes
    accelerator = Accelerator(
        cpu=choice.device == "cpu",
        mixed_precision="fp16" if choice.dtype == torch.float16 else "no",
        log_with=recipe.tracker or None,
        project_dir=str(folder),
    )
    if recipe.tracker:
        accelerator.init_trackers(recipe.name)
    return accelerator
