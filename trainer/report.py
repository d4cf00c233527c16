"""A training run's report: one HTML file with its plots and no script, and the same as Markdown.

Made from the job's recipe, what it told, and its result's card; needs no model. From a shell:
python -m trainer report JOB
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.dataset.visible import visible
from db.store import Job
from trainer.history import DEV_FIGURES, Event, History, read_history, thinned
from trainer.plots import COLOURS, STYLE, Curve, Mark, line_plot
from trainer.recipe import Recipe

if TYPE_CHECKING:
    from trainer.jobs.queue import Jobs

HTML, MARKDOWN = "report.html", "report.md"
_RESULTS = ("adapter", "model")  # where a run's card may lie in its folder
_MOST_POINTS = 400  # of a curve
_MOST_TEXT = 300  # characters of one value
_PLOTS = (
    ("Loss", ("loss", "dev_loss")),
    ("Answers to dev rows", DEV_FIGURES[1:]),
    ("Learning rate", ("rate",)),
    ("Rows a second", ("rows_per_second",)),
    ("Memory, GB", ("memory_gb",)),
)  # fmt: skip
_FIT = {"True": "yes", "False": "no"}
Table = tuple[Sequence[str], Sequence[Sequence[str]]]


@dataclass(frozen=True)
class Section:
    """A part of a report: text and plots (SVG, made here), then a table."""

    title: str
    text: str = ""
    plots: tuple[tuple[str, str], ...] = ()
    table: Table = ((), ())


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


def write_report(job: Job, events: Sequence[Event], folder: Path) -> tuple[Path, Path]:
    """Write both reports into the job's folder; their files, HTML first. OSError where the disk
    does not take them."""
    title = f"Run {job.id}: {_value(job.recipe.get('name', ''))}"
    sections = make_sections(job, read_history(events), read_card(folder), folder)
    made = (
        (folder / HTML, to_html(title, sections)),
        (folder / MARKDOWN, to_markdown(title, sections)),
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file, text in made:
        fresh = file.with_name(f"{file.name}.new")
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, file)
    return made[0][0], made[1][0]


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
        Section("Evaluations", "", (), _evaluations(history)),
        *(_scores(name, found) for name, found in scores.items() if isinstance(found, Mapping)),
        Section("Data", "", (), (("name", "rows", "SHA-256"), _data(job, card))),
        Section("Recipe", "", (), (("field", "value", ""), _recipe(job.recipe))),
        Section("Again", run_command(folder)),
    ]
    return [one for one in sections if one.text or one.plots or one.table[1]]


def _verdict(job: Job, history: History) -> str:
    if job.state == "failed":
        return f"Failed: {_value(job.detail or job.error)}"
    if history.result.get("fit") is False:
        return f"Not fit to promote: {_value(history.result.get('reason', ''))}"
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
        "torch": card.get("torch"),
        "machine": card.get("machine"),
        "note": job.note,
    }
    reference = result.get("reference")
    if isinstance(reference, Mapping):
        facts |= {f"reference: {key}".replace("_", " "): value for key, value in reference.items()}
    return [[name, _value(value)] for name, value in facts.items() if value not in (None, "", [])]


def _plots(history: History, marks: list[Mark]) -> tuple[tuple[str, str], ...]:
    best = history.best
    at = best.get("step") if best else None
    marks = [*marks, Mark(at, "best")] if at is not None else marks
    plots = []
    for title, names in _PLOTS:
        curves = [Curve(name, thinned(history.curve(name), _MOST_POINTS)) for name in names]
        curves = [curve for curve in curves if curve.points]
        legend = "".join(
            f'<span><svg viewBox="0 0 22 4"><path class="curve c{n % COLOURS}" d="M0 2h22"/></svg>'
            f"{_said(curve.name)}</span>"
            for n, curve in enumerate(curves)
        )
        if curves:
            svg = line_plot(title, curves, marks, at)
            plots.append((title, f'{svg}<p class="legend">{legend}</p>'))
    return tuple(plots)


def _happened(history: History) -> list[list[str]]:
    rows = []
    for event in history.marks:
        rest = {k: v for k, v in event.items() if k not in ("event", "step") and v is not None}
        told = ", ".join(f"{_said(key)} {_value(value)}" for key, value in rest.items())
        rows.append([_value(event.get("step")), _said(event["event"]), told])
    return rows


def _evaluations(history: History) -> Table:
    names = [name for name in DEV_FIGURES if any(name in event for event in history.devs)]
    rows = [
        [_value(event.get("step")), *(_value(event.get(name)) for name in names),
         "best" if event.get("best") else ""]
        for event in history.devs
    ]  # fmt: skip
    return ("step", *map(_said, names), ""), rows


def _scores(name: str, found: Mapping[str, Any]) -> Section:
    rows = [
        [_said(figure), _value(one.get("value")), " to ".join(map(_value, one.get("interval", ())))]
        for figure, one in found.items()
        if isinstance(one, Mapping)
    ]
    return Section(
        f"Scores: {visible(str(name))}",
        f"n = {_value(found.get('n'))}",
        (),
        (("figure", "value", "95 % interval"), rows),
    )


def _data(job: Job, card: Mapping[str, Any]) -> list[list[str]]:
    known = {one.get("name"): one for one in card.get("data", ()) if isinstance(one, Mapping)}
    rows = []
    for source in job.recipe.get("sources", ()):
        one = {**source, **known.get(source.get("name"), {})}
        rows.append([_value(one.get(key)) for key in ("name", "rows", "sha256")])
    return rows


def _recipe(recipe: Mapping[str, Any]) -> list[list[str]]:
    rows = []
    for one in fields(Recipe):
        value = recipe.get(one.name, one.default)
        if one.name != "sources":
            rows.append([one.name, _value(value), "changed" if value != one.default else ""])
    return rows


def _said(name: str) -> str:
    return visible(str(name).replace("_", " "))


def _value(value: object) -> str:
    """A value as text: numbers short, anything else as it is but for what nobody sees."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return " to ".join(map(_value, value))
    return visible(str(value))[:_MOST_TEXT]


def to_html(title: str, sections: Sequence[Section]) -> str:
    """The page; every text in it is escaped, only plots are set as they are."""
    parts = [f"<h1>{escape(title)}</h1>"]
    for section in sections:
        if section.title:
            parts.append(f"<h2>{escape(section.title)}</h2>")
        if section.text:
            tag = "pre" if section.title == "Again" else "p"
            parts.append(f"<{tag}>{escape(section.text)}</{tag}>")
        for name, plot in section.plots:
            parts.append(f"<figure><figcaption>{escape(name)}</figcaption>{plot}</figure>")
        parts.append(_html_table(section.table))
    return _PAGE.format(title=escape(title), style=STYLE + _STYLE, body="\n".join(parts))


def _html_table(table: Table) -> str:
    heads, rows = table
    if not rows:
        return ""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    lines = [f"<tr>{head}</tr>"] if head else []
    for row in rows:
        lines.append("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>")
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def to_markdown(title: str, sections: Sequence[Section]) -> str:
    """The same without plots."""
    lines = [f"# {_cell(title)}", ""]
    for section in sections:
        heads, rows = section.table
        if section.plots and not section.text and not rows:
            continue
        if section.title:
            lines += [f"## {_cell(section.title)}", ""]
        if section.text:
            again = section.title == "Again"
            lines += ["```bash", section.text, "```", ""] if again else [_cell(section.text), ""]
        if rows:
            heads = heads or ("",) * len(rows[0])
            lines += [_line(heads), "|" + "---|" * len(heads), *map(_line, rows), ""]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(text: str) -> str:
    """Text that Markdown shows as it stands."""
    text = " ".join(text.split())
    return "".join(f"\\{c}" if c in r"\`*_[]<>|#" else c for c in text)


_STYLE = """
body { max-width: 860px; margin: 32px auto; padding: 0 20px; background: var(--paper);
  color: var(--ink); font: 15px/1.55 system-ui, sans-serif; }
h1, h2 { font-family: Georgia, serif; font-weight: 500; overflow-wrap: anywhere; }
h2 { margin-top: 36px; }
figure { margin: 24px 0; } figcaption { font-weight: 600; margin-bottom: 8px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 6px 0; font-size: 13.5px; }
.legend svg { display: inline-block; width: 22px; height: 4px; margin: 0 6px 3px 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 18px 5px 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th, td:first-child { color: var(--soft); font-weight: 400; }
pre { padding: 12px; border-radius: 10px; background: var(--sheet); white-space: pre-wrap;
  overflow-wrap: anywhere; }
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
