"""Smaller models in the form pages get them, in Train and Compare: plain JSON, set as text."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from db.dataset.visible import visible
from db.store import Job
from ui.train.kinds import TRAIN

if TYPE_CHECKING:
    from trainer.smaller import Forms, Smaller

Json = dict[str, Any]
_MOST_TEXT = 300


def is_distilled(job: Job) -> bool:
    """Whether a run has a teacher whose probabilities it learns."""
    return job.kind == TRAIN and bool((job.recipe.get("distil") or {}).get("teacher"))


def to_smaller(one: Smaller) -> Json:
    """A student or a form."""
    return {name: _plain(value) for name, value in asdict(one).items()}


def to_forms(found: Forms) -> Json:
    """A model's forms, and what judged them."""
    told = {name: _plain(value) for name, value in asdict(found).items() if name != "forms"}
    return told | {"forms": [to_smaller(one) for one in found.forms]}


def _plain(value: Any) -> Any:
    return visible(value)[:_MOST_TEXT] if isinstance(value, str) else value
