"""A frozen dataset of sentences as a recipe's parallel text: each split as two files of lines.

What a teacher's translations are frozen into (`python -m db snapshot NAME --task translation
--teacher WHO`) is what its student learns: sequence-level distillation is fine-tuning on it. The
files are named by the dataset's hash, written once and shared by all runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from db.store import SentenceSet, Store
from engine.files import sync_folder
from engine.sense import clean_context
from engine.split import SPLITS, split_of_translation
from trainer.jobs.frozen import FOLDER
from trainer.scratch.errors import ScratchError
from trainer.scratch.recipe import ScratchRecipe

Rows = Sequence[tuple[str, str]]


def place_frozen(recipe: ScratchRecipe, store: Store, home: Path) -> ScratchRecipe:
    """The recipe with files in place of the frozen dataset that it names, if it names one. Refused
    where there is none of this name; ScratchError where it is of another pair or has nothing to
    learn from."""
    if not recipe.dataset:
        return recipe
    found = store.sentence_sets.get(recipe.dataset)
    if found.pair != recipe.pair:
        told = f"dataset: {found.name} is of {found.pair}, not of {recipe.pair}"
        raise ScratchError("other_pair", told)
    splits = _split(store.sentence_sets.rows(found.name), found.pair)
    if not splits["train"]:
        told = f"dataset: {found.name} has no sentences to learn from"
        raise ScratchError("empty_corpus", told)
    folder = home / FOLDER / f"{found.sha256}.lines"
    if not folder.is_dir():
        _write(folder, splits, recipe.languages)

    def files(name: str) -> tuple[str, ...]:
        both = (str(folder / f"{name}.{language}") for language in recipe.languages)
        return tuple(both) if splits[name] else ()

    origin = recipe.origin or origin_of(found)
    placed = replace(recipe, dataset="", origin=origin)
    return replace(placed, train=files("train"), dev=files("dev"), test=files("test"))


def origin_of(found: SentenceSet) -> str:
    """Where its rows are from, for a card."""
    told = f"frozen dataset {found.name}, {found.created[:10]}"
    if found.synthetic:
        told += f", {found.synthetic} of {found.rows} translations synthetic ({found.teacher})"
    return told


def _split(rows: Rows, pair: str) -> dict[str, Rows]:
    """The rows by split, both sides on one line."""
    splits: dict[str, list[tuple[str, str]]] = {name: [] for name in SPLITS}
    for context, text in rows:
        line = clean_context(text)
        if line:
            splits[split_of_translation(context, text, pair)].append((context, line))
    return dict(splits)


def _write(folder: Path, splits: Mapping[str, Rows], languages: tuple[str, str]) -> None:
    """Both sides of each split, whole or not at all."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder.with_name(f"{folder.name}.new{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name, rows in splits.items():
        for side, language in enumerate(languages):
            text = "".join(f"{row[side]}\n" for row in rows)
            (fresh / f"{name}.{language}").write_text(text, encoding="utf-8")
    fresh.rename(folder)
    sync_folder(folder.parent)
