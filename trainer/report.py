"""A training run's report: one HTML file with its plots and no script, the same as Markdown, and
as data in JSON.

Made from the job's recipe, what it told, and its result's card; needs no model. From a shell:
python -m trainer report JOB
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.dataset.visible import visible
from db.store import Job
from engine.files import write_whole
from trainer.evaluation.errors import KINDS
from trainer.history import (
    DEV_FIGURES,
    EVALUATED,
    LOWER_IS_BETTER,
    SPEED_FIGURES,
    TRANSLATION_FIGURES,
    Change,
    Event,
    History,
    changes,
    read_history,
    thinned,
    trend,
)
from trainer.pages import JSON, Section, Table, legend, said, value_text, write_pages
from trainer.plots import Curve, Mark, line_plot
from trainer.recipe import named_fields, unfolded
from trainer.report_data import MOST_POINTS, data_of, environment_of, plain, sources_of

if TYPE_CHECKING:
    from trainer.jobs.queue import Jobs

_RESULTS = (
    "adapter",
    "model",
    "pretrain/model",
    "finetune/model",
    "random/model",
)  # where a run's card may lie in its folder
_PLOTS = (
    ("Loss", ("loss", "dev_loss")),
    ("Answers to dev rows", DEV_FIGURES[1:]),
    ("Answer to a dev row, ms", SPEED_FIGURES),
    ("Translations of dev sentences, 0 to 100", TRANSLATION_FIGURES),
    ("Learning rate", ("rate",)),
    ("Rows a second", ("rows_per_second",)),
    ("Memory, GB", ("memory_gb",)),
)  # fmt: skip
_FIRST = ("score", "dev_loss")
_LAST, _FEW = 20, 5  # evaluations that tables compare: of these, of other figures
_EXAMPLE = ("context", "target", "expected", "answered")
_FIT = {"True": "yes", "False": "no"}


def run_command(folder: Path) -> str:
    """The command that runs the recipe in a job's folder again, for a shell."""
    return f"python -m trainer run {shlex.quote(str(folder / 'recipe.json'))}"


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a job's result; {} while there is none."""
    for name in _RESULTS:
        try:
            card = json.loads((folder / name / "card.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(card, dict):
            return card
    return {}


def read_events(jobs: Jobs, job_id: int) -> list[Event]:
    """All that a job told, in order."""
    events: list[Event] = []
    after = 0
    while found := jobs.events(job_id, after):
        events += [one.data for one in found]
        after = found[-1].number
    return events


def write_report(job: Job, events: Sequence[Event], folder: Path) -> tuple[Path, Path, Path]:
    """Write all three reports into the job's folder; their files: HTML, Markdown, JSON. OSError
    where the disk does not take them."""
    name = job.recipe.get("name") or job.recipe.get("recipe", {}).get("name", "")
    title = f"Run {job.id}: {value_text(name)}"
    history, card = read_history(events), read_card(folder)
    html, markdown = write_pages(folder, title, make_sections(job, history, card, folder))
    command = run_command(folder) if job.kind == "train" else ""
    data = data_of(job, history, card) | {"command": command}
    text = json.dumps(plain(data), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(folder / JSON, text + "\n")
    return html, markdown, folder / JSON


def make_sections(
    job: Job, history: History, card: Mapping[str, Any], folder: Path
) -> list[Section]:
    """The report's parts, in order; those with nothing in them are left out."""
    marks = [Mark(e["step"], e["event"].replace("_", " ")) for e in history.marks if "step" in e]
    scores = card.get("scores") or history.result.get("scores") or {}
    sections = [
        Section("", _verdict(job, history), (), ((), _facts(job, history, card))),
        Section("Curves", "", _plots(history, marks)),
        Section("What happened", "", (), (("step", "event", ""), _happened(history))),
        Section("Evaluations", _of_how_many(history), (), _evaluations(history)),
        Section("Against the previous and the best", _trends(history), (), _changes(history)),
        Section("Errors by checkpoint", "", (), _errors(history)),
        Section("Errors at the best checkpoint", "", (), _wrong(history)),
        *(_scores(name, found) for name, found in scores.items() if isinstance(found, Mapping)),
        Section("Data", "", (), (("name", "rows", "SHA-256"), _data(job, card))),
        Section("Recipe", "", (), (("field", "value", ""), _recipe(job))),
        Section("Again", command=run_command(folder) if job.kind == "train" else ""),
    ]
    return [one for one in sections if not one.is_empty]


def _verdict(job: Job, history: History) -> str:
    if job.state == "failed":
        return f"Failed: {value_text(job.detail or job.error)}"
    if history.result.get("fit") is False:
        return f"Not fit to promote: {value_text(history.result.get('reason', ''))}"
    return ""


def _facts(job: Job, history: History, card: Mapping[str, Any]) -> list[list[str]]:
    best, plan, result = history.best or {}, history.plan, history.result
    facts = {
        "state": job.state,
        "made": job.created[:16].replace("T", " "),
        "ended": (job.ended or "")[:16].replace("T", " "),
        "best step": best.get("step"),
        "score there, on dev rows": best.get("score"),
        "95 % interval": [best["low"], best["high"]] if "low" in best and "high" in best else None,
        "dev loss there": best.get("dev_loss"),
        "rows": plan.get("rows"),
        "steps": plan.get("steps"),
        "trained parameters": plan.get("parameters"),
        "rows a second, median": history.rows_per_second,
        "fit to promote": _FIT.get(str(result.get("fit"))),
        "base": card.get("base"),
        **environment_of(history, card),
        "note": job.note,
    }
    for kind, event in history.made.items():
        told = {key: value for key, value in event.items() if key != "event"}
        facts |= {f"{kind}: {key}".replace("_", " "): _listed(value) for key, value in told.items()}
    reference = result.get("reference")
    if isinstance(reference, Mapping):
        facts |= {f"reference: {key}".replace("_", " "): value for key, value in reference.items()}
    return [
        [name, value_text(value)] for name, value in facts.items() if value not in (None, "", [])
    ]


def _listed(value: Any) -> Any:
    return ", ".join(map(value_text, value)) if isinstance(value, list) else value


def _plots(history: History, marks: list[Mark]) -> tuple[tuple[str, str], ...]:
    best = history.best
    at = best.get("step") if best else None
    marks = [*marks, Mark(at, "best")] if at is not None else marks
    plots = []
    for title, names in _PLOTS:
        curves = [Curve(name, thinned(history.curve(name), MOST_POINTS)) for name in names]
        curves = [curve for curve in curves if curve.points]
        if curves:
            svg = line_plot(title, curves, marks, at)
            plots.append((title, svg + legend([said(curve.name) for curve in curves])))
    return tuple(plots)


def _happened(history: History) -> list[list[str]]:
    rows = []
    for event in history.marks:
        rest = {k: v for k, v in event.items() if k not in ("event", "step") and v is not None}
        told = ", ".join(f"{said(key)} {value_text(value)}" for key, value in rest.items())
        rows.append([value_text(event.get("step")), said(event["event"]), told])
    return rows


def _evaluations(history: History) -> Table:
    names = [name for name in EVALUATED if any(name in event for event in history.devs)]
    rows = [
        [value_text(event.get("step")), *(value_text(event.get(name)) for name in names),
         "best" if event.get("best") else ""]
        for event in history.devs
    ]  # fmt: skip
    return ("step", *map(said, names), ""), rows


def _of_how_many(history: History) -> str:
    """Of how many rows the figures are that are taken of few, and what could not be taken."""
    counts = {event["written"]: None for event in history.devs if "written" in event}
    told = ", ".join(map(value_text, counts))
    parts = [f"Written freely, for “valid” and “ended”: {told} rows." if told else ""]
    if (figure := history.left_out.get("figure")) and not history.curve(figure):
        parts.append(f"Without {said(figure)}: {value_text(history.left_out.get('reason'))}")
    return " ".join(filter(None, parts))


def _last_changes(history: History, name: str) -> list[Change]:
    found = changes(history, name, name in LOWER_IS_BETTER)
    return found[-_LAST:] if name in _FIRST else found[-_FEW:]


def _changes(history: History) -> Table:
    """The last evaluations' figures beside those of the one before and of the best."""
    rows = [
        [str(one.step), said(one.figure), value_text(one.value), _signed(one.previous),
         _signed(one.best)]
        for name in (*_FIRST, *(name for name in EVALUATED if name not in _FIRST))
        for one in _last_changes(history, name)
    ]  # fmt: skip
    return ("step", "figure", "value", "to the previous", "to the best"), rows


def _trends(history: History) -> str:
    found = {name: trend(history, name) for name in EVALUATED}
    told = [f"{said(name)} {_signed(x)}" for name, x in found.items() if x is not None]
    return f"Trend, an evaluation: {', '.join(told)}" if told else ""


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.4f}"


def _errors(history: History) -> Table:
    """How many rows had each kind of error at each checkpoint."""
    kinds = [k for k in KINDS if any(one.get("counts", {}).get(k) for one in history.errors)]
    rows = [
        [value_text(one.get("step")), value_text(one.get("rows")), value_text(one.get("written")),
         *(str(one.get("counts", {}).get(kind, 0)) for kind in kinds)]
        for one in history.errors[-_LAST:]
    ]  # fmt: skip
    return ("step", "rows", "rows written freely", *map(said, kinds)), rows


def _wrong(history: History) -> Table:
    """Examples of each kind of error at the best checkpoint."""
    step = (history.best or {}).get("step")
    mine = next((one for one in history.errors if one.get("step") == step), {})
    rows = [
        [said(kind), *(value_text(one.get(key)) for key in _EXAMPLE)]
        for kind, some in mine.get("examples", {}).items()
        for one in some
    ]  # fmt: skip
    return ("kind", "sentence", "word", "expected", "answered"), rows


def _scores(name: str, found: Mapping[str, Any]) -> Section:
    rows = [
        [
            said(figure),
            value_text(one.get("value")),
            " to ".join(map(value_text, one.get("interval", ()))),
        ]
        for figure, one in found.items()
        if isinstance(one, Mapping)
    ]
    return Section(
        f"Scores: {visible(str(name))}",
        f"n = {value_text(found.get('n'))}",
        (),
        (("figure", "value", "95 % interval"), rows),
    )


def _data(job: Job, card: Mapping[str, Any]) -> list[list[str]]:
    keys = ("name", "rows", "sha256") if job.kind == "train" else ("file", "lines", "sha256")
    return [[value_text(one.get(key)) for key in keys] for one in sources_of(job, card)]


def _recipe(job: Job) -> list[list[str]]:
    if job.kind != "train":
        return [[name, value_text(value), ""] for name, value in _flat(job.recipe)]
    rows = []
    told = unfolded(job.recipe)
    for name, one in named_fields():
        value = told.get(name, one.default)
        if name != "sources":
            rows.append([name, value_text(value), "changed" if value != one.default else ""])
    return rows


def _flat(recipe: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """A recipe's values with the names of what they stand in before theirs."""
    for name, value in recipe.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
