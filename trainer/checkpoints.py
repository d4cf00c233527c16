"""A run's states on disk: written beside their name and renamed, each file with its hash.

A killed run leaves the last whole one; one whose files are not what was written is not resumed
from, and the one before it is taken. Only our own files are read, and as tensors only.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

CHECKPOINT, BEST = "checkpoint", "best"
_MANIFEST, _PROGRESS = "manifest.json", "progress.json"
_WEIGHTS, _TRAINER = "weights.pt", "trainer.pt"


@dataclass
class Progress:
    """Where a run stands. `scale`: what its guard has made of the rate; `bad`: evaluations in
    a row that were worse than the best; `waited`: evaluations since the best; `best_rows`: each
    guard row's score then; `over`: why it ended before its last step, given_up or early."""

    step: int = 0
    best_loss: float = math.inf
    best_score: float = -math.inf
    best_step: int = 0
    best_rows: tuple[float, ...] = ()
    scale: float = 1.0
    rollbacks: int = 0
    bad: int = 0
    waited: int = 0
    over: str = ""


@dataclass(frozen=True)
class State:
    """What a checkpoint holds: weights and optimizer as torch has them, and where it stands."""

    weights: Mapping[str, torch.Tensor]
    optimizer: Mapping[str, Any]
    progress: Progress


def save(folder: Path, state: State) -> None:
    """Write the state in place of what is at `folder`; what was there before stays beside it until
    the next one, as FOLDER.old."""
    fresh, old = folder.with_suffix(".new"), folder.with_suffix(".old")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    hashes = {
        _WEIGHTS: _write(fresh / _WEIGHTS, dict(state.weights)),
        _TRAINER: _write(fresh / _TRAINER, dict(state.optimizer)),
    }
    (fresh / _PROGRESS).write_text(json.dumps(asdict(state.progress)))
    hashes[_PROGRESS] = _hash(fresh / _PROGRESS)
    (fresh / _MANIFEST).write_text(json.dumps(hashes))
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    fresh.rename(folder)


def _write(file: Path, value: Any) -> str:
    with file.open("wb") as out:
        torch.save(value, out)
        out.flush()
        os.fsync(out.fileno())
    return _hash(file)


def _hash(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def is_whole(folder: Path) -> bool:
    """Whether every file of a checkpoint is what was written."""
    try:
        hashes = json.loads((folder / _MANIFEST).read_text())
        return bool(hashes) and all(_hash(folder / name) == one for name, one in hashes.items())
    except (OSError, ValueError, AttributeError):
        return False


def load(folder: Path) -> State | None:
    """The newest whole state of this name, or None where there is none."""
    for place in (folder, folder.with_suffix(".old")):
        if is_whole(place):
            data = json.loads((place / _PROGRESS).read_text())
            progress = Progress(**data | {"best_rows": tuple(data["best_rows"])})
            return State(_read(place / _WEIGHTS), _read(place / _TRAINER), progress)
    return None


def _read(file: Path) -> Any:
    return torch.load(file, map_location="cpu", weights_only=True)


def discard(folder: Path) -> None:
    """Delete the states of a run in `folder`."""
    for name in (CHECKPOINT, BEST):
        for suffix in ("", ".old", ".new"):
            shutil.rmtree((folder / name).with_suffix(suffix), ignore_errors=True)
