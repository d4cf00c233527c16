"""Adapters on disk: check a folder, load it over a base, give readers a merged copy.

A folder is hostile until checked: safetensors only, known files, a sane size, plain LoRA. A
merged copy holds its own body matrices and shares the base's embedding; the base itself is
never written to.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from engine.lean import lean
from engine.models import Base

WEIGHTS, CONFIG, CARD = "adapter_model.safetensors", "adapter_config.json", "card.json"
_LARGEST = 512 * 1024 * 1024  # bytes of weights
_NAME = re.compile(r"[A-Za-z0-9_.]+")  # of a matrix, never an expression


class AdapterError(RuntimeError):
    """An adapter folder that is refused, with the reason."""

    code = "adapter"


@dataclass(frozen=True)
class Card:
    """What an adapter says of itself: what it answers, how, and how far to rely on it."""

    name: str
    pair: str = "en-zh"
    task: str = "sense"
    style: str = "last"
    base: str = ""
    phrase_threshold: float = 0.5  # least vote of its members for a phrase to be shown
    phrase_favour: float = 0.0  # what a phrase of the book has in advance
    calibration: tuple[float, float] = (1.0, 0.0)  # slope and shift of confidence
    scores: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Adapter:
    """A checked adapter folder. `version` changes with its weights, its card and its config."""

    folder: Path
    card: Card
    version: str


def read_adapter(folder: Path) -> Adapter:
    """The adapter in `folder`; AdapterError says why it is refused."""
    weights, config = folder / WEIGHTS, folder / CONFIG
    if not weights.is_file() or not config.is_file():
        raise AdapterError(f"{folder} is no adapter: {WEIGHTS} and {CONFIG} are needed")
    if any(file.suffix in {".bin", ".pt", ".pkl", ".py"} for file in folder.iterdir()):
        raise AdapterError(f"{folder} holds pickled weights or code; only safetensors is loaded")
    if weights.stat().st_size > _LARGEST:
        raise AdapterError(f"{weights} is larger than {_LARGEST >> 20} MB")
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
        plain = _is_plain(settings)
        card = read_card(folder / CARD)
    except (ValueError, KeyError, TypeError) as error:
        raise AdapterError(f"{folder}: {CONFIG} or {CARD} cannot be read: {error}") from error
    if not plain:
        raise AdapterError(f"{folder} is not a plain LoRA adapter")
    digest = hashlib.sha256()
    for file in (weights, config, folder / CARD):
        if file.is_file():
            digest.update(file.read_bytes())
    return Adapter(folder, card, digest.hexdigest()[:12])


def _is_plain(settings: dict[str, Any]) -> bool:
    """LoRA on named matrices: no regular expressions, no modules saved whole, no other method."""
    targets = settings["target_modules"]
    named = isinstance(targets, list) and all(_NAME.fullmatch(str(t)) for t in targets)
    return settings["peft_type"] == "LORA" and named and not settings.get("modules_to_save")


def read_card(file: Path) -> Card:
    """The card in a JSON file; a folder without one gets its name and the defaults."""
    if not file.is_file():
        return Card(name=file.parent.name)
    data = json.loads(file.read_text(encoding="utf-8"))
    known = {key: value for key, value in data.items() if key in Card.__dataclass_fields__}
    slope, shift = known.get("calibration", Card.calibration)
    known["calibration"] = (float(slope), float(shift))
    return Card(**known)


def merged_copy(base: Base, adapter: Adapter) -> PreTrainedModel:
    """A model with the adapter's weights merged in and a lean body; embedding and head stay the
    base's own."""
    shared = {
        id(parameter): parameter
        for embedding in (base.model.get_input_embeddings(), base.model.get_output_embeddings())
        for parameter in embedding.parameters()
    }
    tuned = open_adapter(copy.deepcopy(base.model, shared), adapter.folder, base, "default")
    with torch.no_grad():
        return lean(tuned.merge_and_unload().eval().requires_grad_(False))


def open_adapter(model: PreTrainedModel, folder: Path, base: Base, name: str) -> PeftModel:
    """`model`, a copy of the base's, under the adapter of a checked folder; AdapterError where it
    does not fit. Not merged: the model can take more adapters beside it."""
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            return PeftModel.from_pretrained(
                model,
                folder,
                adapter_name=name,
                torch_device=base.choice.device,
                use_safetensors=True,
            )
    except (ValueError, RuntimeError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise AdapterError(f"{folder} does not fit {base.name}: {reason}") from error
