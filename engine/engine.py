"""A base with its adapter, ready to answer: the one thing that `lookup` and the commands run.

Loads, names its version, answers a view of a context. Knows no queue and no store.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engine.adapters import lean_copy, merged_copy
from engine.books import books_for
from engine.branches import Runner
from engine.calibration import Calibration
from engine.checking import Adapter, Card, read_adapter
from engine.decoding import SenseDecoder
from engine.memory import give_back
from engine.models import Base, Progress, load_base
from engine.phrasebook import NO_CANDIDATES, Candidates
from engine.prompt import PROMPT_VERSION, SensePrompt
from engine.sense import Answer
from engine.settings import Settings
from engine.views import View


@dataclass
class ModelEngine:
    """The engine that answers with a real model."""

    id: str
    detail: str
    title: str
    version: str
    decoder: SenseDecoder
    calibration: Calibration

    def answer(self, view: View, people: Candidates = NO_CANDIDATES) -> tuple[Answer, ...]:
        return tuple(
            replace(a, engine=self.id, confidence=self.calibration.apply(a.confidence))
            for a in self.decoder.answer(view, people)
        )


def load_engine(settings: Settings, progress: Progress = lambda state, share: None) -> ModelEngine:
    """The engine the settings name; BaseError or AdapterError says what is missing."""
    base = load_base(settings, progress)
    progress("loading", 0.7)
    engine = make_engine(base, settings.adapter_folder)
    del base  # what the engine does not share with it is free now
    give_back()
    progress("loading", 1.0)
    return engine


def make_engine(base: Base, folder: Path | None, pair: str = "en-zh") -> ModelEngine:
    """The base with the adapter in `folder`, or alone where that is None, for a pair's words."""
    if folder is None:
        model, card, version = lean_copy(base), Card("base"), "base"
    else:
        adapter: Adapter = read_adapter(folder)
        model, card, version = merged_copy(base, adapter), adapter.card, adapter.version
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
