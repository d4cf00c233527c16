"""A training job whose process, or whose server, or the app itself, is killed: it says so, goes on
from a checkpoint that was checked, and its curve is that of a run that was never stopped.

A tiny base and a few rows; `CTX_SOAK=1` takes the real one, and kills twenty times.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from db.dataset.importing import bring
from db.store import Job, Origin, Store, open_store
from engine.checking import read_adapter
from engine.settings import assets
from tests.asking import Part
from tests.held_work import Hold, start_child
from tests.real import ROOT, App, fresh_home, serving, soak
from tests.tiny import tiny_folder
from trainer.checkpoints import is_whole
from trainer.history import read_history
from trainer.jobs.process import is_alive
from trainer.jobs.queue import Jobs

KILLS = 20 if soak() else 1
STEPS, EVERY = (10, 4) if soak() else (40, 12)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with a signal")


@pytest.fixture
def home(tmp_path: Path, models_home: Path, monkeypatch) -> Path:
    """A home whose jobs train the base of the day."""
    if not soak():
        monkeypatch.setenv("CTX_BASE", str(tiny_folder(tmp_path / "base")))
    return fresh_home(tmp_path / "home", models_home)


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with open_store(home / "ctx.db") as store:
        yield store


@pytest.fixture
def hold(tmp_path: Path, monkeypatch) -> Iterator[Hold]:
    """Where the jobs' processes wait."""
    hold = Hold(tmp_path)
    for name, value in hold.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("trainer.jobs.queue.start_child", start_child)
    yield hold
    hold.let_go()


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Path:
    gold = (assets() / "datasets/en-zh-gold/phrasal.jsonl").read_text().splitlines()
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    file.write_text("\n".join(gold[:90]))
    return file


def recipe(rows: Path, **changes: Any) -> dict[str, Any]:
    plain = {
        "name": "small", "rank": 4, "alpha": 8, "steps": STEPS, "batch": 4, "dropout": 0.1,
        "evaluate_every": EVERY, "dev_rows": 8, "guard_rows": 0, "scored_rows": 10,
        "sources": [{"name": "rows", "path": str(rows)}],
    }  # fmt: skip
    return plain | changes


def wait(jobs: Jobs, job: Job, done: Callable[[Job], bool], seconds: float = 300) -> Job:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        jobs.look()
        found = jobs.get(job.id)
        if done(found):
            return found
        assert found.state != "failed", jobs.log(job.id).text[-2000:]
        time.sleep(0.05)
    raise AssertionError(f"{found.state} {found.done}: {jobs.log(job.id).text[-2000:]}")


def at_step(jobs: Jobs, job: Job, step: int) -> Job:
    return wait(jobs, job, lambda found: found.done >= step and found.state == "running")


def is_over(job: Job) -> bool:
    return job.state in ("done", "stopped", "interrupted", "cancelled", "failed")


def losses(jobs: Jobs, job: Job) -> dict[int, set[float]]:
    """Each step's loss; steps that were taken again give it again."""
    found: dict[int, set[float]] = {}
    for told in jobs.events(job.id):
        if told.data["event"] == "step":
            found.setdefault(told.data["step"], set()).add(told.data["loss"])
    return found


def kinds(jobs: Jobs, job: Job) -> list[str]:
    return [told.data["event"] for told in jobs.events(job.id)]


def test_a_killed_run_goes_on_and_its_curve_is_that_of_one_never_stopped(home, store, rows, hold):
    jobs = Jobs(store, home)
    whole = jobs.add("train", recipe(rows))
    wait(jobs, whole, is_over)
    for kill in range(KILLS):
        step = EVERY + 1 + kill % 4
        hold.at(step)
        job = jobs.add("train", recipe(rows))
        running = at_step(jobs, job, step)
        assert running.process is not None
        os.kill(running.process.pid, signal.SIGKILL)
        hold.let_go()
        assert wait(jobs, job, is_over).state == "interrupted"
        assert is_whole(jobs.folder(job.id) / "checkpoint")
        jobs.resume(job.id)
        assert wait(jobs, job, is_over).state == "done"
        assert "resumed" in kinds(jobs, job)
        assert losses(jobs, job) == losses(jobs, whole), "each step has one loss, and the same"
    assert read_adapter(jobs.folder(whole.id) / "adapter").card.name == "small"


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_run_outlives_the_command_that_made_it(home, store, rows, hold, tmp_path, kill):
    hold.at(2)
    (tmp_path / "recipe.json").write_text(json.dumps(recipe(rows)))
    maker = subprocess.Popen(
        [sys.executable, "-m", "tests.held_work", "run", str(tmp_path / "recipe.json")],
        cwd=ROOT, env=os.environ | {"CTX_HOME": str(home)}, start_new_session=True,
    )  # fmt: skip
    jobs = Jobs(store, home)
    end = time.monotonic() + 120
    while not (found := jobs.list_jobs()) and time.monotonic() < end:
        time.sleep(0.1)
    running = at_step(jobs, found[0], 2)
    os.killpg(maker.pid, signal.SIGKILL)
    maker.wait()
    assert running.process and is_alive(running.process)
    hold.let_go()
    assert wait(jobs, running, is_over).state == "done"


def begin_from_page(app: App) -> dict[str, Any]:
    """A run of the frozen rows, as the form of the page begins it."""
    values = {name: value for name, value in recipe(Path()).items() if name != "sources"}
    values |= {"replay": 0.0, "reference": ""}
    return Part(app.url, "train-new").ask(
        "begin", who="Ann", dataset="rows", start="", values=values
    )["run"]


def test_a_run_outlives_the_app_and_where_it_does_not_the_next_app_resumes_it(
    home, store, rows, tmp_path
):
    bring(store, rows, Origin("rows", "", who="T"))
    store.datasets.freeze("rows", "en-zh", accepted=False, leave_out=True)
    hold, jobs = Hold(tmp_path), Jobs(store, home)
    told = hold.everywhere() | {"CTX_ADAPTER": "none"}
    hold.at(2)
    with serving(home, **told) as app:
        run = begin_from_page(app)
        begun = at_step(jobs, jobs.get(run["id"]), 2)
        app.process.kill()
    assert begun.process and is_alive(begun.process)

    def seen(app: App) -> dict[str, Any]:
        return Part(app.url, "train-run").ask("watch", id=run["id"], after=0)

    hold.at(EVERY + 2)
    with serving(home, **told) as app:
        at_step(jobs, begun, EVERY + 2)  # without anybody: it went on by itself
        found = seen(app)
        assert (found["run"]["state"], found["run"]["done"]) == ("running", EVERY + 2)
        assert jobs.get(run["id"]).process == begun.process
        os.kill(begun.process.pid, signal.SIGKILL)
        hold.let_go()
        while seen(app)["run"]["state"] == "running":
            time.sleep(0.02)
        assert seen(app)["run"]["state"] == "interrupted"
        assert is_whole(jobs.folder(run["id"]) / "checkpoint")
        Part(app.url, "train-run").ask("wish", id=run["id"], wish="resume")
        while (found := seen(app))["run"]["state"] != "done":
            assert found["run"]["state"] in ("queued", "running"), found["run"]
            time.sleep(0.1)
    history = read_history(found["events"])
    assert [step["step"] for step in history.steps] == list(range(1, STEPS + 1))
    (resumed,) = history.marks
    assert (resumed["event"], resumed["step"]) == ("resumed", EVERY)
    taken = [told["step"] for told in found["events"] if told["event"] == "step"]
    assert taken == [*range(1, EVERY + 3), *range(EVERY + 1, STEPS + 1)], "two were taken again"
    assert all(len(loss) == 1 for loss in losses(jobs, begun).values())


def test_stop_saves_cancel_discards_and_a_bad_job_does_not_hold_up_the_queue(
    home, store, rows, hold
):
    jobs = Jobs(store, home)
    hold.at(5)
    first = jobs.add("train", recipe(rows, steps=6 * STEPS))
    absent = jobs.add("train", recipe(rows, sources=[{"name": "no", "path": "no.jsonl"}]))
    last = jobs.add("train", recipe(rows, steps=6 * STEPS))
    assert (jobs.get(absent.id).state, jobs.get(last.id).place) == ("queued", 2)
    at_step(jobs, first, 5)
    jobs.pause(first.id)
    hold.let_go()
    wait(jobs, first, lambda job: job.state == "paused")
    hold.at(5)
    jobs.stop(first.id)
    stopped = wait(jobs, first, is_over)
    assert (stopped.state, stopped.done) == ("stopped", 5), "paused, it takes no step"
    assert is_whole(jobs.folder(first.id) / "checkpoint")
    at_step(jobs, last, 5)
    failed = jobs.get(absent.id)
    assert failed.state == "failed" and "no.jsonl" in failed.detail
    jobs.cancel(last.id)
    hold.let_go()
    assert wait(jobs, last, is_over).state == "cancelled"
    left = {file.name for file in jobs.folder(last.id).iterdir()}
    assert not left & {"checkpoint", "best", "adapter"}
    jobs.remove(last.id)
    assert [job.id for job in jobs.list_jobs()] == [absent.id, first.id]
