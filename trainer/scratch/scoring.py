"""What a model from nothing scores on a text, and what its run told: figures for reports."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.evaluation.texts import TextRow
from trainer.history import read_history
from trainer.scratch.begun import read_events
from trainer.scratch.data import Parallel
from trainer.scratch.errors import ScratchError
from trainer.scratch.folder import Model
from trainer.scratch.run import Place
from trainer.scratch.translating import BEAMS, translate

FIGURES = ("bleu", "chrf", "ter")
SEARCHES = (BEAMS, 1)


@dataclass(frozen=True)
class Told:
    """One run: its steps, what it took, and the figures of its evaluations by step."""

    steps: int
    dtype: str
    seconds: float
    processor_seconds: float
    dev: list[dict[str, float]]
    best: int | None


def told_of(folder: Path) -> Told:
    """What the run in a folder told; ScratchError where it was not begun."""
    events = read_events(folder)
    history = read_history(events)
    if not history.plan:
        raise ScratchError("no_run", f"{folder} holds no run yet")
    spent = [one for one in events if one.get("event") == "spent"]
    kept = ("step", "dev_loss", "bleu", "score")
    return Told(
        int(history.plan["steps"]), str(history.plan["dtype"]),
        sum(one["seconds"] for one in spent), sum(one["processor_seconds"] for one in spent),
        [{key: one[key] for key in kept if key in one} for one in history.devs],
        int(history.best["step"]) if history.best else None,
    )  # fmt: skip


def rows_of(place: Place, model: Model, text: Parallel, beams: int) -> list[TextRow]:
    """Each sentence with its reference and what the model makes of it."""
    place.report({"event": "scoring", "beams": beams, "rows": len(text)})
    clock = time.monotonic()
    sources = text.source.lines
    said = translate(model.net, model.codec, sources, place.recipe.pair, beams)
    ms = 1000 * (time.monotonic() - clock) / len(said)
    return [
        TextRow(source, reference, one, ms=ms)
        for source, reference, one in zip(sources, text.target.lines, said)
    ]


def chosen(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Those figures of a text that reports hold."""
    return {name: figures[name] for name in FIGURES}


def search_name(beams: str) -> str:
    """How a report calls a search with so many beams."""
    return "greedy" if beams == "1" else f"beam of {beams}"


def interval(one: Mapping[str, Any], sign: str = "") -> str:
    """A figure with its interval."""
    low, high = one["interval"]
    return f"{one['value']:{sign}.2f} ({low:.2f} to {high:.2f})"
