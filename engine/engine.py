"""A base with its adapter, ready to answer: the one thing that `lookup` and the commands run.

Loads, names its version, answers a view of a context. Knows no queue and no store.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from engine.adapters import lean_copy, merged_copy
from engine.books import books_for
from engine.branches import Runner
from engine.calibration import Calibration
from engine.checking import Adapter, Card, read_adapter
from engine.decoding import SenseDecoder
from engine.forms import FormError, find_form, load_form, read_told
from engine.memory import give_back
from engine.models import Base, Choice, Progress, find_base, load_base, load_tokenizer
from engine.phrasebook import NO_CANDIDATES, Candidates
from engine.prompt import PROMPT_VERSION, SensePrompt
from engine.sense import Answer
from engine.settings import SMALL, Settings
from engine.small import find_small, small_assets
from engine.views import View

log = logging.getLogger(__name__)
PLAIN = "plain"  # of CTX_FORM: the model as it is


@dataclass
class ModelEngine:
    """The engine that answers with a real model."""

    id: str
    detail: str
    title: str
    version: str
    decoder: SenseDecoder
    calibration: Calibration
    form: str = ""

    def answer(self, view: View, people: Candidates = NO_CANDIDATES) -> tuple[Answer, ...]:
        return tuple(
            replace(a, engine=self.id, confidence=self.calibration.apply(a.confidence))
            for a in self.decoder.answer(view, people)
        )


def load_engine(settings: Settings, progress: Progress = lambda state, share: None) -> ModelEngine:
    """The engine the settings name; BaseError or AdapterError says what is missing. Where a form is
    asked for that nobody has made of this adapter, as after a promotion, or the small one cannot be
    had, the model serves as it is and says why."""
    why = ""
    if settings.form != PLAIN:
        try:
            return _of_form(settings, progress)
        except FormError as error:
            if error.code != "form_missing" and settings.form != SMALL:
                raise
            why = str(error)
            log.warning("%s The model serves as it is.", why)
    base = load_base(settings, progress)
    progress("loading", 0.7)
    engine = make_engine(base, settings.adapter_folder)
    del base  # what the engine does not share with it is free now
    give_back()
    progress("loading", 1.0)
    return replace(engine, detail=f"{engine.detail} · {why}") if why else engine


def _of_form(settings: Settings, progress: Progress) -> ModelEngine:
    """The engine of a form: neither base nor adapter are loaded."""
    source, name, revision = find_base(settings, progress)
    folder = settings.adapter_folder
    adapter = read_adapter(folder) if folder else None
    version = adapter.version if adapter else "base"
    card = adapter.card if adapter else Card("base")
    if settings.form == SMALL:
        made = find_small(settings, f"{name}@{revision}", version, progress)
        source, card = str(made), read_adapter(small_assets()).card
    else:
        made = find_form(settings, f"{name}@{revision}", version)
    progress("loading", 0.3)
    reason = f"CTX_FORM={settings.form}, which passed its gate"
    choice = Choice("cpu", torch.bfloat16, reason)
    base = Base(load_form(made), load_tokenizer(source), name, revision, choice)
    engine = _engine(base, base.model, card, version)
    give_back()
    progress("loading", 1.0)
    name = f"{engine.id}/{settings.form}-{read_told(made).sha256[:8]}"
    return replace(engine, id=name, form=settings.form)


def make_engine(base: Base, folder: Path | None, pair: str = "en-zh") -> ModelEngine:
    """The base with the adapter in `folder`, or alone where that is None, for a pair's words."""
    if folder is None:
        model, card, version = lean_copy(base), Card("base"), "base"
    else:
        adapter: Adapter = read_adapter(folder)
        model, card, version = merged_copy(base, adapter), adapter.card, adapter.version
    return _engine(base, model, card, version, pair)


def _engine(
    base: Base, model: PreTrainedModel, card: Card, version: str, pair: str = "en-zh"
) -> ModelEngine:
    prompt = SensePrompt(base.tokenizer, card.style, pair.partition("-")[2])
    books = books_for(pair)
    kind = f"{PROMPT_VERSION}/books-{books.version}"
    return ModelEngine(
        id=f"{base.name}@{base.revision}/{version}/{base.choice.dtype_name}/{kind}",
        detail=(
            f"{base.name} · {card.name}@{version} · {base.choice.device},"
            f" {base.choice.dtype_name} ({base.choice.reason})"
        ),
        title=card.name,
        version=version,
        decoder=SenseDecoder(
            Runner(model), prompt, books, card.phrase_threshold, card.phrase_favour
        ),
        calibration=Calibration(*card.calibration),
    )
