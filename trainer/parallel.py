"""How a run is spread over processors: by accelerate, which knows whether it was launched so.

`accelerate launch --multi_gpu -m trainer fit RECIPE.json` runs the same recipe on all processes it
starts; each takes its part of every batch, so the curve is that of one process. CTX_DEVICE=cpu puts
them on processors (to accelerate, --cpu is one process). A base that one device cannot hold is
sharded: each process keeps a part of every layer, and a layer is whole only while it is at work.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import broadcast_object_list
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from engine.models import choose
from engine.settings import Settings
from trainer.fields import RecipeError
from trainer.pace import Tracked

# The others wait while the first process scores the result, far longer than torch expects.
_PATIENCE = timedelta(days=2)

Report = Callable[[dict[str, Any]], None]


def make_accelerator(recipe: Tracked, folder: Path, settings: Settings) -> Accelerator:
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


def teller(accelerator: Accelerator, log: TextIO, report: Report) -> Report:
    """What a run's events go to, once for all its processes: its log, its tracker, `report`."""

    def tell(event: dict[str, Any]) -> None:
        if accelerator.is_main_process:
            print(json.dumps(event), file=log, flush=True)
            if "step" in event:
                numbers = {k: v for k, v in event.items() if type(v) in (int, float)}
                accelerator.log(numbers, step=event["step"])
            report(event)

    return tell


def agree(settings: Settings, accelerator: Accelerator) -> Settings:
    """The settings with the numbers that the first process computes in: each of several would
    measure for itself which are faster."""
    if accelerator.num_processes == 1:
        return settings
    found = [choose(settings).dtype_name]
    broadcast_object_list(found)
    return replace(settings, dtype=found[0])


def shard_base(model: Any, accelerator: Accelerator) -> float:
    """Spread the frozen parameters of the base's layers over the processes (FSDP), and put what
    stays whole on this process's device. What is trained stays whole: it is small. The share of all
    parameters that this process holds."""
    trained = {p for p in model.parameters() if p.requires_grad}
    mesh = init_device_mesh(accelerator.device.type, (accelerator.num_processes,))
    for layer in model.get_base_model().get_decoder().layers:
        fully_shard(layer, mesh=mesh, ignored_params=trained)
    model.to(accelerator.device)
    held = [p.to_local() if isinstance(p, DTensor) else p for p in model.parameters()]
    return sum(p.numel() for p in held) / sum(p.numel() for p in model.parameters())


def is_sharded(model: nn.Module) -> bool:
    return any(isinstance(module, FSDPModule) for module in model.modules())


def prepare(accelerator: Accelerator, loss: nn.Module, optimizer: Any) -> tuple[Any, Any]:
    """Both as accelerate wants them. Only what is trained is held alike across processes: a sharded
    base differs from one to the other."""
    frozen = [name for name, p in loss.named_parameters() if not p.requires_grad]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(loss, frozen)
    return accelerator.prepare(loss, optimizer)
