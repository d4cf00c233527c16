"""The kind `quantise`: smaller forms of a model, each made, judged beside the model, and timed.

Forms lie with their verdicts in CTX_HOME/forms and are not judged twice, so that a job that was
stopped or killed goes on with the form that it was at. Its table and reports lie in its folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from engine.forms import FOLDER, FormError, parse_form
from engine.settings import Settings
from trainer.catalogue import ALSO_SHIPPED, BASE, KEPT, RUN, SETTING, SHIPPED
from trainer.distil.quantise import TRAINING
from trainer.distil.quantise_run import DATASET, DEFAULT, Table, Wanted, quantise
from trainer.distil.quantise_table import FILE, write_table
from trainer.jobs.kinds import JobError, Kind, Prepared
from trainer.jobs.recipes import described, parse, require
from trainer.jobs.watching import line_of
from trainer.jobs.work import Work, is_over
from trainer.smaller import keep_table

_NAMES = (BASE, SHIPPED, SETTING)
_SHOWN = ("form", "rows", "of_rows", "timing")  # what a job's row shows of events


@dataclass(frozen=True)
class QuantiseRecipe:
    """Whose forms, which of them, and what judges them."""

    model: str = described("base, shipped, setting, run:7 or kept:VERSION", SHIPPED)
    ways: list = described("forms to make: int8, int8-rows8, nf4, …; none: all there are", None)
    progressive: bool = described(
        "16, 8, 4 bits: each step through the gate, and no further than it passes", False
    )
    ratio: float = described("the share of the original's bytes to reach; 0: none", 0.0)
    dataset: str = described("a frozen dataset's name, or one that ships with the app", DATASET)
    rows: int = described("about how many test rows, whole sentences; 0: all", 0)
    rounds: int = described("of timing; 0: none", 3)
    sentences: int = described("that are timed", 30)
    against: str = described(
        "judge them by this model's answers, over the embedded base: for a student", ""
    )
    base: str = described("the base that the model is over; empty: the app's", "")
    adapter: str = described("the adapter that `setting` is; empty: the app's", "")

    def __post_init__(self) -> None:
        texts = (self.dataset, self.base, self.adapter)
        require(self, {
            "ways": self.ways is None or all(isinstance(n, str) for n in self.ways),
            "ratio": 0 <= self.ratio <= 1,
            "dataset": bool(self.dataset) and all(map(_is_plain, texts)),
            "rows": 0 <= self.rows <= 10**6,
            "rounds": 0 <= self.rounds <= 100,
            "sentences": 1 <= self.sentences <= 1000,
        })  # fmt: skip


def _is_plain(text: str) -> bool:
    return len(text) <= 1000 and (text.isprintable() or not text)


def prepare(recipe: Mapping[str, Any]) -> Prepared:
    """The recipe made whole; JobError says what is wrong with it."""
    found = parse(QuantiseRecipe, recipe)
    for name in filter(None, (found.model, found.against)):
        if not (name in _NAMES or name.startswith((RUN, KEPT, ALSO_SHIPPED))):
            raise JobError("unknown_model", f"there is no model {name!r}")
    ways = [] if found.progressive else list(dict.fromkeys(found.ways or DEFAULT))
    for name in ways:
        try:
            parse_form(name)
        except FormError as error:
            raise JobError(error.code, str(error)) from error
    return Prepared(asdict(found) | {"ways": ways}, "compute")


def run(work: Work) -> bool:
    """Make, judge and time the forms; whether all of it is done."""
    recipe = parse(QuantiseRecipe, work.job.recipe)
    told = _Told(work)

    def keep(table: Table) -> None:
        write_table(table, work.folder / FILE)

    wanted, settings = _wanted(recipe), _settings(recipe, work.settings)
    table = quantise(wanted, work.store, settings, told.report, lambda: is_over(work), keep)
    if table is None:
        if work.wish() == "cancel":
            _discard(settings.home)
        return False
    keep_table(settings.home, asdict(table))
    work.report(len(table.rows), len(table.rows), {})
    return True


class _Told:
    """What the job's row shows of a run, and what is kept of what it tells."""

    def __init__(self, work: Work):
        self._work = work
        self._done, self._total = 0, work.job.total
        self._figures: dict[str, Any] = {}

    def report(self, event: Mapping[str, Any]) -> None:
        """Keep an event, but those that come with every few rows, and show it in the row."""
        work, kind = self._work, event["event"]
        if kind != "rows":
            work.store.events.tell(work.job.id, work.process, event)
            work.say(line_of(event))
        if kind == "said":
            return
        if kind != "rows":
            self._figures = {"timing": kind == "timing"}
            self._done, self._total = event["done"], event.get("of", self._total)
        self._figures |= {name: event[name] for name in _SHOWN if name in event}
        work.report(self._done, self._total, self._figures)


def _wanted(recipe: QuantiseRecipe) -> Wanted:
    return Wanted(
        recipe.model, tuple(recipe.ways or ()), recipe.progressive, recipe.ratio, recipe.dataset,
        recipe.rows, recipe.rounds, recipe.sentences, recipe.against,
    )  # fmt: skip


def _settings(recipe: QuantiseRecipe, settings: Settings) -> Settings:
    """The settings with the base and the adapter that were meant when the job was made."""
    base, adapter = recipe.base or settings.base, recipe.adapter or settings.adapter
    return replace(settings, base=base, adapter=adapter)


def _discard(home: Path) -> None:
    """Throw away models that were being trained for a form; one job at a time trains them."""
    for place in (home / FOLDER).glob(f"*/*{TRAINING}"):
        shutil.rmtree(place, ignore_errors=True)


KIND = Kind(QuantiseRecipe, prepare, run)
