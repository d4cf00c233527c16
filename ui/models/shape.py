"""Models and their cards in the form that pages get them: plain JSON, every string to be set as
text. A card is whatever somebody's file says, so only what has the right form is taken. Pure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.dataset.visible import visible

if TYPE_CHECKING:
    from trainer.catalogue import Model

Json = dict[str, Any]
_MOST_TEXT = 400  # characters of one value
_MOST_PAGE = 40_000  # characters of a card's own words
_MOST_FILE = 4 << 20  # bytes
_SHORT = (
    "right", "meaning_match", "class_accuracy", "phrase_f1", "chrf", "bleu", "stopped",
    "written_per_needed",
)  # fmt: skip
_ABOUT = ("base", "style", "prompt_version", "books", "torch", "machine", "phrase_threshold")
_RECIPE = (
    "start", "matrices", "rank", "alpha", "rate", "epochs", "steps", "batch", "replay", "seed",
    "quantised", "schedule",
)  # fmt: skip


def to_model(model: Model) -> Json:
    """A model's row: what it is, and its few most telling scores."""
    card = read_json(model.folder, "card.json")
    name, scores = next(iter(_telling(card)), ("", {}))
    return {
        "name": model.name,
        "title": visible(model.title)[:_MOST_TEXT],
        "version": model.version,
        "bytes": model.bytes,
        "made": visible(model.made)[:_MOST_TEXT],
        "pair": model.pair,
        "task": model.task,
        "fit": model.fit,
        "reason": visible(model.reason)[:_MOST_TEXT],
        "set": name,
        "rows": scores.get("rows"),
        "scores": [
            one for figure in _SHORT for one in scores.get("figures", ()) if one["figure"] == figure
        ],
    }


def _telling(card: Json) -> Iterator[tuple[str, Json]]:
    """The scores with all books on test rows, then those on dev rows."""
    sets = [(one["name"], one) for one in to_scores(card) if "," not in one["name"]]
    for split in ("test ", "dev "):
        yield from (one for one in sets if one[0].startswith(split))


def licence_of(model: Model) -> str:
    """The licence that the card names, or else those of its data."""
    card = read_json(model.folder, "card.json")
    named = _text(card.get("licence"))
    data = dict.fromkeys(_source(one)["licence"] for one in _dicts(card.get("data")))
    return named or "; ".join(filter(None, data))[:_MOST_TEXT]


def to_scores(card: Json) -> list[Json]:
    """What was scored: its name, how many rows, each figure with its interval."""
    found = card.get("scores")
    if not isinstance(found, dict):
        return []
    return [
        {
            "name": visible(str(name))[:_MOST_TEXT],
            "rows": rows if _is_number(rows := one.get("n")) else None,
            "figures": [_figure(key, x) for key, x in one.items() if _is_figure(x)],
        }
        for name, one in found.items()
        if isinstance(one, dict)
    ]


def _figure(name: str, found: Mapping[str, Any]) -> Json:
    low, high = found["interval"]
    return {"figure": visible(str(name)), "value": found["value"], "low": low, "high": high}


def _is_figure(found: object) -> bool:
    if not isinstance(found, dict) or not _is_number(found.get("value")):
        return False
    edges = found.get("interval")
    return isinstance(edges, list) and len(edges) == 2 and all(map(_is_number, edges))


def to_card(model: Model) -> Json:
    """All that an adapter says of itself."""
    card = read_json(model.folder, "card.json")
    recipe = read_json(model.folder, "recipe.json")
    return {
        "model": to_model(model),
        "about": _pairs(card, _ABOUT),
        "recipe": _pairs(recipe, _RECIPE),
        "data": [_source(one) for one in _dicts(card.get("data"))],
        "scores": to_scores(card),
        "levels": _levels(card),
        "failures": [_failure(one) for one in _dicts(card.get("failures"))[:20]],
        "examples": [
            {key: _text(one.get(key)) for key in ("sentence", "reference", "translation")}
            for one in _dicts(card.get("examples"))[:20]
        ],
        "licence": licence_of(model),
        "words": read_words(model.folder),
    }


def _pairs(told: Json, names: tuple[str, ...]) -> list[Json]:
    found = [(name, told.get(name)) for name in names]
    return [
        {"name": name, "value": _text(value) if isinstance(value, str) else value}
        for name, value in found
        if (value and isinstance(value, str)) or isinstance(value, bool) or _is_number(value)
    ]


def _source(one: Json) -> Json:
    rows = one.get("rows")
    return {
        "name": _text(one.get("name")),
        "rows": rows if _is_number(rows) else None,
        "origin": _text(one.get("origin")),
        "licence": _text(one.get("licence")),
        "hash": _text(one.get("sha256"))[:64],
    }


def _levels(card: Json) -> list[Json]:
    report = card.get("calibration_on_test")
    levels = report.get("levels") if isinstance(report, dict) else None
    found = levels if isinstance(levels, dict) else {}
    return [
        {"level": name, "share": found[name]["share"], "right": found[name]["right"]}
        for name in ("sure", "likely", "unsure")
        if isinstance(found.get(name), dict)
        and all(_is_number(found[name].get(key)) for key in ("share", "right"))
    ]


def _failure(one: Json) -> Json:
    return {
        "context": _text(one.get("context")),
        "target": _text(one.get("target")),
        "expected": _answer(one.get("expected")),
        "answered": _answer(one.get("answered")),
    }


def _answer(one: object) -> Json:
    told = one if isinstance(one, dict) else {}
    return {key: _text(told.get(key)) for key in ("class", "zh", "phrase")}


def read_json(folder: Path | None, name: str) -> Json:
    """The object in a file of the folder; {} where there is none or it is something else."""
    file = (folder or Path()) / name
    try:
        if folder is None or file.is_symlink() or file.stat().st_size > _MOST_FILE:
            return {}
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_words(folder: Path | None) -> str:
    """What an adapter's README says, without the header for machines; "" where there is none."""
    file = (folder or Path()) / "README.md"
    try:
        if folder is None or file.is_symlink() or file.stat().st_size > _MOST_FILE:
            return ""
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    if text.startswith("---\n"):
        text = text.partition("\n---\n")[2]
    return visible(text.strip())[:_MOST_PAGE]


def _dicts(found: object) -> list[Json]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(found: object) -> str:
    return visible(found)[:_MOST_TEXT] if isinstance(found, str) else ""


def _is_number(found: object) -> bool:
    number = isinstance(found, int | float) and not isinstance(found, bool)
    return number and math.isfinite(found)  # type: ignore[arg-type]
