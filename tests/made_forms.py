"""Runs that made smaller forms as a store holds them, made up. No form is made."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from db.store import Job, Store
from trainer.distil.quality import ERRORS, KEPT
from trainer.distil.quantise import Row
from trainer.distil.quantise_run import Table
from trainer.distil.quantise_table import FILE, write_table
from trainer.jobs.process import job_folder, this_process
from trainer.jobs.quantise import prepare
from trainer.smaller import keep_table

FORMS = {"bf16": (536, 1.0), "int8-rows8": (270, 0.99), "int4-rows4": (168, 0.84)}


def row(name: str, size: float, kept: float) -> Row:
    """A form of this size that keeps so much of every figure."""
    fit = kept >= 0.9
    shares = {one: {"value": kept, "interval": [kept - 0.05, kept]} for one in (*KEPT, *ERRORS)}
    quality = {
        "fit": fit, "kept": kept, "rows": 616, "sentences": 226, "shares": shares,
        "reason": "" if fit else f"phrase_exact keeps {kept:.3f} (from 0.790) of 0.856",
        "figures": {
            one: {"value": 0.8 * kept, "interval": [0.7, 0.9]} for one in (*KEPT, *ERRORS)
        },
    }  # fmt: skip
    click = {"median_ms": size / 2, "p95_ms": size, "cpu_ms": 100 + size}
    return Row(name, f"text of {name}", "", size, size + 500, quality, click, 9 + size / 20)


def table() -> Table:
    machine: dict[str, Any] = {"processor": "a processor", "threads": 2, "torch": "2"}
    rows = [row(name, *told) for name, told in FORMS.items()]
    rows.append(Row("nf4", "four bits", missing="bitsandbytes is not installed"))
    return Table("en-zh-sense", "abc", "en-zh-gold", "ab" * 32, "test", machine, rows)


def add_forms(store: Store, home: Path, state: str = "done", **recipe: Any) -> Job:
    """A run with this recipe in this state: done with its table, or at its third form."""
    told = {"model": "shipped", "ways": [*list(FORMS)[1:], "nf4"], "ratio": 0.6, **recipe}
    prepared, me = prepare(told), this_process()
    number = store.jobs.add("quantise", prepared.slot, prepared.recipe, "Ann")
    folder = job_folder(home, number)
    folder.mkdir(parents=True)
    store.jobs.take(number, me, None)
    at = {"form": "int4-rows4", "rows": 120, "of_rows": 616, "timing": False}
    store.events.tell(number, me, {"event": "form", "form": at["form"], "done": 2, "of": 4})
    write_table(table(), folder / FILE)
    if state == "running":
        store.jobs.report(number, me, 2, 4, at)
    else:
        store.jobs.report(number, me, 4, 4, {})
        store.jobs.end(number, me, state, "", "")
        keep_table(home, asdict(table()))
    return store.jobs.get(number)
