"""The models there are, by name, so that a screen or a recipe can choose one and never a path.

base · shipped (English–Chinese senses) · shipped:en-es-translation · run:7 (what that training run
made) · kept:VERSION (a copy in this home, of a run or brought in, or a translator that was exported
there) · setting (the folder that CTX_ADAPTER names). Reads folders and cards; loads no weights.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db.store import Job, Refused, Store
from engine.catalogue import is_there, read_unchanged
from engine.checking import CARD, WEIGHTS, AdapterError
from engine.settings import SMALL, Settings, assets
from trainer.jobs.process import job_folder
from trainer.mending import KEPT_FOLDER

BASE, SHIPPED, RUN, KEPT, SETTING = "base", "shipped", "run:", "kept:", "setting"
ALSO_SHIPPED = "shipped:"  # and the folder's name: the other adapters that ship
_FIRST = "en-zh-sense"  # the folder of `shipped`
_LONGEST = 200  # characters of a reason
_TRAINING = ("train", "scratch")  # kinds of jobs that make models


class ModelError(RuntimeError):
    """A name that no model has, or a model that is refused. `code` names the reason."""

    def __init__(self, code: str, text: str):
        self.code = code
        super().__init__(text)


@dataclass(frozen=True)
class Model:
    """One model. `folder` is None for the base alone; `made` is UTC, ISO; `fit` says whether its
    run found it fit to promote (None: nobody looked)."""

    name: str
    title: str
    folder: Path | None = None
    version: str = BASE
    pair: str = "en-zh"
    task: str = "sense"
    style: str = "last"
    bytes: int = 0
    made: str = ""
    fit: bool | None = None
    reason: str = ""


def list_models(store: Store, settings: Settings) -> list[Model]:
    """All that can answer here, the newest run first; a folder that is refused is left out, and so
    is a copy of one that stands here already."""
    found = [find_model(BASE, store, settings), shipped(), *also_shipped()]
    if settings.adapter not in (SHIPPED, "none"):
        with suppress(AdapterError):  # the app says so where it loads it
            found.append(set_model(settings))
    for job in _runs(store):
        try:
            found.append(_of_run(job, settings))
        except (ModelError, AdapterError):
            continue
    known = {model.version for model in found}
    for folder in sorted((settings.home / KEPT_FOLDER).glob("*/*")):
        if folder.name not in known and is_there(folder):
            try:
                found.append(_of_kept(folder, store, settings))
            except AdapterError:
                continue
    return found


def find_model(name: str, store: Store, settings: Settings) -> Model:
    """The model of this name; ModelError where there is none, AdapterError where its folder is
    refused."""
    if name == BASE:
        return Model(BASE, BASE)
    if name == SHIPPED:
        return shipped()
    for model in also_shipped() if name.startswith(ALSO_SHIPPED) else ():
        if model.name == name:
            return model
    if name == SETTING and settings.adapter != SHIPPED:
        return set_model(settings)
    if name.startswith(RUN):
        number = name.removeprefix(RUN)
        if number.isascii() and number.isdecimal() and len(number) < 16:
            try:
                return _of_run(store.jobs.get(int(number)), settings)
            except Refused:
                pass
    if name.startswith(KEPT):
        version = name.removeprefix(KEPT)
        for folder in (settings.home / KEPT_FOLDER).glob("*/*"):
            if folder.name == version:
                return _of_kept(folder, store, settings)
    raise ModelError("unknown_model", f"there is no model {name!r}")


def _runs(store: Store) -> Iterator[Job]:
    before: int | None = None
    while page := store.jobs.list_jobs(("done",), before, 200):
        yield from (job for job in page if job.kind in _TRAINING)
        before = page[-1].id


def _of_run(job: Job, settings: Settings) -> Model:
    folder = job_folder(settings.home, job.id) / "adapter"
    if job.kind not in _TRAINING or job.state != "done" or not is_there(folder):
        raise ModelError("unknown_model", f"job {job.id} ended with no adapter")
    fit = job.figures.get("fit")
    told: dict[str, Any] = {
        "fit": fit if isinstance(fit, bool) else None,
        "reason": str(job.figures.get("reason") or ""),
    }
    return model_in(f"{RUN}{job.id}", folder, title=str(job.recipe.get("name", "")), **told)


def _of_kept(folder: Path, store: Store, settings: Settings) -> Model:
    """A copy in the home; what was found of these weights goes with them, whatever their name."""
    model = model_in(f"{KEPT}{folder.name}", folder)
    reason = said_unfit(folder)
    if reason is None:
        reason = next(_found_unfit(model, store, settings), None)
    return model if reason is None else replace(model, fit=False, reason=reason)


def said_unfit(folder: Path) -> str | None:
    """Why the card in a folder says that its model is not fit; None where it does not say so."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    unfit = isinstance(card, dict) and card.get("fit") is False
    return str(card.get("reason") or "")[:_LONGEST] if unfit else None


def _found_unfit(model: Model, store: Store, settings: Settings) -> Iterator[str]:
    """Why the run of these weights, or an earlier promotion of them, says that they are not fit."""
    for job in _runs(store):
        if job.figures.get("fit") is False:
            with suppress(ModelError, AdapterError):
                if (found := _of_run(job, settings)).version == model.version:
                    yield found.reason
    for one in store.promotions.history(model.pair, model.task):
        told = one.promoted.figures
        if one.promoted.version == model.version and "not_fit" in told.get("against", ()):
            yield str(told.get("fit_reason", ""))


def shipped() -> Model:
    """The adapter of words that ships with the app."""
    return model_in(SHIPPED, assets() / "adapters" / _FIRST)


def small() -> Model:
    """The smaller model of `shipped`: a setting chooses it, nobody promotes it; no list has it."""
    return model_in(SMALL, assets() / SMALL)


def also_shipped() -> list[Model]:
    """The other adapters that ship: those that were trained, and are not refused."""
    found = []
    for folder in sorted((assets() / "adapters").iterdir()):
        if folder.name != _FIRST and (folder / WEIGHTS).is_file():
            with suppress(AdapterError):
                found.append(model_in(f"{ALSO_SHIPPED}{folder.name}", folder))
    return found


def set_model(settings: Settings) -> Model:
    """The model that CTX_ADAPTER names; AdapterError where it is refused."""
    folder = settings.adapter_folder
    return Model(BASE, BASE) if folder is None else model_in(SETTING, folder)


def model_in(name: str, folder: Path, title: str = "", **told: Any) -> Model:
    """The adapter or translator in `folder` under this name; AdapterError where it is refused."""
    adapter = read_unchanged(folder)
    card = adapter.card
    made = os.stat(folder / CARD if (folder / CARD).is_file() else folder / WEIGHTS).st_mtime
    at = datetime.fromtimestamp(made, UTC).isoformat(timespec="seconds")
    if name == SMALL or name.startswith(SHIPPED):  # its files are as old as this copy of the app
        at = card.made
    return Model(
        name, title or card.name, folder, adapter.version, card.pair, card.task, card.style,
        adapter.bytes, at, **told,
    )  # fmt: skip
