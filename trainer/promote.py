"""Makes an adapter the one that readers get for its pair and task, and takes that back.

A promotion is a row in the store first, and then the pointer file that settings read: whoever is
killed in between is made good by `mend`, at the app's next start or the next promotion. What is
promoted is copied into the home, so that deleting its run takes nothing from readers.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from db.store import Promoted, Promotion, Store
from engine.catalogue import Entry, is_there, read_folder, readers_adapter, usual_adapter
from engine.checking import CARD, CONFIG, WEIGHTS, AdapterError
from engine.files import sync_folder
from engine.present import Pointer, read_pointer
from engine.settings import Settings
from engine.translator import FILES as TRANSLATOR_FILES
from trainer.catalogue import (
    ALSO_SHIPPED,
    BASE,
    KEPT,
    RUN,
    SHIPPED,
    Model,
    ModelError,
    find_model,
    model_in,
    said_unfit,
    set_model,
    shipped,
)
from trainer.distil.gate import FAILED, OTHER_BASE
from trainer.jobs.process import job_folder
from trainer.mending import KEPT_FOLDER, NEW, mend
from trainer.weigh import Weighed, weigh

# What a run found that no reason overrides.
_FINAL = {
    FAILED: "as a student it holds too little of its teacher's score",
    OTHER_BASE: "it is of a student that is a base of its own, not of the one that readers have",
}
_FILES = (
    WEIGHTS, CONFIG, CARD, "README.md", "SCORES.md", "recipe.json", *TRANSLATOR_FILES,
)  # fmt: skip


class PromotionRefused(RuntimeError):
    """A promotion that is refused. `code`: not_fit, worse or not_compared, which a reason
    overrides (`weighed` says how the two compare); adapter_fixed, already_present, nothing_before,
    kept_gone, failed_gate or other_base, which nothing does."""

    def __init__(self, code: str, text: str, weighed: Weighed | None = None):
        self.code, self.weighed = code, weighed
        super().__init__(text)


def present(settings: Settings, pair: str = "en-zh", task: str = "sense") -> Model:
    """The model that readers have now."""
    served = (pair, task) == ("en-zh", "sense")
    if served and settings.adapter != SHIPPED:
        return set_model(settings)
    pointer = read_pointer(settings.home, pair, task)
    if pointer.folder:
        return _kept(pointer, settings)
    if served:
        return Model(BASE, BASE) if pointer.model == BASE else shipped()
    entry = readers_adapter(settings, pair, task)
    return model_of(entry) if entry else Model(BASE, BASE, pair=pair, task=task)


def model_of(entry: Entry) -> Model:
    """An adapter on disk as the catalogue of models names it."""
    known = f"{ALSO_SHIPPED}{entry.folder.name}"
    return model_in(known if entry.origin == SHIPPED else f"{KEPT}{entry.version}", entry.folder)


def _kept(pointer: Pointer, settings: Settings) -> Model:
    """The kept copy, under its run's name while its run is there."""
    number = pointer.model.removeprefix(RUN)
    there = pointer.model.startswith(RUN) and number.isdecimal()
    there = there and is_there(job_folder(settings.home, int(number)) / "adapter")
    name = pointer.model if there else f"{KEPT}{pointer.version}"
    return model_in(name, settings.home / pointer.folder, pointer.title)


def history(store: Store, pair: str = "", task: str = "") -> tuple[Promotion, ...]:
    """All promotions, the oldest first."""
    return store.promotions.history(pair, task)


def before(promotions: Sequence[Promotion]) -> tuple[Promotion, Promoted | None] | None:
    """The last promotion of one pair and task that was not taken back, and what readers had before
    it: None for what they have where nothing was promoted. None where nothing can be taken back."""
    stack: list[Promotion] = []
    for one in promotions:
        if one.promoted.undoes is None:
            stack.append(one)
        else:
            stack = [kept for kept in stack if kept.id != one.promoted.undoes]
    if not stack:
        return None
    return stack[-1], stack[-2].promoted if len(stack) > 1 else None


def promote(
    name: str, store: Store, settings: Settings, who: str = "", reason: str = ""
) -> Promotion:
    """Give readers the model of this name. PromotionRefused says what stands against it; a reason
    overrides what can be overridden, and is kept. ModelError or AdapterError where there is no such
    model."""
    model = find_model(name, store, settings)
    last, weighed = _weighed(model, store, settings)
    if weighed.against and not reason.strip():
        raise PromotionRefused(weighed.against[0], _told(model, weighed), weighed)
    newest = weighed.newest
    new = Promoted(
        model.pair, model.task, model.name, model.version, model.title,
        _keep(model, settings), reason, who, newest.job if newest else None, weighed.told(),
    )  # fmt: skip
    made = store.promotions.add(new, after=last)
    mend(store, settings.home)
    return made


def consider(name: str, store: Store, settings: Settings) -> tuple[Model, Model, Weighed]:
    """The model of this name, the one that readers have, and what is known of the two; refused as
    by `promote` where no reason would help."""
    model = find_model(name, store, settings)
    _, weighed = _weighed(model, store, settings)
    return model, present(settings, model.pair, model.task), weighed


def _weighed(model: Model, store: Store, settings: Settings) -> tuple[int, Weighed]:
    """The last promotion's id (0: none) and what is known of the model beside the present one."""
    _check_free(settings, model.pair, model.task)
    mend(store, settings.home)
    rows = store.promotions.history(model.pair, model.task)
    now = present(settings, model.pair, model.task)
    final = _final(model)
    if final:
        raise PromotionRefused(final, f"{model.name} is refused for good: {_FINAL[final]}")
    if model.version == now.version:
        raise PromotionRefused("already_present", f"readers have {model.title} already")
    return rows[-1].id if rows else 0, weigh(model, now, store, settings)


def back(
    store: Store, settings: Settings, who: str = "", pair: str = "en-zh", task: str = "sense"
) -> Promotion:
    """Give readers what they had before the last promotion that was not taken back yet; a row of
    its own. PromotionRefused where there is none."""
    _check_free(settings, pair, task)
    rows = store.promotions.history(pair, task)
    found = before(rows)
    if found is None:
        raise PromotionRefused("nothing_before", "nothing was promoted that could be taken back")
    undone, was = found
    again = was or _unpromoted(settings, pair, task)
    if again.folder and not is_there(settings.home / again.folder):
        raise PromotionRefused("kept_gone", f"{again.folder} is gone from {settings.home}")
    row = replace(again, reason="", who=who, evaluation_id=None, figures={}, undoes=undone.id)
    made = store.promotions.add(row, after=rows[-1].id)
    mend(store, settings.home)
    return made


def _final(model: Model) -> str:
    """Why a model cannot be promoted, whatever the reason given; "" where it can. Its card says so,
    too: one that was brought in from elsewhere has no run here."""
    told = said_unfit(model.folder) if model.folder else None
    reasons = (model.reason if model.fit is False else "", told)
    return next((one for one in reasons if one in _FINAL), "")


def _unpromoted(settings: Settings, pair: str, task: str) -> Promoted:
    """What readers have where nothing was promoted."""
    if (pair, task) == ("en-zh", "sense"):
        model = shipped()
        return Promoted(pair, task, SHIPPED, model.version, model.title)
    entry = usual_adapter(settings, pair, task)
    if entry is None:
        return Promoted(pair, task, BASE, BASE, BASE)
    return Promoted(pair, task, model_of(entry).name, entry.version, entry.name)


def _check_free(settings: Settings, pair: str, task: str) -> None:
    if settings.adapter != SHIPPED and (pair, task) == ("en-zh", "sense"):
        raise PromotionRefused(
            "adapter_fixed",
            f"CTX_ADAPTER={settings.adapter} says which adapter readers get: take it away first",
        )


def _keep(model: Model, settings: Settings) -> str:
    """Copy the model's files into the home, unless they are there; their folder relative to it.
    "" for what ships with the app. Whole or not at all, whenever this is killed."""
    if model.folder is None or model.name == SHIPPED or model.name.startswith(ALSO_SHIPPED):
        return ""
    folder = Path(KEPT_FOLDER) / f"{model.pair}-{model.task}" / model.version
    place = settings.home / folder
    if _version(place) == model.version:
        return folder.as_posix()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=NEW, dir=settings.home / KEPT_FOLDER))
    try:
        for name in _FILES:
            if (model.folder / name).is_file() and not (model.folder / name).is_symlink():
                _copy(model.folder / name, fresh / name)
        if _version(fresh) != model.version:
            raise ModelError("model_changed", f"{model.folder} changed while it was copied")
        sync_folder(fresh)
        if place.exists():  # of this name, and not what it should be
            shutil.rmtree(place)
        os.replace(fresh, place)
        sync_folder(place.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder.as_posix()


def _copy(file: Path, to: Path) -> None:
    with file.open("rb") as source, to.open("wb") as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    shutil.copystat(file, to)  # when it was made, not when it was promoted


def _version(folder: Path) -> str | None:
    try:
        return read_folder(folder).version
    except (AdapterError, OSError):
        return None


def _told(model: Model, weighed: Weighed) -> str:
    """What stands against it in English, with the numbers."""
    newest, parts = weighed.newest, []
    if "not_fit" in weighed.against:
        parts.append(f"its run found it not fit ({weighed.fit_reason or 'no reason given'})")
    if "worse" in weighed.against and newest:
        told = ", ".join(
            f"{one.figure} {one.present:.3f} → {one.new:.3f},"
            f" difference {one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})"
            for one in newest.losses
        )
        parts.append(
            f"it is worse on the test rows of {newest.dataset} (n = {newest.rows}): {told}"
        )
    if "not_compared" in weighed.against:
        parts.append("it was not compared with what readers have on a dataset's test rows")
    return f"{model.name} is refused: {'; '.join(parts)}. A reason overrides this"
