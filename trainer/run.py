"""Run a recipe to its end: data, training, calibration, scores, and the adapter with its card.

Everything a run makes lies in its folder: log, checkpoints, and at last `adapter/` (`model/` where
every parameter was trained). Run it again after a stop or a kill and it goes on from the last
checkpoint.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from engine.adapters import read_adapter
from engine.books import shipped_books
from engine.models import Base, load_base
from engine.phrasebook import shipped_phrasebook
from engine.prompt import SensePrompt
from engine.settings import Settings
from engine.wordbook import Wordbook, shipped_wordbook
from trainer.card import Finished, write_card
from trainer.examples import Example
from trainer.hints import book_hint, training_hint
from trainer.losses import Candidates, Whole
from trainer.model import load_start, make_trainable, save_adapter, save_whole
from trainer.order import Order
from trainer.parallel import agree, make_accelerator
from trainer.recipe import FULL, PRESENT, WIRE, Recipe, RecipeError, load_recipe, save_recipe
from trainer.rows import Pack, Weights, Worths, make_packs
from trainer.splits import Splits, load_splits, older
from trainer.training import fit
from trainer.watch import Watch, choose_rows
from trainer.wire import prompt_for
from trainer.wordbook import worths_for, worths_without

ADAPTER, MODEL, LOG = "adapter", "model", "log.jsonl"
_SOFTMAX_SAMPLE = 2048  # random tokens beside the task's own in a step's softmax

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
    finish: Finish = write_card,
    start: Path | None = None,
) -> Path | None:
    """Train on what `load_splits` gave, from the adapter in `start` on, then `finish` (calibrate,
    score); the adapter's folder, or the model's; None when stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    accelerator = make_accelerator(recipe, folder, settings)
    if accelerator.is_main_process:
        save_recipe(recipe, folder / "recipe.json")
    settings = agree(settings, accelerator)
    base = load_base(settings, quantised=recipe.quantised)
    prompt = prompt_for(base.tokenizer, recipe.style)
    model: Any = make_trainable(base.model, recipe)
    if start:
        load_start(model, recipe, start)
    with (folder / LOG).open("a", encoding="utf-8") as log:

        def tell(event: dict[str, Any]) -> None:
            if accelerator.is_main_process:
                print(json.dumps(event), file=log, flush=True)
                if "step" in event:
                    numbers = {k: v for k, v in event.items() if type(v) in (int, float)}
                    accelerator.log(numbers, step=event["step"])
                report(event)

        order = make_order(recipe, splits["train"], prompt)
        done = fit(
            model,
            recipe,
            order,
            _watch(recipe, splits["dev"], prompt, start, base.choice.dtype),
            _candidates(recipe, prompt, len(base.tokenizer)),
            folder,
            tell,
            stopped,
            base.choice.dtype,
            accelerator,
        )
        if not done:
            accelerator.end_training()
            return None
        made = folder / (MODEL if recipe.matrices == FULL else ADAPTER)
        if accelerator.is_main_process:
            plain = _save(model, base, recipe, made, settings)
            finish(Finished(made, plain, recipe, splits, data, start), tell)
        accelerator.wait_for_everyone()
        accelerator.end_training()
    return made


def _save(model: Any, base: Base, recipe: Recipe, folder: Path, settings: Settings) -> Base:
    """Write what was trained; the base that it is scored on."""
    if recipe.matrices == FULL:
        save_whole(model, base, recipe, folder)
        return base
    save_adapter(model, recipe, folder)
    # Readers' base is not held in 4 bits.
    return load_base(settings) if recipe.quantised else replace(base, model=model.unload())


def _candidates(recipe: Recipe, prompt: SensePrompt, vocabulary: int) -> Candidates:
    """What a step's softmax sees; JSON is written in more than the task's tokens."""
    if recipe.style == WIRE:
        return Whole()
    return Candidates(prompt.meaning_tokens, vocabulary, _SOFTMAX_SAMPLE, recipe.seed)


def _watch(
    recipe: Recipe, dev: list[Example], prompt: SensePrompt, start: Path | None, compute: Any
) -> Watch:
    """What evaluations look at: dev rows, half of those that are answered from older data."""
    names, card = older(recipe), read_adapter(start).card if start else None
    mine = [e for e in dev if e.source not in names]
    half = choose_rows(mine, recipe.guard_rows // (2 if names else 1), recipe.seed)
    rest = [e for e in dev if e.source in names]
    return Watch(
        make_packs(
            _sample(dev, recipe),
            prompt,
            _open(recipe, worths_for),
            partial(book_hint, book=shipped_phrasebook()),
        ),
        (*half, *choose_rows(rest, recipe.guard_rows - len(half), recipe.seed)),
        prompt,
        shipped_books(),
        card.phrase_threshold if card else 0.5,
        card.phrase_favour if card else 0.0,
        compute,
    )


def find_start(
    recipe: Recipe,
    recipe_folder: Path,
    folder: Path,
    settings: Settings,
    report: Report,
    stopped: Callable[[], bool],
) -> tuple[bool, Path | None]:
    """Whether the run can begin (no: stopped before it), and the adapter it goes on from."""
    if not recipe.start:
        return True, None
    if recipe.matrices == FULL:
        raise RecipeError("start: a run of all parameters begins with the base; leave it empty")
    if recipe.start.endswith(".json"):
        found = run_start(recipe, recipe_folder, folder / "start", settings, report, stopped)
        return found is not None, found
    place = settings.adapter_folder if recipe.start == PRESENT else recipe_folder / recipe.start
    if place is None or not place.is_dir():
        raise RecipeError(f"start = {recipe.start!r}: there is no such adapter")
    card = read_adapter(place).card
    if (card.pair, card.task, card.style) != (recipe.pair, recipe.task, recipe.style):
        raise RecipeError(f"start = {recipe.start!r}: it is of another pair, task or style")
    return True, place


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


def make_order(recipe: Recipe, examples: list[Example], prompt: SensePrompt) -> Order:
    """The run's batches: of the recipe's share of sentences, each source's rows as often as it
    says, and older ones."""
    worths, names = _open(recipe, worths_without), older(recipe)
    hint = partial(training_hint, book=shipped_phrasebook())
    weigh = Weights(recipe.weights, recipe.structure_weight)
    contexts = sorted({e.query.context for e in examples})
    count = max(1, round(recipe.share * len(contexts)))
    used = set(random.Random(recipe.seed).sample(contexts, count))
    examples = [e for e in examples if e.query.context in used]

    def packs(mine: list[Example]) -> list[Pack]:
        return make_packs(mine, prompt, worths, hint, weigh)

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


def _open(recipe: Recipe, worths: Callable[[Wordbook, Example], dict[str, float]]) -> Worths | None:
    """What the wordbook says, where the recipe opens it."""
    return partial(worths, shipped_wordbook()) if recipe.books else None


def _sample(examples: list[Example], recipe: Recipe) -> list[Example]:
    """The dev rows whose loss evaluations take."""
    count = min(len(examples), recipe.dev_rows)
    return random.Random(recipe.seed).sample(examples, count)
