"""Makes smaller forms of a model and judges each on held-out rows beside the model as it is.

A form lies in CTX_HOME/forms/VERSION/NAME with its verdict, which the app reads; what was judged is
not judged again. What cannot run here is a line with its reason.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from engine.adapters import merged
from engine.bench.sides import read_cases
from engine.books import books_for
from engine.branches import Runner
from engine.checking import Card, read_adapter
from engine.decoding import SenseDecoder
from engine.files import write_whole
from engine.forms import (
    AWARE,
    MIXED,
    VERSION,
    WEIGHTS,
    Form,
    FormError,
    Told,
    form_folder,
    parse_form,
    read_told,
    save_form,
    shrink,
    write_told,
)
from engine.matrices import WAYS
from engine.memory import give_back
from engine.models import find_base, load_base, load_tokenizer
from engine.prompt import SensePrompt
from engine.sense import Phrase, Sense
from engine.settings import Settings, assets
from trainer.distil.quality import compare
from trainer.distil.quantise_aware import recipe_for, train_aware
from trainer.distil.quantise_calibrate import CALIBRATION_ROWS, input_scales, loudness
from trainer.distil.quantise_measure import Answered, Served, answer_apart, speeds
from trainer.distil.quantise_sensitivity import costs, mixed
from trainer.distil.quantise_smooth import smoothed
from trainer.examples import Example
from trainer.watch import choose_rows

ORIGINAL = "bf16"
STUDENT = "student-"  # before the names of forms that are judged against another model
LEFT = 18  # of 72 matrices that a mixed form leaves as they are
_ANSWERS = "answers.json"
TRAINING = ".training"  # how folders end where a form's model is being trained

Report = Callable[[dict[str, Any]], None]


class Ended(Exception):
    """The run was asked to end; what is made and judged stays."""


@dataclass(frozen=True)
class Subject:
    """The model whose forms are made: its adapter's folder (None: the base alone) and the rows that
    judge them, those of the test split; the rows of `train` and `dev` are to calibrate, to choose
    and to train on."""

    folder: Path | None
    rows: Sequence[Example]
    train: Sequence[Example]
    dev: Sequence[Example]
    split: str = "test"


@dataclass(frozen=True)
class Row:
    """A line of the table: a form, what it takes and what it is worth; `missing` says why it could
    not be made here, and then there is no more."""

    name: str
    text: str
    missing: str = ""
    disk_mb: float = 0.0
    resident_mb: float = 0.0
    quality: Mapping[str, Any] = field(default_factory=dict)
    click: Mapping[str, float] = field(default_factory=dict)
    token_ms: float = 0.0

    @property
    def fit(self) -> bool:
        return bool(self.quality.get("fit"))


class Quantiser:
    """Makes and judges one model's forms, and remembers what was judged before. `standard`: the
    model that they must answer as well as; None: this one as it is. `report` is told what is done;
    once `stopped` says so, Ended comes out of whatever is at work."""

    def __init__(
        self,
        subject: Subject,
        settings: Settings,
        report: Report,
        standard: Quantiser | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ):
        self._subject, self._settings = subject, settings
        self._report, self._stopped = report, stopped
        self._source, name, revision = find_base(settings)
        adapter = read_adapter(subject.folder) if subject.folder else None
        self.card = adapter.card if adapter else Card("base")
        self.version = adapter.version if adapter else "base"
        self._adapter, self._base = adapter, f"{name}@{revision}"
        self._model: Any = None
        self._loudest: dict[str, Tensor] = {}
        self._original: tuple[Sense, ...] | None = None
        self._standard = standard
        self._prefix = STUDENT if standard else ""

    def judge(self, name: str) -> Row:
        """The line of the form of this name, all but its speed; made and judged where that was not
        done yet. One that ends in MIXED leaves its dearest matrices as they are, one that ends in
        AWARE is trained on first. What cannot be had here is a line with its reason; of the model
        as it is that is raised, for without it there is nothing to judge by."""
        self._look()
        form = replace(parse_form(name), aware=name.endswith(AWARE))
        try:
            if name.removesuffix(AWARE).endswith(MIXED):
                form = self.mixed(form)
            model = self.trained(form) if form.aware and not self.is_made(form) else None
            folder = self._make(form, model)
            return replace(self._judged(form, folder), text=_text(form))
        except (FormError, RuntimeError, ImportError, NotImplementedError) as error:
            if name == ORIGINAL:
                raise
            return Row(self.called(name), _text(form), missing=str(error).splitlines()[0])

    def called(self, name: str) -> str:
        """What the line of a form is called."""
        return self._prefix + name

    def _tell(self, text: str) -> None:
        self._report({"event": "said", "text": text})

    def _look(self) -> None:
        if self._stopped():
            raise Ended

    def served(self, rows: Sequence[Row]) -> dict[str, Served]:
        """Those of the lines that are this model's and can answer, by name."""
        mine = [row.name for row in rows if not row.missing]
        if self._prefix:
            mine = [name for name in mine if name.startswith(self._prefix)]
        places = {name: self.folder(name.removeprefix(self._prefix)) for name in mine}
        return {n: Served(place, self._source, self.card) for n, place in places.items()}

    def speeds(self, rows: Sequence[Row], rounds: int, sentences: int) -> list[Row]:
        """The lines with their speeds, all taken in one run."""
        ready = self.served(rows)
        if self._standard:
            ready = self._standard.served(rows[:1]) | ready
            self._standard.forget()
        self.forget()
        cases = read_cases(assets() / "datasets" / "en-zh-gold", sentences)
        found = speeds(ready, cases, rounds, self._look)
        return [replace(row, **found[row.name]) if row.name in found else row for row in rows]

    def forget(self) -> None:
        """Give the model's memory back."""
        self._model = None
        give_back()

    def folder(self, name: str) -> Path:
        return form_folder(self._settings.home, self.version, name)

    def is_made(self, form: Form) -> bool:
        """Whether the form lies here already, made of this base."""
        try:
            told = read_told(self.folder(form.name))
        except FormError:
            return False
        mine = (self._base, form.told, VERSION)
        return (told.base, told.ways, told.version) == mine

    def _make(self, form: Form, model: Any = None) -> Path:
        folder = self.folder(form.name)
        if model is None and self.is_made(form):
            return folder
        self._tell(f"{form.name}: making it")
        for left in folder.parent.glob(f"{folder.name}.new*"):  # by a job that was killed
            shutil.rmtree(left, ignore_errors=True)
        model = model or self.merged()
        self._look()
        if form.smooth:
            model = smoothed(model, self._heard(model))
        scales = input_scales(self._heard(model)) if WAYS[form.body].calibrated else None
        tensors = shrink(model, form, scales)
        save_form(folder, model.config, form, tensors, self._base, self.version)
        return folder

    def _judged(self, form: Form, folder: Path) -> Row:
        told, asked = read_told(folder), self._asked()
        if told.gate.get("asked") != asked or not self._is_answered(form):
            answered = self._answer(form, folder)
            if self._is_standard(form):
                self._keep(answered.senses)
            quality = compare(self._subject.rows, self._answers(), answered.senses)
            gate = quality.told() | {"asked": asked, "resident_mb": answered.resident_mb}
            told = Told(**vars(told) | {"gate": gate})
            write_told(folder, told)
        size = (folder / WEIGHTS).stat().st_size / 1e6
        resident = told.gate["resident_mb"]
        return Row(self.called(form.name), "", "", round(size, 1), resident, dict(told.gate))

    def _answer(self, form: Form, folder: Path) -> Answered:
        rows = self._subject.rows
        self._tell(f"{form.name}: answering {len(rows)} rows")

        def so_far(done: int) -> None:
            self._look()
            self._report({"event": "rows", "rows": done, "of_rows": len(rows)})

        return answer_apart(Served(folder, self._source, self.card), rows, so_far)

    def _asked(self) -> dict[str, Any]:
        """What judges a form; a verdict holds for these rows and no others."""
        rows = [(e.query.context, e.query.position, _plain(e.sense)) for e in self._subject.rows]
        hashed = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
        asked = {"split": self._subject.split, "rows": len(rows), "sha256": hashed}
        return asked | ({"against": self._standard.version} if self._standard else {})

    def _is_standard(self, form: Form) -> bool:
        """Whether others are judged by what this form answers."""
        return form.name == ORIGINAL and not self._standard

    def _is_answered(self, form: Form) -> bool:
        """Whether the answers that others are judged by are at hand, and those to these rows."""
        if self._is_standard(form) and self._original is None:
            self._original = _read_answers(self.folder(ORIGINAL) / _ANSWERS, self._asked())
        return not self._is_standard(form) or self._original is not None

    def _answers(self) -> tuple[Sense, ...]:
        """What the model that is the standard answers as it is."""
        if self._standard:
            return self._standard._answers()
        if self._original is None:
            self._judged(Form(ORIGINAL), self._make(Form(ORIGINAL)))
        assert self._original is not None
        return self._original

    def _keep(self, senses: tuple[Sense, ...]) -> None:
        self._original = senses
        _write_answers(self.folder(ORIGINAL) / _ANSWERS, self._asked(), senses)

    def merged(self) -> Any:
        """The model as it is, with the library's body."""
        if self._model is None:
            base = load_base(self._settings)
            self._model = merged(base, self._adapter) if self._adapter else base.model
        return self._model

    def prompt(self) -> SensePrompt:
        language = self.card.pair.partition("-")[2]
        return SensePrompt(load_tokenizer(self._source), self.card.style, language)

    def mixed(self, form: Form) -> Form:
        """The form with its dearest matrices left as they are; what each costs is kept on disk."""
        file = self.folder(f"costs-{form.body}.json")
        if not file.is_file():
            self._tell(f"{form.body}: what each matrix costs, on dev rows")
            found = costs(self.merged(), form, self.prompt(), self._subject.dev, self._look)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, json.dumps(found, indent=1) + "\n")
        return mixed(form, json.loads(file.read_text(encoding="utf-8")), LEFT)

    def trained(self, form: Form) -> Any:
        """The model, trained on for the form; one that was asked to end goes on from there."""
        self.forget()
        splits = {"train": list(self._subject.train), "dev": list(self._subject.dev)}
        place = self.folder(f"{form.name}{TRAINING}")

        def tell(event: Mapping[str, Any]) -> None:
            if event["event"] == "step":
                self._tell(f"{form.name}: training, step {event['step']} of {event['steps']}")

        model = train_aware(
            self._subject.folder,
            form,
            splits,
            place,
            self._settings,
            tell,
            recipe_for(self._subject.train, self.card.pair),
            self._stopped,
        )
        if model is None:
            raise Ended
        shutil.rmtree(place, ignore_errors=True)  # two gigabytes of states
        return model

    def _heard(self, model: Any) -> dict[str, Tensor]:
        """How loud what comes into the model's matrices is, on training rows."""
        if model is self._model and self._loudest:
            return self._loudest
        self._tell("listening to inputs on training rows")
        card, runner = self.card, Runner(model)
        threshold, favour = card.phrase_threshold, card.phrase_favour
        decoder = SenseDecoder(runner, self.prompt(), books_for(card.pair), threshold, favour)
        found = loudness(model, decoder, choose_rows(self._subject.train, CALIBRATION_ROWS, 1))
        if model is self._model:
            self._loudest = found
        return found


def _text(form: Form) -> str:
    """What a form is, in words."""
    text = f"matrices: {WAYS[form.body].text}"
    if form.plain:
        text += f", {len(form.plain)} of them in bfloat16"
    if form.smooth:
        text += ", loud channels quietened before"
    if form.aware:
        text += ", trained on for it"
    return f"{text}; embedding: {_ROWS[form.rows]}"


_ROWS = {"": "bfloat16", "int8": "bytes, a scale for each row", "int4": "4 bits"}


def _plain(sense: Sense) -> list[Any]:
    phrase = sense.phrase and [list(sense.phrase.members), sense.phrase.meaning]
    return [sense.word_class, sense.meaning, phrase]


def _write_answers(file: Path, asked: Mapping[str, Any], senses: Sequence[Sense]) -> None:
    told = {"asked": asked, "senses": [_plain(sense) for sense in senses]}
    write_whole(file, json.dumps(told, ensure_ascii=False))


def _read_answers(file: Path, asked: Mapping[str, Any]) -> tuple[Sense, ...] | None:
    """The answers in a file; None where it holds none, or those to other rows."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(told, dict) or told.get("asked") != asked:
        return None
    return tuple(
        Sense(word_class, meaning, Phrase(tuple(phrase[0]), phrase[1]) if phrase else None)
        for word_class, meaning, phrase in told["senses"]
    )
