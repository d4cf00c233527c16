"""What the Smaller forms view may ask, asked by strangers, and what the page of such a run tells.
Jobs are made, never started.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db.store import Store, open_store
from engine.settings import Settings
from tests.made_forms import add_forms
from tests.told_runs import freeze
from trainer.jobs.queue import Jobs
from ui.access import Access
from ui.services import Services
from ui.train.quantise import USUAL, QuantiseDesk
from ui.train.run import RunDesk
from ui.train.runs import RunsDesk

GOOD = {"model": "shipped", "dataset": "mine", "how": "forms", "ways": ["int8"], "rows": 300}


class Page:
    """A page over a store of its own."""

    def __init__(self, store: Store, home: Path, hosted: bool = False):
        self.store, self.home, self.jobs = store, home, Jobs(store, home)
        self.jobs.look = lambda: None  # type: ignore[method-assign]
        services = Services(Settings(home=home), None, store, Access(hosted), self.jobs)  # type: ignore[arg-type]
        self.desks = [desk(services).served() for desk in (QuantiseDesk, RunsDesk, RunDesk)]

    def ask(self, name: str, **asked: Any) -> dict:
        method = next(desk[name] for desk in self.desks if name in desk)
        return json.loads(json.dumps(asyncio.run(method(asked))))

    def finish(self, name: str, **asked: Any) -> dict:
        reply = self.ask(name, **asked)
        while work := reply.get("work"):
            reply = self.ask("work", work=work)
        return reply


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with open_store(tmp_path / "ctx.db") as store:
        freeze(store, tmp_path, "mine", 60)
        yield Page(store, tmp_path)


def test_there_are_models_that_answer_words_datasets_with_test_rows_and_all_forms(page: Page):
    found = page.ask("choices", pair="en-zh")
    assert "shipped" in [one["name"] for one in found["models"]]
    assert not any("translation" in one["name"] for one in found["models"])
    assert [one["name"] for one in found["datasets"]] == ["mine"]
    assert {one["name"] for one in found["forms"] if one["usual"]} == set(USUAL)
    assert page.ask("choices", pair="de-en") | {"forms": 0} == {
        "models": [], "datasets": [], "forms": 0,
    }  # fmt: skip


def test_a_run_is_begun_with_what_is_asked(page: Page):
    reply = page.ask("begin", **GOOD)
    recipe = page.store.jobs.get(reply["run"]["id"]).recipe
    assert (recipe["model"], recipe["dataset"], recipe["ways"]) == ("shipped", "mine", ["int8"])
    assert (recipe["rows"], recipe["ratio"], recipe["progressive"]) == (300, 0, False)
    assert (reply["run"]["kind"], reply["run"]["name"]) == ("quantise", "shipped")
    steps = page.ask("begin", **GOOD | {"how": "steps", "ways": []})
    recipe = page.store.jobs.get(steps["run"]["id"]).recipe
    assert (recipe["progressive"], recipe["ways"]) == (True, [])
    sized = page.ask("begin", **GOOD | {"how": "ratio", "ratio": 0.35})
    assert page.store.jobs.get(sized["run"]["id"]).recipe["ratio"] == 0.35
    assert [one["kind"] for one in page.ask("runs")["runs"]] == ["quantise"] * 3


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"model": "/etc"}, "unknown_model"),
        ({"model": "shipped:en-es-translation"}, "unknown_model"),
        ({"dataset": "yours"}, "no_dataset"),
        ({"how": "all"}, "not_understood"),
        ({"ways": "int8"}, "not_understood"),
        ({"ways": []}, ["ways"]),
        ({"ways": ["int8", "../x"]}, ["ways"]),
        ({"ways": [["int8"]]}, ["ways"]),
        ({"rows": "x"}, ["rows"]),
        ({"rows": 1.5}, ["rows"]),
        ({"rows": float("inf")}, ["rows"]),
        ({"rows": -1, "how": "ratio", "ratio": 2}, ["rows", "ratio"]),
        ({"how": "ratio"}, ["ratio"]),
    ],
)
def test_what_does_not_fit_is_said(page: Page, wrong: dict, error: Any):
    reply = page.ask("begin", **GOOD | wrong)
    told = {"error": error} if isinstance(error, str) else {"error": "bad_fields", "fields": error}
    assert reply == told and page.jobs.list_jobs() == ()


def test_the_page_of_a_run_tells_its_forms_figure_by_figure(page: Page):
    job = add_forms(page.store, page.home)
    found = page.ask("details", id=job.id)
    forms = found["forms"]
    assert [(one["name"], one["passed"]) for one in forms["forms"]] == [
        ("bf16", True), ("int8-rows8", True), ("int4-rows4", False),
    ]  # fmt: skip
    assert forms["missing"] == [{"name": "nf4", "why": "bitsandbytes is not installed"}]
    worth = dict(zip(forms["figures"], forms["worth"][2]["figures"], strict=True))
    assert worth["right"] == {"value": pytest.approx(0.672), "share": 0.84}
    assert worth["phrase_where_not"]["share"] is None, "of errors nothing is kept"
    assert found["data"][0]["rows"] == 616
    assert found["command"] == (
        "python -m trainer quantise shipped --ways int8-rows8 int4-rows4 nf4 --ratio 0.6"
        " --dataset en-zh-gold"
    )
    changed = {one["name"] for one in found["recipe"]["fields"] if one["changed"]}
    assert changed == {"ways", "ratio"}
    for form, start in (("html", "<!doctype html>"), ("md", "# Forms of en-zh-sense")):
        assert page.finish("report", id=job.id, form=form)["text"].startswith(start)


def test_a_run_at_work_says_which_form_it_is_at_and_one_that_waits_has_no_forms(page: Page):
    job = add_forms(page.store, page.home, "running")
    run = page.ask("watch", id=job.id, after=0)["run"]
    assert (run["done"], run["total"], run["at"]["form"]) == (2, 4, "int4-rows4")
    assert (run["at"]["rows"], run["at"]["of_rows"]) == (120, 616)
    waits = page.ask("begin", **GOOD)["run"]
    assert page.ask("details", id=waits["id"])["forms"] is None
    assert page.finish("report", id=waits["id"], form="md")["error"] == "no_report"


def test_a_hosted_app_makes_no_forms(page: Page):
    hosted = Page(page.store, page.home, hosted=True)
    for name in ("choices", "begin"):
        assert hosted.ask(name, **GOOD)["error"] == "hosted_read_only"
