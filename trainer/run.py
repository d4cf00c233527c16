"""Run a recipe to its end: data, training, calibration, scores, and the adapter with its card.

Everything a run makes lies in its folder: log, checkpoints, and at last `adapter/`. Run it again
after a stop or a kill and it goes on from the last checkpoint.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from engine.adapters import WEIGHTS
from engine.models import Base, load_base
from engine.phrasebook import shipped_phrasebook
from engine.prompt import SensePrompt
from engine.settings import Settings
from engine.split import split_of
from engine.wordbook import Wordbook, shipped_wordbook
from trainer.card import Splits, write_card
from trainer.examples import Example, hash_files
from trainer.hints import book_hint, training_hint
from trainer.loading import find_source, load_examples
from trainer.recipe import Recipe, RecipeError, load_recipe, save_recipe
from trainer.rows import Pack, Worths, make_packs
from trainer.training import LOG, Candidates, add_lora, fit, load_lora
from trainer.unknown import has_unknown
from trainer.wordbook import worths_for, worths_without

ADAPTER = "adapter"
_SOFTMAX_SAMPLE = 2048  # random tokens beside the task's own in a step's softmax

Report = Callable[[dict[str, Any]], None]
Finish = Callable[[Path, Base, Recipe, Splits, list[dict[str, Any]], Report], None]


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
    score); the adapter's folder, or None when stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    save_recipe(recipe, folder / "recipe.json")
    base = load_base(settings)
    prompt = SensePrompt(base.tokenizer, recipe.style)
    model = add_lora(base.model, recipe)
    if start:
        load_lora(model, load_file(start / WEIGHTS))
    with (folder / LOG).open("a", encoding="utf-8") as log:

        def tell(event: dict[str, Any]) -> None:
            print(json.dumps(event), file=log, flush=True)
            report(event)

        done = fit(
            model,
            recipe,
            _train_packs(recipe, splits["train"], prompt),
            make_packs(
                _sample(splits["dev"], recipe),
                prompt,
                _open(recipe, worths_for),
                partial(book_hint, book=shipped_phrasebook()),
            ),
            Candidates(prompt.meaning_tokens, len(base.tokenizer), _SOFTMAX_SAMPLE, recipe.seed),
            folder,
            tell,
            stopped,
        )
        if not done:
            return None
        adapter = folder / ADAPTER
        save_adapter(model, recipe, adapter)
        plain = replace(base, model=model.unload())
        finish(adapter, plain, recipe, splits, data, tell)
    return adapter


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


def _train_packs(recipe: Recipe, examples: list[Example], prompt: SensePrompt) -> list[Pack]:
    """The packs of an epoch: of the recipe's share of sentences, each source's rows as often as
    it says."""
    times = {source.name: source.times for source in recipe.sources}
    rounds = range(max(times.values()))
    worths = _open(recipe, worths_without)
    hint = partial(training_hint, book=shipped_phrasebook())
    contexts = sorted({e.query.context for e in examples})
    count = max(1, round(recipe.share * len(contexts)))
    used = set(random.Random(recipe.seed).sample(contexts, count))
    examples = [e for e in examples if e.query.context in used]
    return [
        pack
        for turn in rounds
        for pack in make_packs(
            [e for e in examples if times[e.source] > turn], prompt, worths, hint
        )
    ]


def _open(recipe: Recipe, worths: Callable[[Wordbook, Example], dict[str, float]]) -> Worths | None:
    """What the wordbook says, where the recipe opens it."""
    return partial(worths, shipped_wordbook()) if recipe.books else None


def load_splits(
    recipe: Recipe, recipe_folder: Path, settings: Settings
) -> tuple[dict[str, list[Example]], list[dict[str, Any]]]:
    """The recipe's examples by split, and what each source gave; a query counts once."""
    splits: dict[str, list[Example]] = {"train": [], "dev": [], "test": [], "unknown": []}
    seen, data = set(), []
    for source in recipe.sources:
        files = find_source(source, recipe_folder, settings.data)
        loaded = load_examples(source, files, recipe.pair)
        fresh = [e for e in loaded.examples if e.query not in seen]
        seen |= {e.query for e in fresh}
        for example in fresh:
            splits[_split(example.query.context)].append(example)
        data.append({
            "name": source.name, "origin": source.origin, "licence": source.licence,
            "sha256": hash_files(files), "rows": len(fresh), "refused": loaded.refused,
        })  # fmt: skip
    if not splits["train"] or not splits["dev"]:
        raise RecipeError("the sources hold too few rows: train and dev must each have some")
    return splits, data


@lru_cache(maxsize=100_000)
def _split(context: str) -> str:
    split = split_of(context)
    return "unknown" if split == "train" and has_unknown(context) else split


def _sample(examples: list[Example], recipe: Recipe) -> list[Example]:
    """The dev rows that evaluations during the run score."""
    count = min(len(examples), recipe.dev_rows)
    return random.Random(recipe.seed).sample(examples, count)


def save_adapter(model: PeftModel, recipe: Recipe, folder: Path) -> None:
    """Write the LoRA weights in bfloat16 as safetensors, with their config and the recipe."""
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(str(folder))
    weights = load_file(folder / WEIGHTS)
    save_file(
        {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in weights.items()},
        folder / WEIGHTS,
        metadata={"format": "pt"},
    )
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = None  # a path of this machine
    config["target_modules"] = sorted(config["target_modules"])
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    save_recipe(recipe, folder / "recipe.json")
