"""Whole runs on a tiny model in seconds: rows it can learn, and a teacher that has learnt them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from engine.models import load_base
from engine.settings import read_settings
from tests.tiny_bpe import bpe_base
from trainer import run
from trainer.distil.recipe import Distil
from trainer.finish import finish
from trainer.recipe import Recipe, Source
from trainer.run import run_recipe
from trainer.splits import load_splits

NAMES = ("Tom", "Ann", "him", "her", "them", "us", "me", "you", "it", "Bob", "Sue", "Kim")
USUAL = Recipe(
    name="small", sources=(Source("rows", "rows.jsonl"),), rank=2, alpha=4, rate=5e-3, steps=4,
    batch=16, evaluate_every=2, guard_rows=4, dev_rows=8, scored_rows=20,
    distil=Distil(teacher="teacher", top=8),
)  # fmt: skip


def rows():
    for a in NAMES:
        for b in NAMES:
            context = f"{a} saw {b} in bed"
            yield {"context": context, "target": "bed", "idx": 1, "class": "noun", "zh": "床",
                   "phrase": ""}  # fmt: skip
            yield {"context": context, "target": "saw", "idx": 1, "class": "verb", "zh": "人",
                   "phrase": ""}  # fmt: skip


def load(settings, progress=None, quantised=False):
    return bpe_base() if settings.base == "embedded" else load_base(settings)


def no_end(finished, reference, tell):
    """A run's end without a card: it takes as long as all the rest."""


def begin(folder: Path) -> Path:
    """The folder with rows, and a teacher: an adapter of the tiny base that learnt them."""
    write_rows(folder / "rows.jsonl", rows())
    first = dataclasses.replace(USUAL, rank=4, alpha=8, rate=2e-2, steps=30, distil=Distil())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load_base", load)
        go(folder, first, "first", end=finish).rename(folder / "teacher")
    return folder


def write_rows(file: Path, some) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in some]
    file.write_text("".join(lines), encoding="utf-8")


def go(home, recipe, name="run", stopped=lambda: False, events=None, end=no_end):
    settings = read_settings({"CTX_HOME": str(home), "CTX_DTYPE": "float32"})
    splits, data = load_splits(recipe, home, settings)

    def done(finished, tell):
        end(finished, None, tell)

    told = [] if events is None else events
    return run_recipe(
        recipe, splits, data, home / name, settings, told.append, stopped, done, home=home
    )
