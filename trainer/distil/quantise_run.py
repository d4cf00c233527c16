"""Runs of quantisation: a list of forms, in steps from more bits to fewer, or until a size is
reached; each ends in one table. The model `setting` is the one that readers have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from db.store import Store
from engine.bench.run import machine_of
from engine.settings import Settings
from trainer.catalogue import SETTING, Model, ModelError, find_model, set_model
from trainer.distil.quantise import ORIGINAL, Ended, Quantiser, Report, Row, Subject
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


def quantise(
    wanted: Wanted,
    store: Store,
    settings: Settings,
    report: Report,
    stopped: Callable[[], bool] = lambda: False,
    keep: Callable[[Table], None] = lambda table: None,
) -> Table | None:
    """Make and judge the forms that are wanted; None where it was asked to end, and what was judged
    until then is not judged again. `keep` gets the table as it grows. JobError, ModelError,
    FormError or AdapterError where it cannot begin."""
    of_readers = wanted.model == SETTING
    model = set_model(settings) if of_readers else find_model(wanted.model, store, settings)
    if model.task != "sense":
        raise ModelError("not_senses", f"{wanted.model} answers no words: it has no forms")
    try:
        return _Run(wanted, model, store, settings, report, stopped, keep).run()
    except Ended:
        return None


class _Run:
    """One run at work: its lines until now, and what it says of them."""

    def __init__(
        self,
        wanted: Wanted,
        model: Model,
        store: Store,
        settings: Settings,
        report: Report,
        stopped: Callable[[], bool],
        keep: Callable[[Table], None],
    ):
        self._wanted, self._model, self._report, self._keep = wanted, model, report, keep

        def rows_of(split: str, count: int = 0) -> Rows:
            return find_rows(wanted.dataset, split, count, 1, model.pair, store, settings)

        self._test = rows_of("test", wanted.rows)
        train, dev = (rows_of(split).examples for split in ("train", "dev"))
        known = [e for e in train if not has_unknown(e.query.context)]
        subject = Subject(model.folder, self._test.examples, known, dev)
        self._standard: Quantiser | None = None
        if wanted.against:
            embedded = replace(settings, base="embedded")
            theirs = replace(subject, folder=find_model(wanted.against, store, embedded).folder)
            self._standard = Quantiser(theirs, embedded, report, stopped=stopped)
        self._quantiser = Quantiser(subject, settings, report, self._standard, stopped)
        self._names = STEPS[1:] if wanted.progressive else wanted.ways
        self._names = [name for name in self._names if name != ORIGINAL]
        self._rows: list[Row] = []
        self._said: list[str] = []

    def run(self) -> Table:
        """All of it, and the table."""
        wholes = [one for one in (self._standard, self._quantiser) if one]
        total = len(wholes) + len(self._names)
        for whole in wholes:
            self._judge(whole, ORIGINAL, total)
        for name in self._names:
            row = self._judge(self._quantiser, name, total)
            if self._wanted.progressive and not row.fit:
                break
        if self._wanted.progressive:
            self._say(_ended_at(self._rows))
        if self._wanted.ratio:
            self._say(smallest(self._rows, self._wanted.ratio))
        if self._wanted.rounds:
            self._report({"event": "timing", "done": len(self._rows)})
            self._rows = self._quantiser.speeds(
                self._rows, self._wanted.rounds, self._wanted.sentences
            )
        self._keep(self._table())
        return self._table()

    def _judge(self, quantiser: Quantiser, name: str, total: int) -> Row:
        """The next line."""
        called = quantiser.called(name)
        self._report({"event": "form", "form": called, "done": len(self._rows), "of": total})
        row = quantiser.judge(name)
        self._rows.append(row)
        self._report({
            "event": "judged", "form": row.name, "done": len(self._rows), "fit": row.fit,
            "why": "" if row.fit else _why(row), "kept": row.quality.get("kept"),
            "disk_mb": row.disk_mb,
        })  # fmt: skip
        self._keep(self._table())
        return row

    def _say(self, line: str) -> None:
        self._said.append(line)
        self._report({"event": "said", "text": line})

    def _table(self) -> Table:
        return Table(
            self._model.title, self._quantiser.version, self._wanted.dataset, self._test.sha256,
            "test", machine_of(), list(self._rows), list(self._said), self._model.pair,
            self._standard.card.name if self._standard else "",
        )  # fmt: skip


def _ended_at(rows: Sequence[Row]) -> str:
    """Where steps from more bits to fewer, each through the gate, have ended."""
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
