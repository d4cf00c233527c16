"""What a phase's folder notes of its run, so that it goes on as it began: its recipe, the weights
that it began with, the numbers that it computes in, and all that it told.

    RUN/PHASE/recipe.json  begun.json  log.jsonl
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.files import write_whole
from engine.models import Choice, choose
from engine.settings import Settings
from trainer.checkpoints import CHECKPOINT
from trainer.fields import RecipeError
from trainer.scratch.errors import ScratchError
from trainer.scratch.folder import WEIGHTS
from trainer.scratch.recipe import FILE, ScratchRecipe, load_scratch, save_scratch

PRETRAIN, FINETUNE, RANDOM = "pretrain", "finetune", "random"
MODEL, LOG = "model", "log.jsonl"
_BEGUN = "begun.json"


def begin(folder: Path, recipe: ScratchRecipe, name: str, start: str) -> None:
    """Note in the folder which run it is of; ScratchError where it is another's. `start`: which
    weights it begins with, from `weights_of`."""
    there, begun = _recipe_in(folder), _read_begun(folder)
    differ = _differences(there, recipe, name) if there else []
    if there and begun.get("start", start) != start:
        differ.append("it began with other weights")
    if differ:
        raise ScratchError(
            "other_run",
            f"{folder} holds a run of another recipe ({'; '.join(differ)}): choose another"
            " --folder, or delete it",
        )
    folder.mkdir(parents=True, exist_ok=True)
    if there is None:
        save_scratch(recipe, folder / FILE)
    write_whole(folder / _BEGUN, json.dumps({**begun, "start": start}) + "\n")


def weights_of(folder: Path) -> str:
    """What says which weights a model's folder holds."""
    with (folder / WEIGHTS).open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def choose_numbers(folder: Path, settings: Settings) -> Choice:
    """The device and the numbers of the run: those that it began with, where the settings ask for
    no others. It may go on at a processor that would compute in others."""
    begun = _read_begun(folder)
    if settings.dtype != "auto" or "dtype" not in begun:
        return choose(settings)
    choice = choose(replace(settings, dtype=str(begun["dtype"])))
    return replace(choice, reason=f"in {choice.dtype_name}, as the run began")


def note_numbers(folder: Path, choice: Choice) -> None:
    """Keep the numbers that the run computes in, for when it goes on."""
    told = _read_begun(folder) | {"dtype": choice.dtype_name}
    write_whole(folder / _BEGUN, json.dumps(told) + "\n")


def read_events(folder: Path) -> list[Mapping[str, Any]]:
    """All that the run in a folder told; a line that a kill tore is passed over. ScratchError where
    it has told nothing yet."""
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        raise ScratchError("no_run", f"{folder} holds no run yet") from error
    found: list[Mapping[str, Any]] = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            found.append(event)
    return found


def end_torn_line(folder: Path) -> None:
    """Let what is told from now on begin a line of its own, whatever a kill left of the last."""
    file = folder / LOG
    text = file.read_bytes() if file.is_file() else b""
    if text and not text.endswith(b"\n"):
        with file.open("ab") as log:
            log.write(b"\n")


def _read_begun(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / _BEGUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _recipe_in(folder: Path) -> ScratchRecipe | None:
    """The recipe that the folder's run is of; None where there is no run, or a kill tore its recipe
    before it had done anything."""
    file = folder / FILE
    try:
        return load_scratch(file) if file.is_file() else None
    except RecipeError:
        if any((folder / name).is_dir() for name in (CHECKPOINT, MODEL)):
            raise
        return None


def _differences(there: ScratchRecipe, here: ScratchRecipe, name: str) -> list[str]:
    """In what two recipes differ that matters to a phase: its data, its model, its steps."""
    phase = PRETRAIN if name == PRETRAIN else FINETUNE
    parts = ("train", "dev", "texts", "holes", "span", "pair", "model", phase)
    old, new = asdict(there), asdict(here)
    return [
        f"{part}.{key} {old[part][key]!r}, not {value!r}"
        for part in parts
        if isinstance(new[part], dict)
        for key, value in new[part].items()
        if old[part][key] != value
    ] + [
        f"{part} {old[part]!r}, not {new[part]!r}"
        for part in parts
        if not isinstance(new[part], dict) and old[part] != new[part]
    ]
