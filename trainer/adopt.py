"""What a bundle made elsewhere, taken in: checked, and kept as a finished run of this home.

python -m trainer adopt DIR. What comes back is a stranger's until checked: safetensors with their
card, made by the recipe that went out; nothing else is copied, nothing of it is run.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from db.store import Job
from engine.checking import CARD, CONFIG, WEIGHTS, read_adapter
from trainer.bundle import OUT, RECIPE, BundleError, kept_recipe, read_manifest, recipe_hash
from trainer.card import SCORES
from trainer.jobs.queue import Jobs
from trainer.recipe import WIRE, Recipe, load_recipe
from trainer.run import ADAPTER, LOG, MODEL

_KEPT = (WEIGHTS, CONFIG, CARD, SCORES, RECIPE)
_LARGEST = 1 << 20  # bytes of anything but the weights
_LARGEST_LOG = 64 << 20
_MOST_EVENTS = 20_000
_LONGEST = 200  # characters of a text in an event
_KINDS = ("step", "dev", "rollback", "given_up", "resumed", "stopped", "early")


def check_result(folder: Path) -> tuple[Path, Recipe]:
    """The adapter that came back in a bundle's folder, and its recipe; BundleError, AdapterError or
    RecipeError says why it is refused."""
    manifest, recipe = read_manifest(folder), load_recipe(folder / RECIPE)
    place = folder / OUT / ADAPTER
    if not place.is_dir() and (folder / OUT / MODEL).is_dir():
        raise BundleError(
            f"{folder / OUT / MODEL} is a whole model, not an adapter: CTX_BASE can name it"
        )
    if not place.is_dir():
        raise BundleError(f"{folder} holds no {OUT}/{ADAPTER}: the run is not finished")
    _check_files(place)
    made = load_recipe(place / RECIPE)
    if not manifest.recipe == recipe_hash(recipe) == recipe_hash(made):
        raise BundleError(f"{place} was not made by the recipe of this bundle")
    card = read_adapter(place).card
    if (card.pair, card.task, card.style) != (recipe.pair, recipe.task, recipe.style):
        raise BundleError(f"{place / CARD} is of another pair, task or style than its recipe")
    return place, recipe


def _check_files(place: Path) -> None:
    """BundleError unless the folder holds plain files of sane sizes, a card and a recipe."""
    files = list(place.iterdir())
    if place.is_symlink() or any(one.is_symlink() or not one.is_file() for one in files):
        raise BundleError(f"{place} holds links or folders; an adapter is plain files")
    missing = {CARD, RECIPE} - {one.name for one in files}
    if missing:
        raise BundleError(f"{place} has no {min(missing)}: the run is not finished")
    large = [one for one in files if one.name != WEIGHTS and one.stat().st_size > _LARGEST]
    if large:
        raise BundleError(f"{large[0]} is larger than such a file can be")


def adopt(folder: Path, jobs: Jobs, home: Path) -> tuple[Job, Path]:
    """Take what came back in `folder` into the home as a training job that is done; the job and
    its adapter's folder. BundleError, AdapterError, RecipeError or JobError says why it is refused,
    and nothing is kept."""
    place, recipe = check_result(folder)
    fresh = home / "adopting.new"
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / ADAPTER).mkdir(parents=True)
    try:
        for name in _KEPT:
            if (place / name).is_file():
                shutil.copyfile(place / name, fresh / ADAPTER / name)
        read_adapter(fresh / ADAPTER)  # the copy: the other may have changed meanwhile
        mine = kept_recipe(home, recipe_hash(recipe)) or recipe
        events = list(read_events(folder / OUT / LOG))
        job = jobs.add_done("train", asdict(mine), figures_of(events, recipe), events)
        to = jobs.folder(job.id)
        to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.rename(to)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return job, to / ADAPTER


def figures_of(events: list[dict[str, Any]], recipe: Recipe) -> dict[str, Any]:
    """What the row of a run that was done elsewhere shows. Where a reference's score had to be
    kept, nobody has looked yet: whether it is fit is left open."""
    figures: dict[str, Any] = {"adopted": True}
    for event in events:
        if event["event"] == "dev" and event.get("best") is True:
            figures |= {"best": event.get("score"), "best_loss": event.get("dev_loss")}
            figures |= {"best_step": event.get("step")}
    if not recipe.reference:
        reason = "style" if recipe.style == WIRE else ""
        figures |= {"fit": not reason, "reason": reason}
        events.append({"event": "result", "fit": not reason, "reason": reason})
    return figures


def read_events(log: Path) -> Iterator[dict[str, Any]]:
    """The events of a run's log that its curves need: known kinds, plain figures; the rest, and
    whatever is no event, is left out."""
    if not log.is_file() or log.is_symlink() or log.stat().st_size > _LARGEST_LOG:
        return
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in islice(lines, _MOST_EVENTS):
            try:
                data = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(data, dict) and data.get("event") in _KINDS:
                yield {k: v for k, v in data.items() if len(k) < _LONGEST and _is_plain(v)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool) or (type(value) is int and abs(value) < 2**53)
