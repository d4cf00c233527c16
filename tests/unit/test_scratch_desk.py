"""What the From nothing view may ask, asked by strangers: the form, what there is to take, a run of
each kind; and what a run's page tells of such a run. Jobs are made, never started.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db.store import Brought, Origin, Store, open_store
from engine.settings import Settings
from tests.real import ROOT
from trainer.jobs.process import job_folder, this_process
from trainer.jobs.queue import Jobs
from ui.access import Access
from ui.services import Services
from ui.strings import STRINGS
from ui.strings.scratch_fields import CHINESE_HELP
from ui.train.kinds import FROM_NOTHING
from ui.train.run import RunDesk
from ui.train.runs import RunsDesk
from ui.train.scratch import ScratchDesk

PAIR = "de-en"
FILES = ("a.de.gz", "a.en.gz", "b.tsv", "only.de", "notes.txt", "rows.jsonl", ".hidden.tsv")


class Page:
    """A page over a store and a data folder of its own."""

    def __init__(self, store: Store, home: Path, hosted: bool = False):
        self.store, self.home, self.jobs = store, home, Jobs(store, home)
        self.jobs.look = lambda: None  # type: ignore[method-assign]
        settings = Settings(home=home, data=home / "data")
        services = Services(settings, None, store, Access(hosted), self.jobs)  # type: ignore[arg-type]
        self.desks = [desk(services).served() for desk in (ScratchDesk, RunsDesk, RunDesk)]

    def ask(self, name: str, **asked: Any) -> dict:
        method = next(desk[name] for desk in self.desks if name in desk)
        return json.loads(json.dumps(asyncio.run(method({"pair": PAIR, **asked}))))

    def begin(self, kind: str, **asked: Any) -> dict:
        return self.ask("begin", kind=kind, **({"values": {}, "languages": PAIR} | asked))

    def recipe(self, reply: dict) -> dict:
        return dict(self.store.jobs.get(reply["run"]["id"]).recipe)

    def done(self, kind: str, recipe: dict, files: dict[str, Any] | None = None) -> str:
        """A finished run that left these files."""
        job_id = self.store.jobs.add(kind, "compute", recipe, "Ann")
        for name, content in (files or {}).items():
            file = job_folder(self.home, job_id) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content if isinstance(content, str) else json.dumps(content))
        self.store.jobs.take(job_id, this_process(), None)
        self.store.jobs.end(job_id, this_process(), "done")
        return f"run:{job_id}"

    def corpus(self, languages: str = PAIR, dev: int = 5) -> str:
        counts = {"train": 90, "dev": dev, "test": 5}
        rows = [
            {"file": f"{split}.{code}.txt", "rows": n, "language": code, "sha256": "ab"}
            for split, n in counts.items()
            for code in languages.split("-")
        ]
        recipe = {"name": "clean", "languages": languages, "sources": ["x.txt"], "licence": "CC0"}
        return self.done("corpus", recipe, {"corpus/report.json": {"files": rows}})


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    for name in FILES:
        (tmp_path / "data" / "deep" / name).write_text("text")
    with open_store(tmp_path / "ctx.db") as store:
        yield Page(store, tmp_path)


def freeze(page: Page, name: str = "mine") -> None:
    origin = Origin("pairs.tsv", "flat", PAIR)
    number = page.store.imports.begin(origin)
    lines = [
        Brought(n, 0, "", context=f"Das ist Satz {n}.", translation=f"Sentence {n}.")
        for n in range(40)
    ]
    page.store.imports.add(number, origin, lines)
    page.store.sentence_sets.freeze(name, PAIR)


def test_every_field_has_a_name_and_help_in_both_languages(page: Page) -> None:
    fields = page.ask("form")["fields"]
    assert {kind for field in fields for kind in field["tasks"]} == set(FROM_NOTHING)
    for field in fields:
        assert f"recipe_{field['name']}" in STRINGS["zh-CN"], field["name"]
        assert field["help"]["zh-CN"] != field["help"]["en"], field["name"]
    bare = {field["name"].rpartition(".")[2] for field in fields}
    assert {name.rpartition(".")[2] for name in CHINESE_HELP} == bare


def test_sources_are_what_the_data_folder_and_the_store_hold(page: Page) -> None:
    freeze(page)
    sources = page.ask("choices")["sources"]
    names = {code: [one["names"] for one in found] for code, found in sources.items()}
    assert names == {
        PAIR: [["dataset:mine"], ["deep/a.de.gz", "deep/a.en.gz"], ["deep/b.tsv"],
               ["deep/rows.jsonl"]],
        "de": [["deep/a.de.gz"], ["deep/b.tsv"], ["deep/notes.txt"], ["deep/only.de"],
               ["deep/rows.jsonl"]],
        "en": [["deep/a.en.gz"], ["deep/b.tsv"], ["deep/notes.txt"], ["deep/rows.jsonl"]],
    }  # fmt: skip


def test_pre_training_offers_no_field_that_does_nothing(page: Page) -> None:
    names = {field["name"] for field in page.ask("form")["fields"]}
    assert "finetune.guard_rows" in names and "pretrain.guard_rows" not in names


def test_every_reason_for_which_a_run_from_nothing_is_refused_has_a_text() -> None:
    files = (ROOT / "trainer" / "scratch").rglob("*.py")
    told = "".join(file.read_text(encoding="utf-8") for file in files)
    codes = set(re.findall(r'(?:Scratch|Corpus)Error\(\s*"(\w+)"', told))
    assert {"large_vocabulary", "wrong_language", "no_hub_name"} <= codes
    for strings in STRINGS.values():
        assert {f"failed_{code}" for code in codes} <= set(strings)


def test_a_folder_that_cannot_be_read_hides_no_other(page: Page, monkeypatch) -> None:
    (page.home / "data" / "secret").mkdir()
    read = Path.iterdir

    def refused(folder: Path) -> Iterator[Path]:
        if folder.name == "secret":
            raise PermissionError(13, "Permission denied", str(folder))
        return read(folder)

    monkeypatch.setattr(Path, "iterdir", refused)
    assert ["deep/b.tsv"] in [one["names"] for one in page.ask("choices")["sources"]["de"]]


def test_a_corpus_is_begun_from_what_is_there_only(page: Page) -> None:
    freeze(page)
    wanted = [["dataset:mine"], ["deep/a.de.gz", "deep/a.en.gz"]]
    reply = page.begin("corpus", sources=wanted, hub="me/texts", values={"similar": 0.9})
    recipe = page.recipe(reply)
    assert recipe["sources"] == [
        "dataset:mine", "deep/a.de.gz", "deep/a.en.gz", "hub:me/texts",
    ]  # fmt: skip
    assert (recipe["similar"], recipe["languages"]) == (0.9, PAIR)
    run = reply["run"]
    assert (run["kind"], run["pair"], run["state"]) == ("corpus", PAIR, "queued")
    for bad, code in (
        ([["../ctx.db"]], "no_source"), ([["/etc/passwd"]], "no_source"), ([], "no_source"),
        ("deep/b.tsv", "not_understood"), ([["deep/a.de.gz"]], "no_source"),
    ):  # fmt: skip
        assert page.begin("corpus", sources=bad)["error"] == code
    for path in ("/etc", "../x", "hub:/etc", "text", "ui/strings"):
        assert page.begin("corpus", sources=[], hub=path) == {"error": "no_hub_name"}
    wrong = page.begin("corpus", sources=wanted, values={"similar": 7, "ratio": "x", "digits": 0.1})
    assert wrong == {"error": "bad_fields", "fields": ["similar", "ratio"]}


def test_each_step_takes_up_the_one_before(page: Page) -> None:
    corpus, german = page.corpus(), page.corpus("de")
    shape = {"model.width": 64, "model.heads": 4, "model.vocabulary": 500}
    made = page.recipe(page.begin("tokenizer", data=corpus, values=shape))
    assert made["phase"] == "tokenizer" and made["recipe"]["model"]["vocabulary"] == 500
    folder = job_folder(page.home, int(corpus[4:])) / "corpus"
    assert made["recipe"]["train"] == [str(folder / f"train.{code}.txt") for code in ("de", "en")]
    assert made["recipe"]["licence"] == "CC0"
    tokenizer = page.done("scratch", made)

    asked = {"data": corpus, "texts": [german], "tokenizer": tokenizer, "values": shape}
    pretrained = page.recipe(page.begin("pretrain", **asked))
    assert [one.partition(":")[0] for one in pretrained["recipe"]["texts"]] == ["de", "en", "de"]
    assert pretrained["tokenizer"] == str(job_folder(page.home, int(tokenizer[4:])))
    start = page.done("scratch", pretrained)

    tuned = page.begin("finetune", data=corpus, start=start, values={"model.width": 128})
    recipe = page.recipe(tuned)
    assert recipe["start"].endswith(f"{start[4:]}/pretrain/model")
    assert recipe["recipe"]["model"]["width"] == 64, "the shape of what it goes on from"
    again = page.recipe(page.begin("finetune", data=corpus, values={"finetune.steps": 7}))
    assert (again["start"], again["recipe"]["finetune"]["steps"]) == ("random", 7)
    told = page.ask("details", id=tuned["run"]["id"])
    assert told["recipe"]["start"] == start
    assert "scratch finetune" in told["command"] and "--start" in told["command"]


def test_what_cannot_be_taken_is_refused(page: Page) -> None:
    freeze(page)
    corpus, empty, other = page.corpus(), page.corpus(dev=0), page.corpus("en-es")
    assert "run" in page.begin("tokenizer", data="dataset:mine")
    for data, code in (
        ("", "no_dataset"), ("dataset:yours", "no_dataset"), ("recipe:../x", "no_dataset"),
        ("run:999", "no_such_run"), ("run:x", "no_such_run"), (other, "no_such_run"),
        (empty, "nothing_held_out"),
    ):  # fmt: skip
        assert page.begin("pretrain", data=data)["error"] == code, data
    assert page.begin("finetune", data=corpus, start=corpus)["error"] == "no_such_run"
    assert page.begin("finetune", data=corpus, tokenizer=corpus)["error"] == "no_such_run"
    assert page.begin("pretrain", data="dataset:mine", texts=[corpus])["error"] == "texts_of_files"
    clash = page.begin("pretrain", data=corpus, values={"model.heads": 3})
    assert clash == {"error": "bad_fields", "fields": ["model.heads"]}
    assert page.begin("train", data=corpus)["error"] == "not_understood"
    hosted = Page(page.store, page.home, hosted=True)
    replies = [hosted.ask(name, kind="corpus") for name in ("form", "choices", "begin")]
    assert {reply["error"] for reply in replies} == {"hosted_read_only"}


def test_runs_of_all_kinds_stand_in_one_table_and_have_their_pages(page: Page) -> None:
    corpus = page.corpus()
    page.begin("pretrain", data=corpus)
    rows = page.ask("runs")["runs"]
    assert [(row["kind"], row["state"]) for row in rows] == [
        ("pretrain", "queued"), ("corpus", "done"),
    ]  # fmt: skip
    told = page.ask("details", id=int(corpus[4:]))
    assert [one["name"] for one in told["data"]][:2] == ["x.txt", "train.de.txt"]
    assert told["command"].startswith("python -m trainer scratch corpus ")
    assert page.ask("watch", id=int(corpus[4:]), after=0)["run"]["name"] == "clean"
