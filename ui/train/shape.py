"""Training runs in the form their pages get them: plain JSON, to be set as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db.dataset.visible import visible
from db.store import Dataset, Job, SentenceSet, Store
from ui.pairs import USUAL
from ui.train.forms import told_fields
from ui.train.kinds import (
    CORPUS,
    QUANTISE,
    TRAIN,
    corpus_report,
    kind_of,
    learns_from,
    pair_of,
    read_object,
    recipe_of,
    result_folder,
    short_name,
)
from ui.train.recipes import ELSEWHERE, dataset_of

Json = dict[str, Any]
Frozen = dict[str, Dataset | SentenceSet]
CHECKPOINTS = ("checkpoint", "best")
_MOST_TEXT = 2000  # characters of why a run failed


def to_choice(dataset: Dataset | SentenceSet) -> Json:
    """A frozen dataset to choose from."""
    return {
        "name": dataset.name,
        "pair": dataset.pair,
        "rows": dataset.rows,
        "splits": dict(dataset.splits),
        "when": dataset.created,
        "about": visible(dataset.description),
    }


def to_run(job: Job) -> Json:
    """A run's row: what it is and how far."""
    return {
        "id": job.id,
        "kind": kind_of(job),
        **_of_kind(job),
        "state": job.state,
        "place": job.place,
        "asked": job.asked,
        "done": job.done,
        "total": job.total,
        "left": job.figures.get("left_seconds"),
        "error": job.error,
        "detail": visible(job.detail)[:_MOST_TEXT],
        "who": visible(job.who),
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "note": job.note,
    }


def _of_kind(job: Job) -> Json:
    if job.kind == TRAIN:
        return _of_adapter(job)
    return _of_forms(job) if job.kind == QUANTISE else _of_nothing(job)


def _of_forms(job: Job) -> Json:
    recipe, figures = job.recipe, job.figures
    return {
        "name": visible(str(recipe.get("model", ""))),
        "dataset": visible(str(recipe.get("dataset", ""))),
        "pair": "",
        "task": "sense",
        "keep": "",
        "at": {name: figures.get(name) for name in ("form", "rows", "of_rows", "timing")},
    }


def _of_adapter(job: Job) -> Json:
    recipe = job.recipe
    return {
        "name": visible(str(recipe.get("name", ""))),
        "dataset": visible(str(dataset_of(recipe))),
        "pair": visible(str(recipe.get("pair", USUAL))),
        "task": visible(str(recipe.get("task", "sense"))),
        "teacher": visible(str((recipe.get("distil") or {}).get("teacher", ""))),
        "keep": recipe.get("keep", "best"),
    }


def _of_nothing(job: Job) -> Json:
    recipe, kind = recipe_of(job), kind_of(job)
    phase = recipe.get(kind)
    return {
        "name": visible(str(recipe.get("name", ""))),
        "dataset": visible(learns_from(job)),
        "pair": visible(pair_of(job)),
        "task": "translation",
        "keep": phase.get("keep", "best") if isinstance(phase, Mapping) else "",
    }


def to_own_recipe(job: Job, start: str) -> Json:
    """The recipe of a run from nothing, as `to_recipe` has that of an adapter."""
    told = told_fields(kind_of(job), recipe_of(job))
    rows = [{"name": name, "value": _plain(v), "changed": changed} for name, v, changed in told]
    return {"start": start, "fields": rows, "dataset": learns_from(job)}


def to_own_data(job: Job, folder: Path) -> list[Json]:
    """What a run from nothing took its text from: a corpus its sources and what came of them, the
    others the files of their card, or else of their recipe."""
    recipe = recipe_of(job)
    if job.kind == CORPUS:
        files = [_file(one["file"], one) for one in corpus_report(folder).get("files", ())]
        return [_file(short_name(one), {}) for one in recipe.get("sources", ())] + files
    carded = read_own_card(job, folder).get("data", ())
    if carded:
        return [_file(one.get("file", ""), one | {"rows": one.get("lines")}) for one in carded]
    files = recipe.get("train") or [recipe.get("dataset", "")]
    return [_file(short_name(str(one)), {}) for one in files]


def read_own_card(job: Job, folder: Path) -> Json:
    """The card of a model from nothing; {} while there is none."""
    return read_object(result_folder(job, folder) / "model" / "card.json")


def _file(name: str, told: Mapping[str, Any]) -> Json:
    hashed = str(told.get("sha256", ""))
    return {"name": visible(name), "rows": told.get("rows"), "hash": hashed, "older": False}


def to_recipe(recipe: Mapping[str, Any], start: str) -> Json:
    """A run's recipe: its fields in order, which of them are not as usual, and what it goes on
    from."""
    from trainer.recipe import named_fields, unfolded

    usual = {name: one.default for name, one in named_fields()}
    rows = [
        {"name": name, "value": _plain(value), "changed": value != usual.get(name)}
        for name, value in unfolded(recipe).items()
        if name not in ELSEWHERE
    ]
    return {"start": start, "fields": rows, "dataset": dataset_of(recipe)}


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else visible(str(value))[:_MOST_TEXT]


def to_data(recipe: Mapping[str, Any], card: Mapping[str, Any], store: Store) -> list[Json]:
    """The sources of a run: name, rows and hash, from its card or else of the frozen dataset."""
    sets = (*store.datasets.list_datasets(), *store.sentence_sets.list_sets())
    frozen: Frozen = {one.name: one for one in sets}
    told = {one.get("name"): one for one in card.get("data", ()) if isinstance(one, Mapping)}
    return [_source(one, told.get(one.get("name"), {}), frozen) for one in recipe["sources"]]


def _source(source: Mapping[str, Any], told: Mapping[str, Any], frozen: Frozen) -> Json:
    dataset = frozen.get(source.get("path", "")) if source.get("format") == "dataset" else None
    frozen_hash = dataset.sha256 if dataset else ""
    return {
        "name": visible(str(source.get("name", ""))),
        "rows": told.get("rows", dataset.rows if dataset else None),
        "hash": str(source.get("sha256") or told.get("sha256") or frozen_hash),
        "older": bool(source.get("replay")),
        "refused": sum((told.get("refused") or {}).values()),
    }


def to_checkpoints(folder: Path) -> list[Json]:
    """The checkpoints there are: at which step, when, how large. Nothing of them is verified."""
    found = []
    for name in CHECKPOINTS:
        place = folder / name
        try:
            progress = json.loads((place / "progress.json").read_text(encoding="utf-8"))
            when = datetime.fromtimestamp((place / "progress.json").stat().st_mtime, UTC)
            size = sum(file.stat().st_size for file in place.iterdir() if file.is_file())
        except (OSError, ValueError):
            if place.is_dir():
                found.append({"name": name, "step": None, "when": "", "bytes": 0})
            continue
        step = progress.get("step") if isinstance(progress, dict) else None
        found.append({"name": name, "step": step, "when": when.isoformat(), "bytes": size})
    return found
