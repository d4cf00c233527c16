"""What the page of a run that made smaller forms shows: its recipe, the rows that judged, each form
with what it takes and keeps. Knows no gradio.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from db.dataset.visible import visible
from db.store import Job
from ui.train.kinds import read_object
from ui.train.smaller import to_forms

Json = dict[str, Any]
_FIELDS = (
    "model", "ways", "progressive", "ratio", "dataset", "rows", "rounds", "sentences", "against",
)  # fmt: skip
_MOST_TEXT = 2000


def quantised_details(job: Job, folder: Path) -> Json:
    """All that a run's page shows of it beside how far it is."""
    told = read_object(folder / "forms.json")
    judged, name = told.get("rows") or [], str(job.recipe.get("dataset", ""))
    rows = judged[0]["quality"].get("rows") if judged else None
    source = {"name": visible(name), "rows": rows, "hash": str(told.get("sha256", ""))}
    return {
        "recipe": {"start": "", "fields": _fields(job.recipe), "dataset": name},
        "data": [source | {"older": False}],
        "checkpoints": [],
        "command": _command(job.recipe),
        "scores": {},
        "forms": _forms(told) if judged else None,
    }


def _fields(recipe: Mapping[str, Any]) -> list[Json]:
    from trainer.jobs.quantise import QuantiseRecipe

    usual = vars(QuantiseRecipe())
    return [
        {"name": name, "value": _plain(recipe[name]), "changed": recipe[name] != usual[name]}
        for name in _FIELDS
        if name in recipe and recipe[name] not in ("", [])
    ]


def _plain(value: Any) -> Any:
    text = ", ".join(map(str, value)) if isinstance(value, list) else value
    return visible(text)[:_MOST_TEXT] if isinstance(text, str) else text


def _command(recipe: Mapping[str, Any]) -> str:
    """The command that does the same, for a shell."""
    parts = ["python -m trainer quantise", shlex.quote(str(recipe.get("model", "")))]
    if recipe.get("progressive"):
        parts.append("--progressive")
    elif ways := recipe.get("ways"):
        parts.append(f"--ways {' '.join(map(shlex.quote, map(str, ways)))}")
    for name in ("ratio", "against", "dataset", "rows"):
        if value := recipe.get(name):
            parts.append(f"--{name} {shlex.quote(str(value))}")
    return " ".join(parts)


def _forms(told: Mapping[str, Any]) -> Json:
    """The forms, what each is worth figure by figure, and why some cannot be had here."""
    from trainer.distil.quality import ERRORS, KEPT
    from trainer.smaller import forms_in

    shown = (*KEPT, *ERRORS)
    return to_forms(forms_in(told)) | {
        "figures": list(shown),
        "worth": [
            {"name": row["name"], "figures": [_worth(row["quality"], name) for name in shown]}
            for row in told["rows"]
            if not row["missing"]
        ],
        "missing": [
            {"name": row["name"], "why": visible(row["missing"])[:_MOST_TEXT]}
            for row in told["rows"]
            if row["missing"]
        ],
    }


def _worth(quality: Mapping[str, Any], name: str) -> Json:
    """One figure: its value, and the share of the original's that it keeps; of a rate of errors
    nothing is kept."""
    from trainer.distil.quality import KEPT

    figure, share = (quality[one].get(name) or {} for one in ("figures", "shares"))
    return {"value": figure.get("value"), "share": share.get("value") if name in KEPT else None}
