"""A corpus' report: what each stage dropped and why, with lines that it dropped; as JSON for
programs, as a page and as Markdown for people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.files import write_whole
from trainer.pages import Section, write_pages
from trainer.scratch.corpus.duplicates import choose_bands, taken_for_near
from trainer.scratch.corpus.shards import REPORT

_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Write report.json, report.html and report.md; the first one last, as it says that all is
    there."""
    recipe = report["recipe"]
    sections = [
        Section(
            "",
            f"{report['kept']:,} of {report['rows']:,} rows in {recipe['languages']} were kept"
            f" ({_share(report['kept'], report['rows'])}), {report['characters']:,} characters;"
            f" {report['mended']:,} of them were mended.",
        ),
        Section(
            "From",
            ". ".join(filter(None, (recipe["origin"], recipe["licence"]))),
            table=((), [(source,) for source in recipe["sources"]]),
        ),
        Section("Stages, in order", table=_stages(report)),
        Section(
            "What was dropped, by rule",
            "Of each rule up to five rows, always the same ones, as they stood when it looked at"
            " them.",
            table=_rules(report),
        ),
        *_near(report),
    ]
    write_pages(folder, f"Corpus {recipe['name']}", sections)
    write_whole(folder / REPORT, json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def _stages(report: Mapping[str, Any]) -> Any:
    rows = [
        (one["name"], one["why"], f"{one['dropped']:,}", _share(one["dropped"], report["rows"]))
        for one in report["stages"]
    ]
    return ("stage", "why it is there", "dropped", "of all rows"), rows


def _rules(report: Mapping[str, Any]) -> Any:
    rows = []
    for stage in (one["name"] for one in report["stages"]):
        rules = report["dropped"].get(stage, {})
        for rule, counted in sorted(rules.items(), key=lambda item: -item[1]["count"]):
            for n, (_, text) in enumerate(counted["samples"]):
                first = (stage, rule, f"{counted['count']:,}") if n == 0 else ("", "", "")
                rows.append((*first, text))
    return ("stage", "rule", "rows", "some of them"), rows


def _near(report: Mapping[str, Any]) -> list[Section]:
    recipe = report["recipe"]
    wrong = (
        f"The index of lines seen, {recipe['index_mb']} MB, ended so full that"
        f" {report['false_rate']:.2%} of new lines would be taken for ones seen."
    )
    if not recipe["similar"]:
        return [Section("Duplicates", wrong)]
    bands, rows = choose_bands(recipe["similar"])
    table = [
        (f"{share:.0%}", f"{float(taken_for_near(share, bands, rows)):.1%}") for share in _SHARES
    ]
    return [
        Section(
            "Duplicates",
            f"{wrong} Near duplicates are told by {bands} bands of {rows} MinHash values:",
            table=(("pieces that two lines share", "called near duplicates"), table),
        )
    ]


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else ""
