"""Runs of quantisation: a list of forms, in steps from more bits to fewer, or until a size is
reached; each ends in one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from db.store import Store
from engine.bench.run import machine_of
from engine.forms import AWARE, MIXED, Form, parse_form
from engine.settings import Settings
from trainer.catalogue import ModelError, find_model
from trainer.distil.quantise import ORIGINAL, Quantiser, Row, Subject, Tell
from trainer.evaluation.rows import Rows, find_rows
from trainer.unknown import has_unknown

DEFAULT = (
    "fp16", "int8-dynamic", "int8-static", "int8-weight", "int8", "int8-rows8", "int4-weight",
    "int8-rows8-smooth", "int4-weight-rows8", "int4-rows8", "int4-rows8-smooth", "int4-rows4",
    "int4-rows4-smooth", "int4-rows4-mixed", "int4-rows4-aware", "nf4", "nf4-rows8",
)  # fmt: skip
STEPS = ("bf16", "int8-rows8", "int4-rows8", "int4-rows4")  # 16 → 8 → 4 bits
DATASET = "en-zh-gold"


@dataclass(frozen=True)
class Wanted:
    """What a run is to do. `ratio`: of the original's bytes on disk, 0 for none; `rows`: test rows
    that judge, 0 for all; `against`: the model, over the embedded base, that the forms must answer
    as well as; "": the model itself."""

    model: str
    ways: Sequence[str] = DEFAULT
    progressive: bool = False
    ratio: float = 0.0
    dataset: str = DATASET
    rows: int = 0
    rounds: int = 3
    sentences: int = 30
    against: str = ""


@dataclass(frozen=True)
class Table:
    """What a run came to."""

    model: str
    version: str
    dataset: str
    sha256: str
    split: str
    machine: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    pair: str = "en-zh"
    against: str = ""


def quantise(wanted: Wanted, store: Store, settings: Settings, tell: Tell) -> Table:
    """Make and judge the forms that are wanted; JobError, ModelError, FormError or AdapterError
    where it cannot begin."""
    for name in wanted.ways:
        parse_form(name)
    model = find_model(wanted.model, store, settings)
    if model.task != "sense":
        raise ModelError("not_senses", f"{wanted.model} answers no words: it has no forms")

    def rows_of(split: str, count: int = 0) -> Rows:
        return find_rows(wanted.dataset, split, count, 1, model.pair, store, settings)

    test = rows_of("test", wanted.rows)
    train, dev = (rows_of(split).examples for split in ("train", "dev"))
    subject = Subject(
        model.folder,
        test.examples,
        [e for e in train if not has_unknown(e.query.context)],
        dev,
    )
    standard = _standard(wanted, subject, store, settings, tell)
    quantiser = Quantiser(subject, settings, tell, standard)
    rows, said = [(standard or quantiser).judge(Form(ORIGINAL))], list[str]()
    if standard:
        rows.append(quantiser.judge(Form(ORIGINAL)))
    if wanted.progressive:
        said.append(_step_by_step(quantiser, rows))
    else:
        rows += [_judge(quantiser, name) for name in wanted.ways if name != ORIGINAL]
    if wanted.ratio:
        said.append(smallest(rows, wanted.ratio))
    for line in said:
        tell(line)
    if wanted.rounds:
        tell("taking turns at cold clicks and tokens")
        rows = quantiser.speeds(rows, wanted.rounds, wanted.sentences)
    return Table(
        model.title, quantiser.version, wanted.dataset, test.sha256, subject.split, machine_of(),
        rows, said, model.pair, standard.card.name if standard else "",
    )  # fmt: skip


def _standard(
    wanted: Wanted, subject: Subject, store: Store, settings: Settings, tell: Tell
) -> Quantiser | None:
    """The model that the run's is judged against; None where that is itself."""
    if not wanted.against:
        return None
    settings = replace(settings, base="embedded")
    theirs = find_model(wanted.against, store, settings)
    return Quantiser(replace(subject, folder=theirs.folder), settings, tell)


def _judge(quantiser: Quantiser, name: str) -> Row:
    """The line of a form's name; one that ends in MIXED leaves its dearest matrices as they are,
    one that ends in AWARE is trained on first."""
    form = parse_form(name)
    if name.removesuffix(AWARE).endswith(MIXED):
        form = quantiser.mixed(form)
    if not name.endswith(AWARE):
        return quantiser.judge(form)
    form = replace(form, aware=True)
    return quantiser.judge(form, None if quantiser.is_made(form) else quantiser.trained(form))


def _step_by_step(quantiser: Quantiser, rows: list[Row]) -> str:
    """From more bits to fewer, each step through the gate; where it ended."""
    for name in STEPS[1:]:
        rows.append(quantiser.judge(parse_form(name)))
        if not rows[-1].fit:
            break
    last = [row for row in rows if row.fit][-1]
    if rows[-1].fit:
        return f"every step passed; the last is {last.name}"
    return f"{rows[-1].name} did not pass ({_why(rows[-1])}); the last that did is {last.name}"


def smallest(rows: Sequence[Row], ratio: float) -> str:
    """Which of these forms is the smallest that passed, and whether that is small enough."""
    whole = next(row.disk_mb for row in rows if row.name == ORIGINAL)
    best = min((row for row in rows if row.fit), key=lambda row: row.disk_mb)
    share = best.disk_mb / whole
    told = f"{best.name} is the smallest that passed: {best.disk_mb:.0f} MB, {share:.3f} of it"
    if share <= ratio:
        return f"{told}; {ratio} was asked for"
    near = sorted((row for row in rows if 0 < row.disk_mb <= ratio * whole), key=_size)
    whys = "; ".join(f"{row.name}: {_why(row)}" for row in near)
    return f"{ratio} is not reached. {told}. {whys or 'No form here is so small'}"


def _size(row: Row) -> float:
    return row.disk_mb


def _why(row: Row) -> str:
    return row.missing or str(row.quality.get("reason"))
