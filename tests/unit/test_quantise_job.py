"""The kind `quantise`: what it takes, a run on a tiny model to its end, stopped, resumed and
cancelled, and forms that cannot be had. Answers are given; no row is answered.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch

import trainer.__main__ as program
from db.store import Store, open_store
from engine.forms import FormError
from engine.models import Base, Choice
from engine.sense import Sense, ask
from engine.settings import Settings
from tests import counting
from tests.made_forms import table
from tests.tiny import tiny_gemma, tiny_tokenizer
from trainer.catalogue import BASE, Model, ModelError
from trainer.distil import quantise as making
from trainer.distil import quantise_aware as aware
from trainer.distil import quantise_measure as measure
from trainer.distil import quantise_run as running
from trainer.distil.quantise_measure import Answered
from trainer.distil.quantise_table import FILE, write_table
from trainer.evaluation.rows import Rows
from trainer.examples import Example
from trainer.jobs import commands
from trainer.jobs.commands import progress_of
from trainer.jobs.kinds import JobError
from trainer.jobs.process import this_process
from trainer.jobs.quantise import prepare, run
from trainer.jobs.queue import Jobs
from trainer.jobs.watching import line_of
from trainer.jobs.work import Work
from trainer.smaller import forms_of

needs_bfloat16 = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)
PHRASES = ("They will call you back.", "I call.", "You call.", "We call him.")
ROWS = [Example(ask(text, "call"), Sense("verb", "打", None), "t") for text in PHRASES]


def tiny() -> Base:
    tokenizer = tiny_tokenizer()
    model = tiny_gemma(vocabulary=len(tokenizer)).requires_grad_(False)
    return Base(model, tokenizer, "tiny", "0", Choice("cpu", torch.bfloat16, "a test"))


class Bench:
    """A store, and a tiny model whose forms answer what is given here."""

    def __init__(self, store: Store, home, monkeypatch):
        self.store, self.settings = store, Settings(home=home)
        self.answered: list[str] = []
        self.wrong: set[str] = set()  # forms that answer nothing right
        self.at_row: Callable[[str], None] = lambda name: None

        def answer(served, rows, so_far):
            name = served.folder.name
            self.at_row(name)
            so_far(1)
            self.answered.append(f"{name} {len(rows)}")
            bad = Sense("noun", "狗", None)
            return Answered(tuple(bad if name in self.wrong else e.sense for e in rows), 10.0)

        def rows_of(dataset, split, count, *rest):
            return Rows(tuple(ROWS[: count or None]), "hash")

        monkeypatch.setattr(making, "find_base", lambda settings: ("", "tiny", "0"))
        monkeypatch.setattr(making, "load_tokenizer", lambda source: tiny_tokenizer())
        monkeypatch.setattr(making, "answer_apart", answer)
        for module in (making, aware):
            monkeypatch.setattr(module, "load_base", lambda settings: tiny())
        monkeypatch.setattr(running, "find_rows", rows_of)
        monkeypatch.setattr(running, "find_model", lambda name, *rest: Model(name, name))

    def work(self, stopped: Callable[[], bool] = lambda: False, **recipe) -> Work:
        asked = {"model": BASE, "rounds": 0, **recipe}
        prepared = prepare(asked)
        for job in self.store.jobs.list_jobs(("running",)):
            self.store.jobs.end(job.id, this_process(), "stopped", "", "")
        job_id = self.store.jobs.add("quantise", prepared.slot, prepared.recipe, "Ann")
        return self.again(job_id, stopped)

    def again(self, job_id: int, stopped: Callable[[], bool] = lambda: False) -> Work:
        me = this_process()
        if self.store.jobs.get(job_id).process is None:
            self.store.jobs.take(job_id, me, None)
        job = self.store.jobs.get(job_id)
        work = Work(job, me, self.store, self.settings, stopped)
        work.folder.mkdir(parents=True, exist_ok=True)
        return work

    def table(self, work: Work) -> dict[str, dict]:
        told = json.loads((work.folder / FILE).read_text())
        return {row["name"]: row for row in told["rows"]}

    def lines(self, work: Work) -> list[str]:
        return [line_of(one.data) for one in self.store.events.read(work.job.id, 0, 2000)]


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[Bench]:
    with open_store(tmp_path / "ctx.db") as store:
        yield Bench(store, tmp_path, monkeypatch)


def test_a_recipe_is_made_whole():
    found = prepare({"model": "run:7", "ways": ["int8", "int8", "nf4-rows8"]})
    assert (found.slot, found.recipe["ways"]) == ("compute", ["int8", "nf4-rows8"])
    assert prepare({}).recipe["ways"] == list(running.DEFAULT)
    assert prepare({"progressive": True}).recipe["ways"] == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"model": "/etc"}, "unknown_model"),
        ({"against": "../x"}, "unknown_model"),
        ({"ways": ["int7"]}, "form_unknown"),
        ({"ways": ["../../x"]}, "form_unknown"),
        ({"ways": [8]}, "bad_recipe"),
        ({"ways": "int8"}, "bad_recipe"),
        ({"ratio": 1.5}, "bad_recipe"),
        ({"rows": -1}, "bad_recipe"),
        ({"dataset": "a\nb"}, "bad_recipe"),
        ({"bits": 4}, "bad_recipe"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_said(wrong, code):
    with pytest.raises(JobError) as found:
        prepare(wrong)
    assert found.value.code == code


@needs_bfloat16
def test_forms_are_made_judged_and_told_one_by_one(bench: Bench):
    bench.wrong = {"int4-rows4"}
    seen = []

    def look(name):
        seen.append(progress_of(bench.store.jobs.get(1)))

    bench.at_row = look
    work = bench.work(ways=["int8-rows8", "int4-rows4"], ratio=0.9)
    assert run(work)
    assert seen == ["0 of 3, bf16", "1 of 3, int8-rows8", "2 of 3, int4-rows4"]
    job = bench.store.jobs.get(work.job.id)
    assert (job.done, job.total) == (3, 3) and progress_of(job) == "3 of 3"
    rows = bench.table(work)
    assert [row["quality"]["fit"] for row in rows.values()] == [True, True, False]
    lines = bench.lines(work)
    assert "2 of 3, int8-rows8" in lines and any(one.startswith("int8-rows8 is") for one in lines)
    assert all((work.folder / FILE).with_suffix(end).is_file() for end in (".md", ".html", ".svg"))
    kept = forms_of(BASE, bench.settings)
    assert [(one.name, one.passed) for one in kept.forms] == [
        ("bf16", True), ("int8-rows8", True), ("int4-rows4", False),
    ]  # fmt: skip


@needs_bfloat16
def test_a_form_that_cannot_be_had_is_a_line_with_its_reason_and_the_others_go_on(bench: Bench):
    work = bench.work(ways=["nf4-rows8-aware", "int8-static-mixed", "int8"])
    assert run(work)
    rows = bench.table(work)
    assert list(rows) == ["bf16", "nf4-rows8-aware", "int8-static-mixed", "int8"]
    assert "only bytes and nibbles" in rows["nf4-rows8-aware"]["missing"]
    assert "needs scales" in rows["int8-static-mixed"]["missing"]
    assert rows["int8"]["quality"]["fit"]


@needs_bfloat16
def test_a_model_is_trained_for_a_form_on_whatever_dataset_and_stopped_there(
    bench: Bench, monkeypatch
):
    monkeypatch.setattr(aware, "RECIPE", replace(aware.RECIPE, steps=2, evaluate_every=1))
    job = bench.work(ways=["int4-aware"])
    trained = bench.settings.home / "forms" / BASE / "int4-aware.training"
    assert not run(bench.again(job.job.id, trained.exists)), "asked to stop once it has begun"
    assert run(bench.again(job.job.id)) and not trained.exists()
    assert bench.table(job)["int4-aware"]["quality"]["fit"]


@needs_bfloat16
def test_one_that_is_stopped_within_a_form_goes_on_with_it(bench: Bench):
    asked = []
    bench.at_row = lambda name: asked.append(name == "int8-rows8")
    work = bench.work(lambda: bool(asked and asked[-1]), ways=["int8", "int8-rows8", "int4"])
    assert not run(work)
    assert bench.answered == ["bf16 4", "int8 4"]
    assert list(bench.table(work)) == ["bf16", "int8"], "what is judged is there to read"
    bench.at_row = lambda name: None
    assert run(bench.again(work.job.id))
    assert bench.answered == ["bf16 4", "int8 4", "int8-rows8 4", "int4 4"]
    assert list(bench.table(work)) == ["bf16", "int8", "int8-rows8", "int4"]


@needs_bfloat16
def test_cancelled_it_throws_away_what_was_being_trained(bench: Bench):
    begun = bench.settings.home / "forms" / BASE / "int8-aware.training"
    begun.mkdir(parents=True)
    work = bench.work(ways=["int8"])
    bench.store.jobs.ask(work.job.id, "cancel")
    assert not run(work) and not begun.exists() and bench.answered == []


@needs_bfloat16
def test_what_a_killed_job_left_half_written_is_made_anew(bench: Bench):
    folder = bench.settings.home / "forms" / BASE
    for name in ("int8.new77", "int8", "int8-rows8.new77"):
        (folder / name).mkdir(parents=True)
    (folder / "int8" / "form.json").write_text("{")
    work = bench.work(ways=["int8"])
    assert run(work) and bench.table(work)["int8"]["quality"]["fit"]
    assert sorted(one.name for one in folder.iterdir() if one.is_dir()) == [
        "bf16", "int8", "int8-rows8.new77",
    ]  # fmt: skip


@needs_bfloat16
def test_steps_go_no_further_than_they_pass(bench: Bench):
    bench.wrong = {"int4-rows8"}
    work = bench.work(progressive=True)
    assert run(work)
    assert list(bench.table(work)) == ["bf16", "int8-rows8", "int4-rows8"]
    job = bench.store.jobs.get(work.job.id)
    assert (job.done, job.total) == (3, 3)


@needs_bfloat16
def test_fewer_rows_that_were_interrupted_do_not_spoil_all_of_them(bench: Bench, monkeypatch):
    assert run(bench.work(ways=["int8"]))

    def killed(folder, told):
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "write_told", killed)
    with pytest.raises(KeyboardInterrupt):
        run(bench.work(ways=["int8"], rows=2))
    monkeypatch.undo()
    bench.__init__(bench.store, bench.settings.home, monkeypatch)
    work = bench.work(ways=["int8", "int4"])
    assert run(work)
    assert bench.answered == ["bf16 4", "int4 4"], "the model's own answers were to other rows"
    assert {row["quality"]["rows"] for row in bench.table(work).values()} == {4}


@needs_bfloat16
def test_a_verdict_holds_for_its_own_rows_only(bench: Bench, monkeypatch):
    assert run(bench.work(ways=["int8"], rows=2))
    others = Rows(tuple(ROWS[2:]), "hash")
    monkeypatch.setattr(running, "find_rows", lambda *asked: others)
    assert run(bench.work(ways=["int8"], rows=2))
    assert bench.answered == ["bf16 2", "int8 2", "bf16 2", "int8 2"]


@needs_bfloat16
def test_a_model_that_cannot_be_held_here_fails_with_the_reason(bench: Bench, monkeypatch):
    monkeypatch.setattr("engine.forms.helps", lambda model: False)
    with pytest.raises(FormError) as found:
        run(bench.work(ways=["int8"]))
    assert found.value.code == "form_unfit" and "bfloat16" in str(found.value)


def test_a_model_that_translates_fails_with_the_reason(bench: Bench, monkeypatch):
    model = Model("shipped:x", "x", task="translation")
    monkeypatch.setattr(running, "find_model", lambda name, *rest: model)
    with pytest.raises(ModelError) as found:
        run(bench.work(model="shipped:x"))
    assert found.value.code == "not_senses"


def test_the_setting_is_what_readers_have_and_the_shells_where_it_made_the_job(
    bench: Bench, monkeypatch
):
    seen = []

    def model_of(settings):
        seen.append((settings.base, settings.adapter))
        raise ModelError("unknown_model", "enough")

    monkeypatch.setattr(running, "set_model", model_of)
    for told in ({}, {"base": "/student", "adapter": "/mine"}):
        with pytest.raises(ModelError):
            run(bench.work(model="setting", **told))
    assert seen == [("embedded", "shipped"), ("/student", "/mine")]


def test_rows_are_answered_by_a_process_that_waits_to_be_heard(monkeypatch):
    monkeypatch.setattr(measure, "_answer_to", counting.count)
    heard, before = [], set(multiprocessing.active_children())
    assert measure.answer_apart(7, [8], heard.append) == ("answered", 7, (8,))
    assert heard == [1, 2, 3]

    def stop(done):
        raise making.Ended

    with pytest.raises(making.Ended):
        measure.answer_apart(7, [8], stop)
    assert set(multiprocessing.active_children()) <= before


@pytest.mark.parametrize(
    ("process", "reason"), [(counting.fail, "no such unit"), (counting.die, "has ended")]
)
def test_a_process_that_fails_says_why(monkeypatch, process, reason):
    monkeypatch.setattr(measure, "_answer_to", process)
    with pytest.raises(RuntimeError, match=reason):
        measure.answer_apart(7, [8], lambda done: None)


def test_a_process_that_nobody_hears_ends():
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=counting.count, args=(theirs, 7, ()))
    process.start()
    theirs.close()
    assert mine.recv() == 1
    mine.close()
    process.join(60)
    assert process.exitcode not in (None, 0) and os.getpid() != process.pid


def test_the_command_makes_a_job_and_copies_its_reports(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CTX_HOME", str(tmp_path))
    monkeypatch.setenv("CTX_ADAPTER", str(tmp_path))
    monkeypatch.setattr(Jobs, "look", lambda jobs: None)

    def follow(jobs, job_id):
        write_table(table(), jobs.folder(job_id) / FILE)
        return 0

    monkeypatch.setattr(commands, "follow_to_end", follow)
    out = tmp_path / "out" / "mine.json"
    asked = ["quantise", "setting", "--ways", "int8", "--rows", "50", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["trainer", *asked])
    monkeypatch.setattr(program, "_give_way", lambda: None)
    assert program.main() == 0
    assert capsys.readouterr().out.startswith("job 1: queued #1\n# Forms of en-zh-sense")
    assert all(out.with_suffix(end).is_file() for end in (".json", ".md", ".html", ".svg"))
    with open_store(tmp_path / "ctx.db") as store:
        recipe = store.jobs.get(1).recipe
    assert (recipe["model"], recipe["rows"], recipe["ways"]) == ("setting", 50, ["int8"])
    assert (recipe["base"], recipe["adapter"]) == ("embedded", str(tmp_path.resolve()))
