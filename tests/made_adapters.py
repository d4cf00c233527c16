"""Adapter folders made on the spot: LoRA with random weights over a base of a given shape."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from engine.checking import CARD, CONFIG, WEIGHTS, BaseShape

QV = ("q_proj", "v_proj")


def make_adapter(
    folder: Path,
    shape: BaseShape,
    seed: int = 0,
    pair: str = "en-es",
    task: str = "translation",
    style: str = "short",
    rank: int = 4,
    targets: Sequence[str] = QV,
    strength: float = 0.05,
    config: dict[str, Any] | None = None,
    **card: Any,
) -> Path:
    """A folder with an adapter whose matrices are normal with this standard deviation."""
    folder.mkdir(parents=True)
    random = torch.Generator().manual_seed(seed)
    weights = {}
    for name, (rows, columns) in shape.matrices.items():
        if name.rpartition(".")[2] in targets:
            for part, size in (("A", (rank, columns)), ("B", (rows, rank))):
                drawn = torch.randn(size, generator=random) * strength
                weights[f"base_model.model.{name}.lora_{part}.weight"] = drawn.bfloat16()
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    settings = {"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "task_type": "CAUSAL_LM"}
    settings |= {"target_modules": sorted(targets), **(config or {})}
    (folder / CONFIG).write_text(json.dumps(settings))
    told = {"name": f"{pair}-{task}", "pair": pair, "task": task, "style": style}
    told["base"] = f"{shape.name}@{shape.revision}"
    (folder / CARD).write_text(json.dumps(told | card))
    return folder
