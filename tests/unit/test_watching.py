"""Watching a job: what it tells as lines, beside the job and never in its way."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import pytest

from db.store import Refused
from tests.fake_server import FakeServer, Said
from tests.job_home import Home, trainer
from tests.real import ROOT
from trainer.jobs.watching import curve_of, line_of, watch_job

posix = pytest.mark.skipif(os.name != "posix", reason="interrupts with a signal")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    yield home
    home.close()


@pytest.mark.parametrize(
    "event, line",
    [
        (
            {"event": "step", "step": 40, "steps": 400, "loss": 1.23456, "rate": 3e-4},
            "step 40 of 400 · loss 1.235, rate 0.0003",
        ),
        (
            {"event": "dev", "step": 200, "dev_loss": 0.5, "phrase_f1": 0.875, "best": True},
            "step 200: evaluated · dev loss 0.5, phrase f1 0.875 · best so far",
        ),
        (
            {"event": "rollback", "step": 300, "to_step": 200, "reason": "worse", "rate": 1e-4},
            "step 300 · rollback · to step 200, reason worse, rate 0.0001",
        ),
        (
            {"event": "scores", "scores": "test gold", "n": 9, "right": {"value": 0.5}},
            "scores, test gold · right 0.5",
        ),
        ({"event": "form", "form": "int8-rows8", "done": 2, "of": 8}, "3 of 8, int8-rows8"),
        ({"event": "said", "text": "int8: making it"}, "int8: making it"),
        ({"no": "event"}, ""),
    ],
)
def test_an_event_is_a_line(event, line):
    assert line_of(event) == line


def test_losses_are_a_curve():
    assert curve_of([4, 3, 2, 1]) == "█▆▃▁" and curve_of([2, 2]) == "▁▁"
    assert curve_of([1]) == ""


def done_job(home: Home):
    told = [
        {"event": "step", "step": 1, "steps": 2, "loss": 2.0},
        {"event": "step", "step": 2, "steps": 2, "loss": 1.0},
    ]
    recipe = {"url": "http://127.0.0.1:9/v1", "model": "big"}
    return home.jobs.add_done("teacher", recipe, {}, told)


def test_a_job_that_is_over_is_shown_to_its_end(home):
    out = io.StringIO()
    assert watch_job(home.jobs, done_job(home).id, out) == 0
    lines = out.getvalue().splitlines()
    assert lines[0] == "job 1: teacher"
    assert lines[1:] == ["step 1 of 2 · loss 2", "step 2 of 2 · loss 1", "done"]


def test_on_a_terminal_the_last_line_is_written_over(home):
    out = Terminal()
    assert watch_job(home.jobs, done_job(home).id, out) == 0
    assert out.getvalue().splitlines()[-1].startswith("done · ")
    assert out.getvalue().endswith("█▁\n")


def test_a_job_that_is_not_there(home):
    with pytest.raises(Refused):
        watch_job(home.jobs, 7, io.StringIO())


def test_a_job_that_somebody_else_started_is_watched_to_its_end(home):
    with FakeServer(lambda asked, n: Said(delay=0.05)) as server:
        job = home.teach(server.url)
        watched = trainer(home, "watch", str(job.id))
    assert watched.returncode == 0 and watched.stderr == ""
    assert watched.stdout.splitlines()[0] == "job 1: teacher"
    assert watched.stdout.splitlines()[-1] == "done"


@posix
def test_ctrl_c_ends_the_watching_only(home):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with FakeServer(held=0) as server:
            job = home.teach(server.url)
            watcher = subprocess.Popen(
                [sys.executable, "-m", "trainer", "watch", str(job.id)], cwd=ROOT, text=True,
                env=os.environ | {"CTX_HOME": str(home.folder)}, start_new_session=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            assert watcher.stdout.readline() == "job 1: teacher\n"
            home.until(job.id, lambda job: len(server.asked) > 0)
            os.killpg(watcher.pid, signal.SIGINT)
            _, said = watcher.communicate(timeout=60)
            assert watcher.returncode == 130
            assert "job 1 goes on; python -m trainer stop 1 stops it" in said
            server.let_go()
            home.until_state(job.id, "done")
    finally:
        signal.signal(signal.SIGINT, before)
