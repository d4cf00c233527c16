"""The table of a model's forms as JSON, Markdown, and a plot of size and speed against quality."""

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

_SHORT = {
    "class_accuracy": "class", "meaning_match": "meaning", "phrase_f1": "phrase F1",
    "phrase_exact": "members", "phrase_meaning_chrf": "phrase meaning", "right": "right",
    "phrase_where_not": "invented",
}  # fmt: skip


def write_table(table: Table, file: Path) -> None:
    """Write FILE.json, and beside it the page as FILE.md and the plot as FILE.svg."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(asdict(table), indent=1, ensure_ascii=False) + "\n")
    write_whole(file.with_suffix(".md"), page(table))
    write_whole(file.with_suffix(".svg"), pareto_plot(table.rows))


def page(table: Table) -> str:
    """The table in Markdown: what each form takes, what it is worth, what cannot run here."""
    had = [row for row in table.rows if not row.missing]
    first = had[0].quality
    whose = f"those of {table.against}" if table.against else "the original's"
    lines = [
        f"# Forms of {table.model} ({table.version})",
        "",
        "Written by `python -m trainer quantise`. A form passes where every figure keeps"
        f" {LEAST:.0%} of {whose} on the {table.split} split of {table.dataset}"
        f" (n = {first['rows']} rows, {first['sentences']} sentences), the lower end of its 95 %"
        f" interval {LEAST_LOW:.0%}, and the rate of invented phrases grows by no more than"
        f" {MORE_ERRORS:.0%} of itself.",
        "",
        "| form | MB on disk | of the original | MB in memory | CPU ms a token | CPU ms a click |"
        " of the original | a click's median, ms | least kept | passes |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_taken(row, had[0]) for row in had),
        "",
        "Memory is what a process holds that serves the form, Python and torch included. A click is"
        " cold and answers all words of its sentence. The forms took turns, on"
        f" {_machine(table.machine)}; CPU is the processor's time over all threads, which hardly"
        " depends on what else runs, the median is the clock's.",
        "",
        f"| form | {' | '.join(_SHORT[name] for name in (*KEPT, *ERRORS))} |",
        f"|---|{'---|' * len((*KEPT, *ERRORS))}",
        *(_worth(row) for row in had),
        "",
        "Value, 95 % interval over sentences; for the others than the original also the share that"
        " is kept, with its own interval (sentences drawn in pairs).",
        "",
    ]
    lines += _said("What did not pass", [r for r in had if not r.fit], _reason)
    lines += _said("What cannot run here", [r for r in table.rows if r.missing], _missing)
    lines += _said("What the forms are", had, lambda row: row.text)
    lines += [*(f"{line}.\n" for line in table.said)]
    return "\n".join(lines) + "\n"


def _taken(row: Row, first: Row) -> str:
    cpu, whole = row.click.get("cpu_ms", 0.0), first.click.get("cpu_ms", 0.0)
    share = f"{cpu / whole:.2f}" if cpu and whole else "–"
    return (
        f"| {row.name} | {row.disk_mb:.0f} | {row.disk_mb / first.disk_mb:.2f} |"
        f" {row.resident_mb:.0f} | {row.token_ms or '–'} | {cpu or '–'} | {share} |"
        f" {row.click.get('median_ms', '–')} | {row.quality['kept']:.3f} |"
        f" {'yes' if row.fit else 'no'} |"
    )


def _worth(row: Row) -> str:
    return f"| {row.name} | {' | '.join(_cell(row, name) for name in (*KEPT, *ERRORS))} |"


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


def _said(title: str, rows: Sequence[Row], text: Any) -> list[str]:
    return [f"**{title}.**", "", *(f"- {r.name}: {text(r)}" for r in rows), ""] if rows else []


def _reason(row: Row) -> str:
    return row.quality["reason"]


def _missing(row: Row) -> str:
    return row.missing


def _machine(told: dict[str, Any]) -> str:
    return f"{told['processor']}, {told['threads']} threads, torch {told['torch']}"
