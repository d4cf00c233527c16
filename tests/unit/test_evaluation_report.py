"""An evaluation's report: what is beyond chance, what is better lower, the worst rows first."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.stored_evaluations import make_rows, make_told
from trainer.evaluation.report import write_report
from trainer.plots import Spans, interval_plot

EVIL = "<script>alert(1)</script>|*x*\u202e"


def keep(folder: Path, told: dict, rows: list[dict]) -> None:
    (folder / "evaluation.json").write_text(json.dumps(told), encoding="utf-8")
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "answers.jsonl").write_text(lines, encoding="utf-8")


def written(folder: Path, told: dict, rows: list[dict]) -> tuple[str, str]:
    keep(folder, told, rows)
    html, markdown = write_report(folder)
    assert (html.name, markdown.name) == ("report.html", "report.md")
    return html.read_text(encoding="utf-8"), markdown.read_text(encoding="utf-8")


def line_of(markdown: str, start: str, title: str) -> str:
    part = markdown.split(f"## {title}\n")[1].split("\n## ")[0]
    return next(line for line in part.splitlines() if line.startswith(f"| {start}"))


def test_figures_differences_slices_and_form(tmp_path: Path):
    rows = make_rows(60)
    html, markdown = written(tmp_path, make_told(rows, ("base", "shipped"), "dev"), rows)
    assert "# Evaluation: en-zh-gold, dev split" in markdown and "en-zh-gold" in html
    right = line_of(markdown, "right", "Figures")
    assert "| 60 |" in right and re.search(r"3[0-9]\.\d % \(2", right)
    assert "better, beyond chance" in line_of(markdown, "right", "From base to shipped")
    ms = line_of(markdown, "ms (lower is better)", "From base to shipped")
    assert "−12.0" in ms and "better, beyond chance" in ms
    assert "## By class" in markdown
    places = [
        markdown.index(f"## {name}") for name in ("Worst regressions", "Best gains", "Figures")
    ]
    assert places == sorted(places)
    for svg in re.findall(r"<svg.*?</svg>", html):
        ElementTree.fromstring(svg)
    assert html.count("<figure>") == 1 and "<script" not in html


def test_the_worst_regression_comes_first_with_its_word_marked(tmp_path: Path):
    rows = make_rows(30)
    for number, row in enumerate(rows):
        for answer, worth in zip(row["answers"], (0.5, 0.5), strict=True):
            answer |= {"worth": worth}
        if number in (7, 21):
            row["answers"][1] |= {"worth": 0.3 if number == 7 else 0.0, "zh": f"坏{number}"}
    _, markdown = written(tmp_path, make_told(rows, ("base", "shipped"), "dev"), rows)
    worst = markdown.split("## Worst regressions")[1].split("\n## ")[0]
    assert "2 of 2." in worst and worst.index("坏21") < worst.index("坏7")
    assert f"‹{rows[21]['target']}›" in worst
    assert "None." in markdown.split("## Best gains")[1]


def test_a_difference_within_chance_is_said_to_be(tmp_path: Path):
    rows = make_rows(12)
    told = make_told(rows, ("base", "shipped"), "dev")
    told["pairs"][0]["differences"] = {
        "right": {"value": -0.01, "interval": [-0.2, 0.1]},
        "valid": {"value": 0.0, "interval": [0.0, 0.0]},
        "class_accuracy": {"value": -0.3, "interval": [-0.4, -0.1]},
    }
    _, markdown = written(tmp_path, told, rows)
    title = "From base to shipped"
    assert "within chance" in line_of(markdown, "right", title)
    assert "within chance" in line_of(markdown, "valid", title)
    assert "worse, beyond chance" in line_of(markdown, "class accuracy", title)


def test_what_people_typed_is_text(tmp_path: Path):
    rows = make_rows(12)
    told = make_told(rows, ("base", "shipped"), "dev")
    told["models"][1]["title"] = EVIL
    told["split"]["dataset"] = EVIL
    for row in rows:
        row["answers"][1] |= {"zh": EVIL, "worth": 0.0}
        row["answers"][0] |= {"worth": 1.0}
    html, markdown = written(tmp_path, told, rows)
    assert "<script" not in html and "&lt;script&gt;" in html
    assert "\u202e" not in html + markdown and r"\<script\>" in markdown


@pytest.mark.parametrize("count", (1, 4))
def test_one_model_alone_and_four_beside_each_other(tmp_path: Path, count: int):
    names = ("base", "shipped", "run:7", "kept:1")[:count]
    rows = make_rows(20, count)
    _, markdown = written(tmp_path, make_told(rows, names, "test"), rows)
    assert markdown.count("## From ") == markdown.count("## Worst") == count * (count - 1) // 2
    assert ("Wrong answers, the surest first" in markdown) == (count == 1)


def test_whole_sentences_have_no_word_to_mark(tmp_path: Path):
    row = {"context": "It rains.", "position": None, "reference": {"text": "下雨了。"}}
    row |= {"answers": [{"text": "下雨。", "worth": 0.6}, {"text": "天。", "worth": 0.1}]}
    told = make_told(make_rows(3), ("base", "shipped"), "dev")
    told["models"][0]["figures"] = {"bleu": {"value": 31.2, "interval": [28.0, 33.0], "n": 1}}
    html, markdown = written(tmp_path, told, [row])
    assert "| It rains. | 下雨了。 | 下雨。 | 天。 |" in markdown
    assert "Scores out of 100" in html and "31.2 (28.0 to 33.0)" in markdown


def test_intervals_of_odd_values_are_drawn():
    assert interval_plot("none", [Spans("a", [None])]) == ""
    for value in ((0.0, 0.0, 0.0), (-0.5, -1.0, 0.0), (1e9, 1e8, 1e10)):
        svg = interval_plot("<odd>", [Spans("a & b", [value, None])])
        ElementTree.fromstring(svg)
        assert "nan" not in svg
