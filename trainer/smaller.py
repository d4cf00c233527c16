"""What was made smaller, beside what it was made of: students of distillation runs, and forms of a
model in fewer bits. Read from what runs told and from tables on disk; loads no weights.

A model's table of forms lies in CTX_HOME/forms/VERSION/table.json, as `trainer quantise` left it;
those of the shipped adapter and of the small model ship with the app, until somebody makes one
here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.store import Job
from engine.files import write_whole
from engine.forms import FOLDER
from engine.settings import Settings, assets
from trainer.history import History

TABLE = "table.json"
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Smaller:
    """One smaller model. `kept`: its share of the score of what it was made of, of a form that of
    the figure that keeps least; `passed`: whether its gate let it through, and `reason` why not;
    `ms`: of an answer to a dev row (student), of the processor for a cold click (form)."""

    name: str
    text: str = ""
    bytes: float | None = None
    kept: float | None = None
    low: float | None = None
    high: float | None = None
    passed: bool | None = None
    reason: str = ""
    ms: float | None = None
    token_ms: float | None = None
    memory: float | None = None


@dataclass(frozen=True)
class Forms:
    """The forms of one model, with the rows that judged them."""

    model: str
    version: str
    pair: str
    dataset: str
    split: str
    rows: int
    forms: tuple[Smaller, ...]


def keep_table(home: Path, told: Mapping[str, Any]) -> None:
    """Keep a run's table of forms; lines of earlier runs stay where the same rows judged them and
    this one has none of their name."""
    file = home / FOLDER / str(told["version"]) / TABLE
    before = _read(file) or {}
    rows = list(told["rows"])
    judged = ("dataset", "sha256", "split")
    if all(before.get(name) == told[name] for name in judged):
        named = {row["name"] for row in rows}
        rows += [row for row in before["rows"] if row["name"] not in named]
    text = json.dumps({**told, "rows": rows}, indent=1, ensure_ascii=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, text + "\n")


def list_forms(settings: Settings) -> list[Forms]:
    """The forms of every model that has a table, those of the home first."""
    files = sorted((settings.home / FOLDER).glob(f"*/{TABLE}"))
    found = [forms_in(told) for told in map(_read, files) if told]
    here = {one.version for one in found}
    shipped = (_read(assets() / "bench" / f"{name}.json") for name in ("forms", "small"))
    return found + [forms_in(told) for told in shipped if told and told["version"] not in here]


def forms_of(version: str, settings: Settings) -> Forms | None:
    """The forms of the model of this version; None where nobody made any."""
    return next((one for one in list_forms(settings) if one.version == version), None)


def student_of(job: Job, history: History) -> Smaller | None:
    """What a run came to as a student; None where it had no teacher."""
    teacher = (job.recipe.get("distil") or {}).get("teacher")
    if not teacher:
        return None
    made, result = history.made.get("student", {}), history.result
    gate = result.get("gate") or {}
    reference = result.get("reference") or {}
    kept, low, high = (gate.get(name, reference.get(name)) for name in ("kept", "low", "high"))
    return Smaller(
        f"run:{job.id}", str(reference.get("reference") or teacher), made.get("bytes"),
        kept, low, high, gate.get("passed"), str(result.get("reason") or ""),
        (history.best or {}).get("answer_ms"),
    )  # fmt: skip


def _read(file: Path) -> dict[str, Any] | None:
    """A table; None where there is none, or the file holds something else."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        forms_in(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return data


def forms_in(data: Mapping[str, Any]) -> Forms:
    """The forms of a table as its file has it, those that could be had; KeyError and the like where
    it is none."""
    had = [row for row in data["rows"] if not row["missing"]]
    return Forms(
        data["model"], data["version"], data.get("pair", "en-zh"), data["dataset"], data["split"],
        had[0]["quality"]["rows"] if had else 0, tuple(map(_form, had)),
    )  # fmt: skip


def _form(row: Mapping[str, Any]) -> Smaller:
    quality = row["quality"]
    return Smaller(
        row["name"], row["text"], row["disk_mb"] * _MEGABYTE, quality["kept"],
        passed=quality["fit"], reason=quality["reason"],
        ms=row["click"].get("cpu_ms"), token_ms=row["token_ms"] or None,
        memory=row["resident_mb"] * _MEGABYTE,
    )  # fmt: skip
