"""The table of a model's forms as JSON, Markdown and HTML, and a plot of size and speed against
quality.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.files import write_whole
from trainer.distil.quality import ERRORS, KEPT, LEAST, LEAST_LOW, MORE_ERRORS
from trainer.distil.quantise import ORIGINAL, Row
from trainer.distil.quantise_plot import pareto_plot
from trainer.distil.quantise_run import Table
from trainer.pages import Section, to_html

FILE = "forms.json"  # in a job's folder
_HEADS = (
    "form", "MB on disk", "of the original", "MB in memory", "CPU ms a token", "CPU ms a click",
    "of the original", "a click's median, ms", "least kept", "passes",
)  # fmt: skip
_SHORT = {
    "class_accuracy": "class", "meaning_match": "meaning", "phrase_f1": "phrase F1",
    "phrase_exact": "members", "phrase_meaning_chrf": "phrase meaning", "right": "right",
    "phrase_where_not": "invented",
}  # fmt: skip


def write_table(table: Table, file: Path) -> None:
    """Write FILE.json; beside it the page as FILE.md and FILE.html, and the plot as FILE.svg."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(asdict(table), indent=1, ensure_ascii=False) + "\n")
    write_whole(file.with_suffix(".md"), page(table))
    write_whole(file.with_suffix(".html"), html(table))
    write_whole(file.with_suffix(".svg"), pareto_plot(table.rows))


def files_of(file: Path) -> list[Path]:
    """What `write_table` writes."""
    return [file.with_suffix(end) for end in (".json", ".md", ".html", ".svg")]


def page(table: Table) -> str:
    """The table in Markdown: what each form takes, what it is worth, what cannot run here."""
    had = [row for row in table.rows if not row.missing]
    lines = [
        f"# {_title(table)}",
        "",
        f"Written by `python -m trainer quantise`. {_gate(table, had[0])}",
        "",
        *_lines(_HEADS, [_taken(row, had[0]) for row in had]),
        "",
        _measured(table),
        "",
        *_lines(_worths(), [_worth(row) for row in had]),
        "",
        _INTERVALS,
        "",
    ]
    for title, said in _groups(table):
        lines += [f"**{title}.**", "", *(f"- {name}: {text}" for name, text in said), ""]
    lines += [*(f"{line}.\n" for line in table.said)]
    return "\n".join(lines) + "\n"


def html(table: Table) -> str:
    """The same as a page that reads alone, with the plot."""
    had = [row for row in table.rows if not row.missing]
    sections = [
        Section("", _gate(table, had[0])),
        *(Section("", f"{line}.") for line in table.said),
        Section(
            "What each form takes", _measured(table), (("", pareto_plot(table.rows)),),
            (_HEADS, [_taken(row, had[0]) for row in had]),
        ),
        Section("What it is worth", _INTERVALS, (), (_worths(), [_worth(row) for row in had])),
        *(Section(title, table=(("", ""), said)) for title, said in _groups(table)),
    ]  # fmt: skip
    return to_html(_title(table), sections)


_INTERVALS = (
    "Value, 95 % interval over sentences; for the others than the original also the share that is"
    " kept, with its own interval (sentences drawn in pairs)."
)


def _title(table: Table) -> str:
    return f"Forms of {table.model} ({table.version})"


def _gate(table: Table, first: Row) -> str:
    whose = f"those of {table.against}" if table.against else "the original's"
    rows, sentences = first.quality["rows"], first.quality["sentences"]
    return (
        f"A form passes where every figure keeps {LEAST:.0%} of {whose} on the {table.split} split"
        f" of {table.dataset} (n = {rows} rows, {sentences} sentences), the lower end of its 95 %"
        f" interval {LEAST_LOW:.0%}, and the rate of invented phrases grows by no more than"
        f" {MORE_ERRORS:.0%} of itself."
    )


def _measured(table: Table) -> str:
    return (
        "Memory is what a process holds that serves the form, Python and torch included. A click is"
        " cold and answers all words of its sentence. The forms took turns, on"
        f" {_machine(table.machine)}; CPU is the processor's time over all threads, which hardly"
        " depends on what else runs, the median is the clock's."
    )


def _lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, *rows)]
    return [lines[0], f"|{'---|' * len(heads)}", *lines[1:]]


def _taken(row: Row, first: Row) -> list[str]:
    cpu, whole = row.click.get("cpu_ms", 0.0), first.click.get("cpu_ms", 0.0)
    share = f"{cpu / whole:.2f}" if cpu and whole else "–"
    return [
        row.name, f"{row.disk_mb:.0f}", f"{row.disk_mb / first.disk_mb:.2f}",
        f"{row.resident_mb:.0f}", str(row.token_ms or "–"), str(cpu or "–"), share,
        str(row.click.get("median_ms", "–")), f"{row.quality['kept']:.3f}",
        "yes" if row.fit else "no",
    ]  # fmt: skip


def _worths() -> list[str]:
    return ["form", *(_SHORT[name] for name in (*KEPT, *ERRORS))]


def _worth(row: Row) -> list[str]:
    return [row.name, *(_cell(row, name) for name in (*KEPT, *ERRORS))]


def _cell(row: Row, name: str) -> str:
    found = row.quality["figures"].get(name)
    if not found:
        return "–"
    low, high = found["interval"]
    text = f"{found['value']:.3f} ({low:.3f}–{high:.3f})"
    share = row.quality["shares"].get(name)
    if row.name == ORIGINAL or not share:
        return text
    low, high = share["interval"]
    return f"{text}; {share['value']:.3f} ({low:.3f}–{high:.3f})"


def _groups(table: Table) -> list[tuple[str, list[tuple[str, str]]]]:
    """What is said of some forms, under a title; none without forms."""
    had = [row for row in table.rows if not row.missing]
    found = [
        ("What did not pass", [(r.name, r.quality["reason"]) for r in had if not r.fit]),
        ("What cannot run here", [(r.name, r.missing) for r in table.rows if r.missing]),
        ("What the forms are", [(r.name, r.text) for r in had]),
    ]
    return [(title, said) for title, said in found if said]


def _machine(told: dict[str, Any]) -> str:
    return f"{told['processor']}, {told['threads']} threads, torch {told['torch']}"
