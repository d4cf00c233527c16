"""Frozen datasets as files, so that a run reads what was frozen and nothing that came later.

A file is named by its dataset's hash: written once, whole, and shared by all runs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from db.dataset.exporting import (
    export_dataset,
    export_marked,
    export_sentences,
    export_teacher,
)
from db.store import Refused, Store
from engine.files import write_whole
from engine.settings import assets
from trainer.examples import hash_files
from trainer.jobs.kinds import JobError
from trainer.recipe import FROZEN_PAIRS, TRANSLATION, Recipe
from trainer.scratch.corpus.recipe import SET, CorpusRecipe

FOLDER = "datasets"


def place(recipe: Recipe, store: Store, home: Path) -> tuple[Recipe, tuple[Path, ...]]:
    """The recipe with a file for each frozen dataset that it names, and files of what teachers
    answered to the same queries. Refused where there is no such dataset."""
    if recipe.task == TRANSLATION:
        return _place_sentences(recipe, store, home), ()
    sources, answers = [], []
    for source in recipe.sources:
        if source.format != "dataset" or _is_shipped(source.path, store):
            sources.append(source)
            continue
        dataset = store.datasets.get(source.path)
        folder = _folder(home)
        marked = bool(recipe.distil.teacher)  # which rows are people's is only asked there
        rows = folder / f"{dataset.sha256}{'.marked' if marked else ''}.jsonl"
        taught = folder / f"{dataset.sha256}.teacher.jsonl"
        if not rows.exists() and marked:
            export_marked(store, rows, dataset.name)
        elif not rows.exists():
            export_dataset(store, rows, "flat", dataset.name)
        if recipe.reference == "teacher":
            export_teacher(store, taught, dataset.name)
            answers.append(taught)
        origin = source.origin or f"frozen dataset {dataset.name}, {dataset.created}"
        sources.append(
            replace(source, format="flat", path=str(rows), origin=origin, sha256=hash_files([rows]))
        )
    return replace(recipe, sources=tuple(sources)), tuple(answers)


def _place_sentences(recipe: Recipe, store: Store, home: Path) -> Recipe:
    """The same for a recipe of task translation."""
    sources = []
    for source in recipe.sources:
        if source.format != "dataset":
            sources.append(source)
            continue
        found = store.sentence_sets.get(source.path)
        file = _folder(home) / f"{found.sha256}.translations.jsonl"
        if not file.exists():
            export_sentences(store, file, found.name)
        origin = source.origin or f"frozen dataset {found.name}, {found.created}"
        sha256 = hash_files([file])
        placed = replace(source, format=FROZEN_PAIRS, path=str(file), origin=origin, sha256=sha256)
        sources.append(placed)
    return replace(recipe, sources=tuple(sources))


def place_corpus(recipe: CorpusRecipe, store: Store, home: Path) -> CorpusRecipe:
    """The recipe of a corpus with a table for each frozen set of sentences that it names. Refused
    where there is no such set, JobError where it is of other languages."""
    sources, told = [], [recipe.origin] if recipe.origin else []
    for source in recipe.sources:
        if not source.startswith(SET):
            sources.append(source)
            continue
        found = store.sentence_sets.get(source.removeprefix(SET))
        if found.pair != recipe.languages:
            raise JobError("other_pair", f"{source} is of {found.pair}, not of {recipe.languages}")
        file = _folder(home) / f"{found.sha256}.tsv"
        if not file.exists():
            rows = store.sentence_sets.rows(found.name)
            lines = ("\t".join(" ".join(text.split()) for text in row) + "\n" for row in rows)
            write_whole(file, "".join(lines))
        sources.append(str(file))
        told.append(f"frozen dataset {found.name}, {found.created}")
        if found.synthetic:
            told[-1] += (
                f", {found.synthetic} of {found.rows} translations synthetic ({found.teacher})"
            )
    return replace(recipe, sources=tuple(sources), origin="; ".join(told))


def _folder(home: Path) -> Path:
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _is_shipped(name: str, store: Store) -> bool:
    """Whether the rows come with the project and are in no database of this home."""
    try:
        store.datasets.get(name)
    except Refused:
        return (assets() / FOLDER / name).is_dir()
    return False
