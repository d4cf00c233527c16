"""A run's report: whole, of one file, without a script; nothing in it is taken for markup."""

from __future__ import annotations

import json
import os
import re
import shlex
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from db.store import open_store
from tests.told_runs import add_run, leave_files, tell_steps, whole_run
from trainer.history import read_history, thinned
from trainer.jobs.queue import Jobs
from trainer.pages import HTML, JSON, MARKDOWN, said
from trainer.plots import Curve, Mark, line_plot, nice_ticks, short
from trainer.report import read_events, run_command, write_report

EVIL = "<script>alert(1)</script>|*x*\u202e"


@pytest.fixture
def home(tmp_path: Path):
    with open_store(tmp_path / "ctx.db") as store:
        yield store, tmp_path


def write(home, job) -> tuple[str, str]:
    store, folder = home
    jobs = Jobs(store, folder)
    files = write_report(
        store.jobs.get(job.id), read_events(jobs, job.id), folder / "jobs" / str(job.id)
    )
    assert [file.name for file in files] == [HTML, MARKDOWN, JSON]
    return files[0].read_text(encoding="utf-8"), files[1].read_text(encoding="utf-8")


def test_a_report_holds_plots_scores_recipe_data_and_the_command(home):
    job = add_run(*home, whole_run())
    leave_files(home[1], job.id)
    html, markdown = write(home, job)
    assert html.count("<figure>") == 5 and html.count("<polyline") >= 12
    for text in (html, markdown):
        for told in ("Not fit to promote: retention", "back", "0.55 to 0.71", "n = 60", "ab" * 32):
            assert told in text.replace("rollback", "back"), told
        assert "python -m trainer run" in text and "3,796,992" in text
    assert "<script" not in html and "http" not in re.sub(r"http-equiv", "", html)
    for svg in re.findall(r"<svg.*?</svg>", html):
        ElementTree.fromstring(svg)


def test_a_students_report_says_what_it_is_and_what_it_gets_wrong(home):
    shown = {"context": f"Dogs {EVIL}", "target": "Dogs", "expected": "noun · 狗", "answered": "x"}
    errors = {
        "event": "errors", "step": 400, "rows": 60, "written": 16,
        "counts": {"wrong_sense": 7, "empty": 0, "unreadable": 2},
        "examples": {"wrong_sense": [shown]},
    }  # fmt: skip
    made = [
        {"event": "taught", "k": 64, "tokens": 1234, "bytes": 5678, "seconds": 9.5},
        {"event": "layers", "by": "loss", "loss": 0.5, "worth": [0.1, 0.2], "out": [1, 3]},
        {"event": "student", "layers": 16, "of_layers": 18, "bytes": 261_000_000},
    ]
    devs = [one for one in tell_steps(0, 400) if one["event"] == "dev"]
    last = {**devs[-1], "score": 0.9, "best": True, "answer_ms": 12.5, "written": 16}
    job = add_run(*home, [*made, *devs[:-1], last, errors], distil={"top": 64})
    html, markdown = write(home, job)
    for text in (html, markdown):
        for told in ("1, 3", "261,000,000", "5,678", "wrong sense", "Trend", "distil.top", "noun"):
            assert told in text, told
        assert "16 rows" in text and "| 60 | 16 | 7 | 2 |" in markdown
    assert "Against the previous and the best" in html and "Answer to a dev row, ms" in html
    assert "<script" not in html and "\u202e" not in html + markdown


def read_data(home, job) -> dict:
    text = (home[1] / "jobs" / str(job.id) / JSON).read_text(encoding="utf-8")
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_a_report_is_data_as_well(home):
    environment = {"cores": 2, "memory_gb": 25, "torch": "2.15", "system": "Linux"}
    told = whole_run()
    told[0]["environment"] = environment
    job = add_run(*home, told)
    leave_files(home[1], job.id)
    card = home[1] / "jobs" / str(job.id) / "adapter" / "card.json"
    card.write_text(card.read_text().replace("0.9,", "NaN,"))
    html, _ = write(home, job)
    data = read_data(home, job)
    assert data["environment"] == environment | {"platform": None}
    for name in environment:
        assert name.replace("_", " ") in html
    assert data["scores"]["dev mine"]["phrase_f1"]["value"] is None, "not a number is none"
    assert data["scores"]["dev mine"]["meaning_match"]["interval"] == [0.55, 0.71]
    assert data["recipe"]["replay"] == 0.5 and data["data"][1]["sha256"] == "ab" * 32
    assert data["curves"]["loss"][-1][0] == 400 and data["changes"]["score"][-1]["previous"]
    assert [mark["event"] for mark in data["marks"]] == ["rollback", "stopped", "resumed"]
    assert data["best"]["step"] == 300 and data["command"].startswith("python -m trainer run")


def test_translations_are_compared_and_plotted_by_all_that_they_are_scored_by(home):
    figures = {
        "chrf": 40.0, "bleu": 20.0, "ter": 60.0, "rouge_1": 0.5, "rouge_2": 0.3, "rouge_l": 0.4,
        "base_embedding_f1": 0.6, "answer_ms": 200.0, "score": 0.4, "dev_loss": 1.0,
    }  # fmt: skip
    devs = [
        {"event": "dev", "step": n, **{name: one + n / 100 for name, one in figures.items()}}
        for n in (10, 20, 30)
    ]
    job = add_run(*home, devs)
    html, markdown = write(home, job)
    assert html.count("<polyline") == len(figures)
    data = read_data(home, job)
    for name in figures:
        assert f"{name.replace('_', ' ')} +0.1" in html, "its trend"
        assert markdown.count(f"| 30 | {said(name)} |") == 1, "against the previous and the best"
        assert len(data["curves"][name]) == len(data["changes"][name]) == 3
    assert data["changes"]["ter"][2]["best"] == pytest.approx(0.2), "lower is better"


def test_a_figure_that_could_not_be_had_is_named_with_the_reason(home):
    left_out = {"event": "left_out", "figure": "base_embedding_f1", "code": "not_converted",
                "reason": "It was not converted."}  # fmt: skip
    dev = {"event": "dev", "step": 1, "dev_loss": 1.0, "chrf": 40.0}
    job = add_run(*home, [left_out, dev])
    assert all(
        "Without base embedding f1: It was not converted." in one for one in write(home, job)
    )
    job = add_run(*home, [left_out, dev | {"base_embedding_f1": 0.5}])
    assert "Without" not in write(home, job)[1], "it could, when the run went on"


def test_what_people_typed_is_text_in_a_report(home):
    store, folder = home
    job = add_run(store, folder, tell_steps(0, 50), "failed", "out_of_memory", EVIL, name="a")
    store.jobs.write_note(job.id, "<img src=x>\n| a | b |")
    html, markdown = write(home, job)
    assert "<script" not in html and "<img" not in html and "&lt;img" in html
    assert "\u202e" not in html + markdown
    assert r"\<script\>" in markdown and r"\| a \| b \|" in markdown


def test_a_run_that_told_nothing_has_a_report(home):
    html, markdown = write(home, add_run(*home, (), "queued"))
    assert "<figure>" not in html and "queued" in html and "## Recipe" in markdown


def test_a_long_run_is_read_whole_and_drawn_in_few_points(home):
    job = add_run(*home, tell_steps(0, 25_000, 25_000))
    store, folder = home
    assert len(read_events(Jobs(store, folder), job.id)) > 2500
    html, _ = write(home, job)
    assert len(html) < 150_000


def test_the_command_is_one_that_a_shell_takes(tmp_path: Path):
    odd = tmp_path / "my runs; rm -rf $HOME 'x'"
    words = shlex.split(run_command(odd))
    assert words == ["python", "-m", "trainer", "run", str(odd / "recipe.json")]


def test_steps_that_were_taken_again_count_once():
    history = read_history([
        *tell_steps(0, 200),
        {"event": "resumed", "step": 100},
        *tell_steps(110, 200, loss=9.0),
        {"event": "odd"},
        {},
    ])  # fmt: skip
    steps = [step for step, _ in history.curve("loss")]
    assert steps == sorted(set(steps)) and steps[-1] == 200
    assert dict(history.curve("loss"))[200] > 2
    assert [step for step, _ in history.curve("dev_loss")] == [0, 50, 100, 150, 200]
    assert history.best["step"] == 200


def test_a_figure_that_is_no_number_is_no_point():
    events = [
        {"event": "step", "step": n, "loss": loss} for n, loss in enumerate((1.0, None, "x", True))
    ]
    assert read_history(events).curve("loss") == [(0, 1.0)]


def test_thinning_loses_no_spike():
    points = [(n, 1.0) for n in range(10_000)]
    points[7777] = (7777, 99.0)
    few = thinned(points, 300)
    assert len(few) <= 320 and (7777, 99.0) in few
    assert (few[0], few[-1]) == (points[0], points[-1]) and few == sorted(few)
    assert thinned(points[:300], 300) == points[:300]


def test_plots_of_odd_values_are_drawn():
    assert line_plot("none", [Curve("a", [])]) == ""
    for points in ([(0, 0.0)], [(0, 1e-9), (1, 1e-9)], [(0, -5.0), (10, 1e12)]):
        svg = line_plot("<odd>", [Curve("a", points)], [Mark(99, "a & b")], 0)
        ElementTree.fromstring(svg)
        assert "nan" not in svg


def test_ticks_are_round():
    assert nice_ticks(0, 400, 6) == [0, 100, 200, 300, 400]
    assert nice_ticks(0.12, 0.19, 4) == [0.12, 0.14, 0.16, 0.18]
    assert [short(x) for x in (0, 0.5, 2e-4, 12345.6)] == ["0", "0.5", "2e-4", "12,346"]


def test_the_command_line_writes_it(home, monkeypatch, capsys):
    import argparse

    from trainer.jobs.commands import add_commands

    job = add_run(*home, whole_run())
    monkeypatch.setitem(os.environ, "CTX_HOME", str(home[1]))
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["report", str(job.id)])
    assert arguments.command(arguments) == 0
    assert [Path(line).name for line in capsys.readouterr().out.split()] == [HTML, MARKDOWN, JSON]
