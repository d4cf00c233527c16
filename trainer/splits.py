"""A recipe's examples by split, and which of them are new and which are older.

Which split a sentence is in is a function of the sentence alone; sentences that hold a phrase kept
out of training are a split of their own, `unknown`.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.settings import Settings
from engine.split import split_of
from trainer.examples import TranslationExample, hash_files
from trainer.loading import find_source, load_examples
from trainer.recipe import Recipe, RecipeError
from trainer.unknown import has_unknown

Splits = dict[str, list[Any]]
"""Of Example, or of TranslationExample, as the recipe's task has them."""


def load_splits(
    recipe: Recipe, recipe_folder: Path, settings: Settings
) -> tuple[Splits, list[dict[str, Any]]]:
    """The recipe's examples by split, and what each source gave; a query counts once, a new answer
    before an older one."""
    splits: Splits = {"train": [], "dev": [], "test": [], "unknown": []}
    data: list[dict[str, Any]] = []
    asked: dict[Hashable, Any] = {}
    for source in sorted(recipe.sources, key=lambda source: source.replay):
        files = find_source(source, recipe_folder, settings.data)
        loaded = load_examples(source, files, recipe.pair)
        fresh = [e for e in loaded.examples if asked.setdefault(e.key, e) is e]
        data.append({
            "name": source.name, "origin": source.origin, "licence": source.licence,
            "sha256": hash_files(files), "rows": len(fresh), "refused": loaded.refused,
        })  # fmt: skip
    new = {source.name for source in recipe.sources if not source.replay}
    for example in asked.values():
        if isinstance(example, TranslationExample):
            splits[split_of(example.english)].append(example)
            continue
        split = _split(example.query.context, recipe.pair)
        # What is kept out of training is older data's: a person's own rows are all to be learnt.
        if split == "unknown" and example.source in new and len(new) < len(recipe.sources):
            split = "train"
        splits[split].append(example)
    if not splits["train"] or not splits["dev"]:
        raise RecipeError("the sources hold too few rows: train and dev must each have some")
    return splits, data


@lru_cache(maxsize=100_000)
def _split(context: str, pair: str) -> str:
    split = split_of(context, pair)
    known = pair == "en-zh" and split == "train"  # the phrases kept out are English with Chinese
    return "unknown" if known and has_unknown(context) else split


def older(recipe: Recipe) -> set[str]:
    """The names of the sources whose rows are older examples."""
    return {source.name for source in recipe.sources if source.replay}


def yardstick(recipe: Recipe, rows: list[Any]) -> str:
    """The source that scores on these rows are first read on: the first one that has some."""
    there = {row.source for row in rows}
    return next((s.name for s in recipe.sources if s.name in there), recipe.sources[0].name)


def of_source(examples: list[Any], source: str) -> list[Any]:
    """The examples of one source."""
    return [e for e in examples if e.source == source]
