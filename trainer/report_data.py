"""A run's report as data: what its page shows, as numbers and names, for other programs. Pure; not
a number is written as none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from db.store import Job
from trainer.history import (
    EVALUATED,
    LOWER_IS_BETTER,
    STEP_FIGURES,
    Change,
    History,
    changes,
    thinned,
    trend,
)
from trainer.recipe import named_fields, unfolded

MOST_POINTS = 400  # of a curve


def data_of(job: Job, history: History, card: Mapping[str, Any]) -> dict[str, Any]:
    """The report's parts by name; a part with nothing in it is empty."""
    told = [name for name in EVALUATED if history.curve(name)]
    return {
        "run": {
            "id": job.id, "kind": job.kind, "state": job.state, "made": job.created,
            "ended": job.ended, "error": job.error, "detail": job.detail, "note": job.note,
        },
        "base": card.get("base"),
        "environment": environment_of(history, card),
        "plan": _figures(history.plan),
        "student": {kind: _figures(event) for kind, event in history.made.items()},
        "result": _figures(history.result),
        "scores": card.get("scores") or history.result.get("scores") or {},
        "best": _figures(history.best or {}),
        "rows_per_second": history.rows_per_second,
        "curves": {
            name: thinned(history.curve(name), MOST_POINTS) for name in (*STEP_FIGURES, *told)
        },
        "marks": list(history.marks),
        "evaluations": [_figures(event) for event in history.devs],
        "changes": {
            name: [_change(one) for one in changes(history, name, name in LOWER_IS_BETTER)]
            for name in told
        },
        "trend": {name: trend(history, name) for name in told},
        "errors": [_figures(event) for event in history.errors],
        "data": sources_of(job, card),
        "recipe": recipe_of(job),
    }  # fmt: skip


def environment_of(history: History, card: Mapping[str, Any]) -> dict[str, Any]:
    """What the run was made on: as it told at its beginning, or else what its card knows."""
    told = history.plan.get("environment")
    known = {"torch": card.get("torch"), "platform": card.get("machine")}
    return known | (dict(told) if isinstance(told, Mapping) else {})


def sources_of(job: Job, card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The run's data, each with its rows and hash where the card knows them."""
    data = [one for one in card.get("data", ()) if isinstance(one, Mapping)]
    if job.kind != "train":
        return [dict(one) for one in data]
    known = {one.get("name"): one for one in data}
    sources = job.recipe.get("sources", ())
    return [{**source, **known.get(source.get("name"), {})} for source in sources]


def recipe_of(job: Job) -> dict[str, Any]:
    """The run's settings, those that are as usual as well."""
    if job.kind != "train":
        return dict(job.recipe)
    told = unfolded(job.recipe)
    fields = {name: told.get(name, one.default) for name, one in named_fields()}
    return {name: value for name, value in fields.items() if name != "sources"}


def plain(value: Any) -> Any:
    """The same in what JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _figures(event: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != "event"}


def _change(one: Change) -> dict[str, Any]:
    return {key: value for key, value in asdict(one).items() if key != "figure"}
