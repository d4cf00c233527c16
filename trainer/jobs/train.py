"""The kind `train`: a recipe becomes an adapter with its card, guarded, in a job's folder.

What it tells is events in the database; whoever watches reads them there. Stop saves and ends,
cancel ends and discards the checkpoints.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.catalogue import readers_folder
from engine.sense import Query, Sense
from trainer.card import Finished
from trainer.checkpoints import discard
from trainer.examples import parse_row
from trainer.finish import finish
from trainer.jobs.frozen import place
from trainer.jobs.kinds import JobError, Kind, Prepared
from trainer.jobs.watched import Watched
from trainer.jobs.work import Work
from trainer.plan import base_folder, estimate
from trainer.recipe import PRESENT, Recipe, RecipeError, on_base, parse_recipe
from trainer.retention import Reference
from trainer.run import ADAPTER, MODEL, find_start, run_recipe
from trainer.splits import load_splits


def prepare(recipe: Mapping[str, Any]) -> Prepared:
    """The recipe made whole; JobError says what is wrong with it."""
    try:
        found = parse_recipe(dict(recipe))
    except RecipeError as error:
        raise JobError("bad_recipe", str(error)) from error
    if not found.sources:
        raise JobError("no_dataset", "sources: the run needs a dataset")
    return Prepared(json.loads(json.dumps(asdict(found))), "compute")


def run(work: Work) -> bool:
    """Train, score and judge; whether all of it is done."""
    recipe, taught = place(parse_recipe(dict(work.job.recipe)), work.store, work.settings.home)
    splits, data = load_splits(recipe, work.folder, work.settings)
    watched = Watched(work)
    if recipe.reference == "teacher" and not taught:
        raise JobError("bad_recipe", "reference = 'teacher': no source holds a teacher's answers")
    base = base_folder(on_base(recipe, work.settings))
    plan = estimate(recipe, splits, work.settings, base, work.folder)
    watched.report({"event": "plan", **asdict(plan)})
    if plan.refusal:
        raise JobError(plan.refusal, plan.detail)

    def end(run: Finished, tell: Any) -> None:
        finish(run, _reference(run, work, taught), tell)

    began, start = find_start(
        recipe, work.folder, work.folder, work.settings, watched.report, watched.stopped
    )
    made = began and run_recipe(
        recipe, splits, data, work.folder, work.settings, watched.report, watched.stopped, end,
        start, work.folder,
    )  # fmt: skip
    if not made and work.wish() == "cancel":
        discard(work.folder)
        for name in (ADAPTER, MODEL):
            shutil.rmtree(work.folder / name, ignore_errors=True)
    return bool(made)


def _reference(run: Finished, work: Work, taught: tuple[Path, ...]) -> Reference | None:
    """Whose score the result must keep."""
    name = run.recipe.reference
    recipe = run.recipe
    present = readers_folder(work.settings, recipe.pair, recipe.task)
    folder = {PRESENT: present, "start": run.start}.get(name)
    if folder:
        return Reference(name, folder)
    if name == "teacher" and taught:
        return Reference(name, answers=_answers(taught, run.recipe.pair))
    return None


def _answers(files: tuple[Path, ...], pair: str) -> dict[Query, Sense]:
    rows = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return dict(parse_row(row, "flat", pair) for row in rows)


KIND = Kind(Recipe, prepare, run)
