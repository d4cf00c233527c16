"""What the Train tab may ask, asked by strangers: the form, its refusals, runs, their reports."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from db.store import Brought, Origin, Store, open_store
from engine.settings import Settings
from tests.told_runs import add_run, freeze, leave_files, tell, tell_steps, whole_run
from trainer.jobs import kinds
from trainer.jobs.kinds import Kind, Prepared
from trainer.jobs.queue import Jobs
from trainer.recipe import Recipe, named_fields
from ui.access import Access
from ui.services import Services
from ui.strings.bring import BRING
from ui.strings.data import DATA
from ui.strings.en import EN
from ui.strings.label import LABEL
from ui.strings.teacher import TEACHER
from ui.strings.train import TRAIN
from ui.strings.train_fields import CHINESE_HELP, FITTING, NAMES, TRAIN_FIELDS
from ui.train.new import NewDesk
from ui.train.recipes import ELSEWHERE, to_presets
from ui.train.run import RunDesk
from ui.train.runs import MOST_COMPARED, RunsDesk

HOSTILE = (None, "1", -1, 1.5, True, 2**70, [], {}, "../../etc", "'; DROP TABLE job; --")


class Page:
    """A page over a store of its own; jobs are made, never started."""

    def __init__(self, store: Store, home: Path, hosted: bool = False):
        self.store, self.home = store, home
        self.jobs = Jobs(store, home)
        self.jobs.look = lambda: None  # type: ignore[method-assign]
        services = Services(Settings(home=home), None, store, Access(hosted), self.jobs)  # type: ignore[arg-type]
        self.served = {}
        for desk in (NewDesk, RunsDesk, RunDesk):
            for name, method in desk(services).served().items():
                self.served[f"{desk.__name__}.{name}"] = method

    def ask(self, name: str, asked: object) -> dict:
        async def run() -> dict:
            reply = await self.served[name](asked)
            while "work" in reply:
                await asyncio.sleep(0.05)
                reply = await self.served[f"{name.split('.')[0]}.work"]({"work": reply["work"]})
            return reply

        return json.loads(json.dumps(asyncio.run(run())))

    def new(self, name: str, **asked: object) -> dict:
        return self.ask(f"NewDesk.{name}", {"dataset": "mine", "start": "", "values": {}} | asked)

    def run(self, name: str, **asked: object) -> dict:
        return self.ask(f"RunDesk.{name}", asked)

    def runs(self, name: str, **asked: object) -> dict:
        return self.ask(f"RunsDesk.{name}", asked)


@pytest.fixture
def page(tmp_path: Path, monkeypatch):
    kind = Kind(Recipe, lambda recipe: Prepared(recipe, "compute"), lambda work: True)
    found = SimpleNamespace(KIND=kind)
    real = kinds.import_module
    monkeypatch.setattr(
        kinds, "import_module", lambda name: found if name == "trainer.jobs.train" else real(name)
    )
    home = tmp_path / "home"
    with open_store(home / "ctx.db") as store:
        freeze(store, tmp_path, "mine", 40)
        yield Page(store, home)


def test_every_field_of_the_recipe_has_a_name_and_help_in_both_languages(page):
    names = {name for name, _ in named_fields()} - set(ELSEWHERE)
    assert names == set(NAMES) == set(CHINESE_HELP)
    assert set(FITTING) <= names
    form = page.new("form")
    assert {field["name"] for field in form["fields"]} == names
    for field in form["fields"]:
        assert field["help"]["en"] and field["help"]["zh-CN"] != field["help"]["en"]


def test_the_tabs_texts_are_under_keys_of_its_own():
    tables = (EN, LABEL, BRING, DATA, TEACHER, TRAIN, TRAIN_FIELDS)
    counts = Counter(key for table in tables for key in table)
    assert not {key for key in (*TRAIN, *TRAIN_FIELDS) if counts[key] > 1}


def test_each_pair_has_datasets_of_its_own(page, tmp_path):
    freeze(page.store, tmp_path, "wörter", 30, "de-en")
    mine, german = (
        page.ask("NewDesk.choices", {"pair": pair})["sense"] for pair in ("en-zh", "de-en")
    )
    assert [one["name"] for one in mine["datasets"]] == ["mine"]
    assert mine["trained"] and mine["present"]
    assert [one["name"] for one in german["datasets"]] == ["wörter"]
    assert german["trained"] and not german["present"]
    # Whatever pair the page says, a recipe's is its dataset's, and older examples are of English.
    run = page.new("begin", dataset="wörter", pair="en-zh", values={"replay": 0.7})["run"]
    assert (run["pair"], run["task"]) == ("de-en", "sense")
    recipe = page.store.jobs.get(run["id"]).recipe
    assert [one["path"] for one in recipe["sources"]] == ["wörter"] and recipe["replay"] == 0
    run = page.new("begin", pair="de-en")["run"]
    assert (run["pair"], run["task"]) == ("en-zh", "sense")
    assert page.ask("NewDesk.choices", {"pair": "no pair"})["error"] == "unknown_value"


def test_sentences_that_were_frozen_become_a_run_of_their_task(page):
    origin = Origin("pairs.tsv", "flat", "de-en")
    number = page.store.imports.begin(origin)
    lines = [
        Brought(n, 0, "", context=f"Das ist Satz {n}.", translation=f"Sentence {n}.")
        for n in range(40)
    ]
    page.store.imports.add(number, origin, lines)
    page.store.sentence_sets.freeze("sätze", "de-en")
    found = page.ask("NewDesk.choices", {"pair": "de-en"})
    assert [one["name"] for one in found["translation"]["datasets"]] == ["sätze"]
    assert found["translation"]["present"] and not found["sense"]["datasets"]
    asked = {"task": "translation", "dataset": "sätze"}
    style = {"style": "long", "phrase_weight": 3.0, "replay": 0.5}
    run = page.new("begin", values=style, **asked)["run"]
    assert (run["pair"], run["task"]) == ("de-en", "translation")
    recipe = page.store.jobs.get(run["id"]).recipe
    assert (recipe["style"], recipe["phrase_weight"], recipe["replay"]) == ("long", 1.0, 0.0)
    assert [(one["path"], one["format"]) for one in recipe["sources"]] == [("sätze", "dataset")]
    wrong = page.new("begin", values={"style": "last"}, **asked)
    assert wrong == {"error": "bad_fields", "fields": ["style"]}
    assert page.new("begin", dataset="sätze")["error"] == "no_dataset", "it is of another task"
    for task in ("words", None, 7, []):
        assert page.new("begin", task=task, dataset="sätze")["error"] == "not_understood"
    style = next(one for one in page.new("form")["fields"] if one["name"] == "style")
    assert style["choices"]["translation"] == ["short", "long"] and style["tasks"] == [
        "sense", "translation",
    ]  # fmt: skip


def test_presets_of_distillation_are_offered_for_words_alone():
    found = {bool(one["values"].get("distil.teacher")): one["tasks"] for one in to_presets()}
    assert found == {True: ["sense"], False: ["sense", "translation"]}


@pytest.mark.parametrize("number", range(6))
def test_every_preset_can_be_started_as_it_is(page, number):
    preset = to_presets()[number]
    usual = {one["name"]: one["usual"] for one in page.new("form")["fields"]}
    started = page.new("begin", start=preset["start"], values=usual | preset["values"])
    assert started["run"]["state"] == "queued", preset["name"]


@pytest.mark.parametrize(
    "values", [{"matrices": "full"}, {"distil.teacher": "present", "distil.layers_out": 3}]
)
def test_what_no_adapter_fits_begins_with_the_base(page, values):
    values = {"reference": "", **values}
    for name in ("begin", "check", "preview"):
        wrong = page.new(name, start="present", values=values)
        assert wrong == {"error": "bad_fields", "fields": ["start"]}
    assert page.new("begin", start="", values=values)["run"]["state"] == "queued"


def test_a_form_becomes_a_job_with_the_usual_recipe(page):
    reply = page.new("begin", start="present", values={"rank": 8, "epochs": 3}, who="Ann")
    assert reply["run"]["state"] == "queued" and reply["run"]["place"] == 1
    job = page.store.jobs.get(reply["run"]["id"])
    assert (job.kind, job.slot, job.who) == ("train", "compute", "Ann")
    recipe = job.recipe
    assert (recipe["start"], recipe["rank"], recipe["epochs"]) == ("present", 8, 3.0)
    sources = [{k: one[k] for k in ("path", "format", "replay")} for one in recipe["sources"]]
    assert sources == [
        {"path": "en-zh-gold", "format": "dataset", "replay": True},
        {"path": "mine", "format": "dataset", "replay": False},
    ]


def test_older_examples_are_not_mixed_with_themselves(page, tmp_path):
    freeze(page.store, tmp_path, "en-zh-gold", 40)
    freeze(page.store, tmp_path, "gold", 40)
    for name, names in (("en-zh-gold", ["en-zh-gold"]), ("gold", ["en-zh-gold", "gold"])):
        job = page.store.jobs.get(page.new("begin", dataset=name)["run"]["id"])
        assert [source["name"] for source in job.recipe["sources"]] == names


@pytest.mark.parametrize(
    "values, wrong",
    [
        ({"rank": 0}, ["rank"]),
        ({"rank": "16"}, ["rank"]),
        ({"rank": True}, ["rank"]),
        ({"rank": 10**400, "rate": 1e-4}, ["rank"]),
        ({"seed": 2**60}, ["seed"]),
        ({"rate": "", "warmup": 3}, ["rate", "warmup"]),
        ({"rate": float("inf")}, ["rate"]),
        ({"epochs": [1]}, ["epochs"]),
        ({"name": "a b"}, ["name"]),
        ({"name": "x" * 5000}, ["name"]),
        ({"name": "a\x00b"}, ["name"]),
        ({"matrices": "../all"}, ["matrices"]),
        ({"quantised": True, "matrices": "full"}, ["quantised", "matrices"]),
        ({"distil.layers_out": 3}, ["distil.layers_out"]),
        ({"distil.teacher": "base", "distil.layers_out": 3, "rank": 0}, ["rank"]),
        ({"distil.teacher": "../base", "distil.top": 0}, ["distil.teacher", "distil.top"]),
    ],
)
def test_what_does_not_fit_is_said_of_its_field(page, values, wrong):
    for name in ("begin", "check", "preview"):
        assert page.new(name, values=values) == {"error": "bad_fields", "fields": wrong}
    assert page.jobs.list_jobs() == ()


@pytest.mark.parametrize("values", [None, [], "rank", {"sources": []}, {"start": "x"}, {"nix": 1}])
def test_values_that_no_form_has_are_refused(page, values):
    assert page.new("begin", values=values)["error"] == "not_understood"


def test_a_run_takes_frozen_datasets_only(page, tmp_path):
    (tmp_path / "rows.jsonl").write_text("{}")
    for name in (None, 7, "", "nobody's", "../mine", str(tmp_path / "rows.jsonl"), ["mine"]):
        assert page.new("begin", dataset=name) == {"error": "no_dataset"}
    assert page.jobs.list_jobs() == ()


def test_a_run_goes_on_from_finished_runs_only_never_from_a_path(page):
    done, failed = (
        add_run(page.store, page.home, (), "done"),
        add_run(page.store, page.home, (), "failed"),
    )
    leave_files(page.home, failed.id)
    bad = {"error": "bad_fields", "fields": ["start"]}
    assert page.new("begin", start=f"run:{done.id}") == bad  # it left no adapter
    leave_files(page.home, done.id)
    paths = ("/etc", "../x", "first.json", str(page.home), "run:", "run:-1", "run:１", "run:9" * 99)
    for start in (*paths, f"run:{failed.id}", "run:99", "run:" + "9" * 400):
        assert page.new("begin", start=start) == bad, start
    job = page.store.jobs.get(page.new("begin", start=f"run:{done.id}")["run"]["id"])
    assert job.recipe["start"] == str(page.home / "jobs" / str(done.id) / "adapter")
    assert page.run("details", id=job.id)["recipe"]["start"] == f"run:{done.id}"
    assert [one["id"] for one in page.new("choices")["sense"]["runs"]] == [done.id]


@dataclass(frozen=True)
class Plan:
    rows: int
    refusal: str


def test_a_look_before_says_what_the_plan_says_and_why_it_fails(page, monkeypatch):
    seen = []

    class Named(ValueError):
        code = "no_bitsandbytes"

    def plan(recipe, folder, settings, store):
        seen.append(recipe)
        if recipe.quantised:
            raise Named("4 bits need it")
        time.sleep(1.0)  # longer than the page's first question waits
        return Plan(12, "memory")

    rows = [SimpleNamespace(tokens=("a\u202e", "b"), counts=(False, True))]
    module = SimpleNamespace(plan=plan, preview=lambda *asked: rows)
    monkeypatch.setitem(__import__("sys").modules, "trainer.plan", module)
    assert page.new("check") == {"plan": {"rows": 12, "refusal": "memory"}}
    assert seen[0].sources[1].path == "mine"
    reply = page.new("check", values={"quantised": True})
    assert reply == {"error": "no_bitsandbytes", "detail": "4 bits need it"}
    assert page.new("preview") == {"rows": [[["a⟨U+202E⟩", "b"], [False, True]]]}


def test_a_look_before_says_that_the_adapter_it_starts_from_has_other_matrices(page):
    found = page.new("check", start="present", values={"rank": 5, "alpha": 10})
    assert found["error"] == "bad_recipe" and "must have the same" in found["detail"]


def test_a_run_is_read_on_behind_a_number(page):
    job = add_run(page.store, page.home, tell_steps(0, 100), "running")
    first = page.run("watch", id=job.id, after=0)
    assert first["run"]["state"] == "running" and "log" not in first
    assert [one["step"] for one in first["events"] if one["event"] == "dev"] == [0, 50, 100]
    assert page.run("watch", id=job.id, after=first["after"])["events"] == []
    tell(page.store, job.id, [{"event": "stopped", "step": 100}])
    more = page.run("watch", id=job.id, after=first["after"], log=True)
    assert [one["event"] for one in more["events"]] == ["stopped"] and more["log"] == ""


def test_a_runs_page_says_what_it_is_made_of(page):
    job = add_run(page.store, page.home, whole_run())
    leave_files(page.home, job.id, spoil="checkpoint")
    found = page.run("details", id=job.id)
    assert found["recipe"]["start"] == "present" and found["recipe"]["dataset"] == "mine"
    changed = {f["name"]: f["value"] for f in found["recipe"]["fields"] if f["changed"]}
    assert changed == {"name": "first-try", "replay": 0.5, "epochs": 8.0}
    assert found["data"][1] == {
        "name": "mine", "rows": 12, "hash": "ab" * 32, "older": False, "refused": 3,
    }  # fmt: skip
    assert found["scores"]["dev mine"]["n"] == 60
    assert [(one["name"], one["step"]) for one in found["checkpoints"]] == [
        ("checkpoint", 400),
        ("best", 300),
    ]
    assert page.run("verify", id=job.id) == {"whole": {"checkpoint": False, "best": True}}
    assert found["command"].endswith("/recipe.json")


def test_a_report_comes_as_text(page):
    job = add_run(page.store, page.home, whole_run())
    reply = page.run("report", id=job.id, form="html")
    assert reply["text"].startswith("<!doctype html>") and reply["name"] == f"run-{job.id}.html"
    assert page.run("report", id=job.id, form="md")["text"].startswith("# Run")
    assert json.loads(page.run("report", id=job.id, form="json")["text"])["run"]["id"] == job.id
    assert page.run("report", id=job.id, form="../x")["error"] == "not_understood"


def test_a_note_is_kept_as_it_is_typed_and_not_too_long(page):
    job = add_run(page.store, page.home)
    note = "<img src=x onerror=alert(1)>\nsecond line"
    assert page.run("note", id=job.id, note=note)["run"]["note"] == note
    assert page.run("note", id=job.id, note="x" * 9999)["error"] == "too_long"
    assert page.run("note", id=job.id, note=7)["error"] == "not_understood"
    assert page.runs("runs")["runs"][0]["note"] == note


def test_wishes_and_removing(page):
    job = add_run(page.store, page.home, tell_steps(0, 50), "running")
    assert page.run("wish", id=job.id, wish="stop")["run"]["asked"] == "stop"
    assert page.run("wish", id=job.id, wish="remove")["error"] == "not_understood"
    assert page.run("remove", id=job.id)["error"] == "job_state"
    over = add_run(page.store, page.home, (), "queued")
    assert page.runs("remove", ids=[over.id, job.id]) == {"removed": []}
    page.run("wish", id=over.id, wish="cancel")
    (page.home / "jobs" / str(over.id) / "log.txt").write_text("x")
    assert page.runs("remove", ids=[over.id, job.id]) == {"removed": [over.id]}
    assert not (page.home / "jobs" / str(over.id) / "log.txt").exists()
    assert page.run("watch", id=over.id, after=0)["error"] == "unknown_value"


def test_all_runs_with_their_best_and_the_queues_order(page):
    add_run(page.store, page.home, whole_run())
    first, second = (add_run(page.store, page.home, (), "queued") for _ in range(2))
    rows = {row["id"]: row for row in page.runs("runs")["runs"]}
    assert list(rows) == [second.id, first.id, 1]
    best = whole_run()
    score = next(one["score"] for one in best if one["event"] == "dev" and one["step"] == 300)
    assert rows[1]["score"] == score and rows[1]["fit"] is False and rows[1]["speed"] > 19
    assert page.runs("move", id=second.id, place=1)["run"]["place"] == 1
    assert page.runs("move", id=1, place=1)["error"] == "job_state"


def test_curves_of_a_few_runs_only(page):
    ids = [add_run(page.store, page.home, whole_run()).id for _ in range(2)]
    curves = page.runs("curves", ids=ids, figure="dev_loss")["curves"]
    assert [one["id"] for one in curves] == ids and curves[0]["points"][0][0] == 0
    many = list(range(1, MOST_COMPARED + 2))
    for asked in ({"ids": many, "figure": "loss"}, {"ids": ids, "figure": "note"}):
        assert page.runs("curves", **asked)["error"] == "not_understood"


def test_other_kinds_of_jobs_are_not_this_tabs(page):
    job_id = page.store.jobs.add("teacher", "network", {})
    for name in ("watch", "details", "verify", "wish", "note", "remove", "report"):
        asked = {"id": job_id, "after": 0, "wish": "stop", "note": "", "form": "html"}
        assert page.run(name, **asked)["error"] == "unknown_value", name
    assert page.runs("move", id=job_id, place=1)["error"] == "unknown_value"
    assert page.runs("remove", ids=[job_id])["error"] == "unknown_value"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_arguments_are_refused_and_nothing_breaks(page, hostile):
    for name in page.served:
        asked = dict.fromkeys(("id", "after", "ids", "place", "work", "dataset", "form"), hostile)
        asked |= {"figure": "loss", "wish": "stop", "note": "n", "values": {}}
        for question in (hostile, asked):
            reply = page.ask(name, question)
            assert reply.get("error") != "unexpected", (name, reply)


def test_a_hosted_app_shows_and_does_nothing(tmp_path):
    with open_store(tmp_path / "ctx.db") as store:
        page = Page(store, tmp_path, hosted=True)
        asked = {"id": 1, "after": 0, "place": 1, "ids": [], "figure": "loss", "note": "n"}
        asked |= {"form": "html", "wish": "stop", "work": "x", "dataset": "mine", "values": {}}
        for name in page.served:
            assert page.ask(name, asked) == {"error": "hosted_read_only"}, name
