"""Run a recipe to its end: data, training, calibration, scores, and the adapter with its card.

Everything a run makes lies in its folder: log, checkpoints, and at last `adapter/` (`model/` where
every parameter was trained). Run it again after a stop or a kill and it goes on from the last
checkpoint.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from engine.catalogue import readers_folder
from engine.checking import read_adapter
from engine.models import Base, load_base
from engine.settings import Settings
from trainer.card import Finished
from trainer.distil.setting import Distillation, Taught
from trainer.evaluation.during import holds_base, load_vectors, own_vectors
from trainer.evaluation.texts import Vectors
from trainer.finish import write_verdict
from trainer.losses import AnswerLoss
from trainer.model import check_start, load_start, make_trainable, save_adapter, save_whole
from trainer.order import Order
from trainer.parallel import agree, is_sharded, make_accelerator, shard_base, teller
from trainer.recipe import FULL, PRESENT, Recipe, RecipeError, load_recipe, on_base, save_recipe
from trainer.rows import Pack
from trainer.splits import Splits, load_splits, older
from trainer.tasks import Task, task_of
from trainer.training import fit

ADAPTER, MODEL, LOG = "adapter", "model", "log.jsonl"

Report = Callable[[dict[str, Any]], None]
Finish = Callable[[Finished, Report], object]


def run_recipe(
    recipe: Recipe,
    splits: Splits,
    data: list[dict[str, Any]],
    folder: Path,
    settings: Settings,
    report: Report = print,
    stopped: Callable[[], bool] = lambda: False,
    finish: Finish | None = None,
    start: Path | None = None,
    home: Path = Path(),
) -> Path | None:
    """Train on what `load_splits` gave, from the adapter in `start` on, then `finish` (None:
    score, and write its task's card); the adapter's folder, or the model's; None when stopped.
    `home`: what the path of a KD teacher is relative to."""
    folder.mkdir(parents=True, exist_ok=True)
    accelerator = make_accelerator(recipe, folder, settings)
    if accelerator.is_main_process:
        save_recipe(recipe, folder / "recipe.json")
    app, settings = settings, agree(on_base(recipe, settings), accelerator)
    sharded = recipe.sharded and accelerator.num_processes > 1
    if sharded:  # whole only in the processor's memory
        settings = replace(settings, device="cpu")
    task = task_of(recipe)
    with (folder / LOG).open("a", encoding="utf-8") as log:
        tell = teller(accelerator, log, report)
        distillation = teacher = None
        if recipe.distil.teacher:
            with accelerator.main_process_first():
                distillation = Distillation(recipe, splits, home, folder, settings, tell)
            settings, teacher = distillation.settings, distillation.teacher
        base = load_base(settings, quantised=recipe.quantised)
        prompt = task.prompt(base.tokenizer, recipe)
        model: Any = make_trainable(base.model, recipe)
        if start:
            load_start(model, recipe, start)
        if sharded:
            tell({"event": "sharded", "held": shard_base(model, accelerator)})
        untaught = _untaught(recipe, splits, prompt, base)
        taught: Taught | None = untaught
        if distillation:
            with accelerator.main_process_first():
                taught = distillation.teach(base, untaught, stopped)
        like = start or (teacher.folder if teacher else None)  # whose thresholds evaluations have
        watch = task.watch(
            recipe, splits["dev"], prompt, like, base.choice.dtype,
            lambda: _vectors(recipe, base, model, app, accelerator, tell),
        )  # fmt: skip
        done = taught and fit(
            model,
            recipe,
            taught.order,
            watch,
            taught.candidates,
            folder,
            tell,
            stopped,
            base.choice.dtype,
            accelerator,
            taught.make_loss,
        )
        if not done:
            accelerator.end_training()
            return None
        made = folder / (MODEL if recipe.matrices == FULL else ADAPTER)
        scored = True
        if accelerator.is_main_process:
            plain = _save(model, base, recipe, made, settings)
            run = Finished(made, plain, recipe, splits, data, start, teacher)
            scored = _score(finish or partial(_finish, task), run, tell, stopped)
        accelerator.wait_for_everyone()
        accelerator.end_training()
    return made if scored else None


def _vectors(
    recipe: Recipe, base: Base, model: Any, app: Settings, accelerator: Accelerator, tell: Report
) -> Vectors | None:
    """What the embedding score of evaluations matches; `app`: the settings that Evaluate has. Of
    several processes the first alone tells figures, and takes it."""
    if not accelerator.is_main_process:
        return None
    return own_vectors(model, base) if holds_base(recipe, app) else load_vectors(app, tell)


class _StoppedError(Exception):
    """The run is asked to stop while it is scored."""


def _score(finish: Finish, run: Finished, tell: Report, stopped: Callable[[], bool]) -> bool:
    """Whether the run was scored to the end; it may be asked to stop at whatever is told."""

    def heard(event: dict[str, Any]) -> None:
        tell(event)
        if event["event"] != "result" and stopped():
            raise _StoppedError

    try:
        finish(run, heard)
    except _StoppedError:
        return False
    return True


def _untaught(recipe: Recipe, splits: Splits, prompt: Any, base: Base) -> Taught:
    """The run's rows, what its steps' softmax sees and its loss, with no teacher beside them."""
    order = make_order(recipe, splits["train"], prompt)
    seen = task_of(recipe).candidates(recipe, prompt, len(base.tokenizer), order.packs_of(0))
    return Taught(order, seen, AnswerLoss)


def _finish(task: Task, run: Finished, tell: Report) -> None:
    """Write the card; of a student also what it holds of its teacher."""
    task.write_card(run, tell)
    if run.teacher:
        tell({"event": "result", **write_verdict(run)})


def _save(model: Any, base: Base, recipe: Recipe, folder: Path, settings: Settings) -> Base:
    """Write what was trained; the base that it is scored on."""
    if recipe.matrices == FULL:
        save_whole(model, base, recipe, folder)
        return base
    save_adapter(model, recipe, folder)
    # Readers' base is whole, and not held in 4 bits.
    anew = recipe.quantised or is_sharded(model)
    return load_base(settings) if anew else replace(base, model=model.unload())


def check_same(recipe: Recipe, folder: Path) -> None:
    """RecipeError where the folder holds a run of another recipe, which would be gone on with."""
    file = folder / "recipe.json"
    if file.exists() and load_recipe(file) != recipe:
        raise RecipeError(f"{folder} holds a run of another recipe: give another --folder")


def find_start(
    recipe: Recipe,
    recipe_folder: Path,
    folder: Path,
    settings: Settings,
    report: Report,
    stopped: Callable[[], bool],
) -> tuple[bool, Path | None]:
    """Whether the run can begin (no: stopped before it), and the adapter it goes on from."""
    if recipe.start.endswith(".json"):
        found = run_start(recipe, recipe_folder, folder / "start", settings, report, stopped)
        return found is not None, found
    return True, start_folder(recipe, recipe_folder, settings)


def start_folder(recipe: Recipe, recipe_folder: Path, settings: Settings) -> Path | None:
    """The adapter that a recipe goes on from; RecipeError where it cannot."""
    if not recipe.start:
        return None
    place: Path | None = recipe_folder / recipe.start
    if recipe.start == PRESENT:
        place = readers_folder(settings, recipe.pair, recipe.task)
    if place is None or not place.is_dir():
        raise RecipeError(f"start = {recipe.start!r}: there is no such adapter")
    card = read_adapter(place).card
    if (card.pair, card.task, card.style) != (recipe.pair, recipe.task, recipe.style):
        raise RecipeError(f"start = {recipe.start!r}: it is of another pair, task or style")
    check_start(recipe, place)
    return place


def run_start(
    recipe: Recipe,
    recipe_folder: Path,
    folder: Path,
    settings: Settings,
    report: Report,
    stopped: Callable[[], bool],
    before: tuple[str, ...] = (),
) -> Path | None:
    """Run the recipe that `recipe` starts from (and first what that one starts from), where that is
    not done; its adapter's folder, or None when stopped. RecipeError where the two do not have the
    same LoRA matrices, or recipes start from each other (`before`: those that wait for this)."""
    name = recipe.start
    first = load_recipe(recipe_folder / name)
    if (first.matrices, first.rank) != (recipe.matrices, recipe.rank) or name in before:
        raise RecipeError(f"start = {name!r}: matrices or rank differ, or it waits for itself")
    adapter, start = folder / ADAPTER, None
    if (adapter / "recipe.json").exists():  # written last
        return adapter
    if first.start:
        waiting = (*before, name)
        start = run_start(
            first, recipe_folder, folder / "start", settings, report, stopped, waiting
        )
        if start is None:
            return None
    splits, data = load_splits(first, recipe_folder, settings)
    return run_recipe(
        first, splits, data, folder, settings, report, stopped, lambda *_: None, start
    )


def make_order(recipe: Recipe, examples: list[Any], prompt: Any) -> Order:
    """The run's batches: of the recipe's share of sentences, each source's rows as often as it
    says, and older ones."""
    task, names = task_of(recipe), older(recipe)
    contexts = sorted({e.query.context for e in examples})
    count = max(1, round(recipe.share * len(contexts)))
    used = set(random.Random(recipe.seed).sample(contexts, count))
    examples = [e for e in examples if e.query.context in used]

    def packs(mine: list[Any]) -> list[Pack]:
        return task.packs(recipe, mine, prompt)

    times = {source.name: source.times for source in recipe.sources}
    own = [
        pack
        for turn in range(max(times.values()))
        for pack in packs([e for e in examples if times[e.source] > turn and e.source not in names])
    ]
    if not own:
        raise RecipeError("the sources hold too few rows: there is nothing to train on")
    before = packs([e for e in examples if e.source in names]) if recipe.replay else []
    random.Random(recipe.seed).shuffle(before)
    return Order(recipe, own, before)
