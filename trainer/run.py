"""Run a recipe to its end: data, training, calibration, scores, and the adapter with its card.

Everything a run makes lies in its folder: log, checkpoints, and at last `adapter/`. Run it again
after a stop or a kill and it goes on from the last checkpoint.
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from engine.adapters import CARD, WEIGHTS, merged_copy, read_adapter
from engine.decoding import SenseDecoder
from engine.models import Base, load_base
from engine.phrasebook import shipped_phrasebook
from engine.prompt import PROMPT_VERSION, SensePrompt
from engine.settings import Settings
from trainer.evaluate import (
    calibrate_phrases,
    calibration_report,
    evaluate,
    fit_calibration,
    second_best_right,
)
from trainer.examples import Example, hash_files, split_of
from trainer.loading import find_source, load_examples
from trainer.recipe import Recipe, RecipeError, save_recipe
from trainer.rows import make_packs
from trainer.training import LOG, Candidates, add_lora, fit

ADAPTER = "adapter"
_SOFTMAX_SAMPLE = 2048  # random tokens beside the task's own in a step's softmax

Report = Callable[[dict[str, Any]], None]


def run_recipe(
    recipe: Recipe,
    recipe_folder: Path,
    folder: Path,
    settings: Settings,
    report: Report = print,
    stopped: Callable[[], bool] = lambda: False,
) -> Path | None:
    """Train, calibrate, score; the adapter's folder, or None when stopped before the end."""
    splits, data = load_splits(recipe, recipe_folder, settings)
    folder.mkdir(parents=True, exist_ok=True)
    save_recipe(recipe, folder / "recipe.json")
    base = load_base(settings)
    prompt = SensePrompt(base.tokenizer, recipe.style)
    model = add_lora(base.model, recipe)
    with (folder / LOG).open("a", encoding="utf-8") as log:

        def tell(event: dict[str, Any]) -> None:
            print(json.dumps(event), file=log, flush=True)
            report(event)

        done = fit(
            model,
            recipe,
            make_packs(splits["train"], prompt),
            make_packs(_sample(splits["dev"], recipe), prompt),
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
        write_card(adapter, plain, recipe, splits, data, tell)
    return adapter


def load_splits(
    recipe: Recipe, recipe_folder: Path, settings: Settings
) -> tuple[dict[str, list[Example]], list[dict[str, Any]]]:
    """The recipe's examples by split, and what each source gave; a query counts once."""
    splits: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
    seen, data = set(), []
    for source in recipe.sources:
        files = find_source(source, recipe_folder, settings.data)
        loaded = load_examples(source, files, recipe.pair)
        fresh = [e for e in loaded.examples if e.query not in seen]
        seen |= {e.query for e in fresh}
        for example in fresh:
            splits[split_of(example.query.context)].append(example)
        data.append({
            "name": source.name, "origin": source.origin, "licence": source.licence,
            "sha256": hash_files(files), "rows": len(fresh), "refused": loaded.refused,
        })  # fmt: skip
    if not splits["train"] or not splits["dev"]:
        raise RecipeError("the sources hold too few rows: train and dev must each have some")
    return splits, data


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


def write_card(
    folder: Path, base: Base, recipe: Recipe, splits, data: list[dict[str, Any]], tell: Report
) -> None:
    """Calibrate on dev, score on dev and test by source, and write all that as the card."""
    prompt = SensePrompt(base.tokenizer, recipe.style)
    model = merged_copy(base, read_adapter(folder))
    first = recipe.sources[0].name  # the yardstick: the source that knows all fields
    yardstick = [e for e in splits["dev"] if e.source == first]
    book = shipped_phrasebook()
    half = SenseDecoder(model, prompt, book.half())
    threshold, favour = calibrate_phrases(half, yardstick)
    decoder = SenseDecoder(model, prompt, book, threshold, favour)
    tell({"phrase_threshold": threshold, "phrase_favour": favour})
    scores: dict[str, Any] = {}
    evaluations = {}
    for split in ("dev", "test"):
        for source in recipe.sources:
            mine = [e for e in splits[split] if e.source == source.name]
            if mine:
                evaluations[split, source.name] = evaluation = evaluate(decoder, mine)
                scores[f"{split} {source.name}"] = evaluation.figures()
                tell({"scores": f"{split} {source.name}", **evaluation.figures()})
    calibration = fit_calibration(evaluations["dev", first])
    held_out = evaluations.get(("test", first), evaluations["dev", first])
    card = {
        "name": recipe.name,
        "pair": recipe.pair,
        "task": recipe.task,
        "style": recipe.style,
        "prompt_version": PROMPT_VERSION,
        "base": f"{base.name}@{base.revision}",
        "phrase_threshold": threshold,
        "phrase_favour": favour,
        "phrasebook": book.version,
        "calibration": [round(calibration.slope, 4), round(calibration.shift, 4)],
        "calibration_on_test": calibration_report(held_out, calibration),
        "second_best_right": round(second_best_right(held_out), 4),
        "scores": scores,
        "data": data,
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    fresh = folder / f"{CARD}.new"
    fresh.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(fresh, folder / CARD)
