"""Jobs in processes of their own, against a server of the test: queue, stop, kill, go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from db.store import Process, Refused
from engine.sense import Query
from engine.teacher import TeacherError
from engine.teaching import TemplateError
from tests.fake_server import GOOD, FakeServer, Said
from tests.job_home import CONTEXT, Home, nowhere, trainer
from tests.real import ROOT, free_port
from trainer.jobs.kinds import JobError
from trainer.jobs.process import find_process, is_alive

KEY = "sk-secret-1234567890"
posix = pytest.mark.skipif(os.name != "posix", reason="kills with a signal")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.close()


def test_a_job_from_its_start_to_its_end(home, monkeypatch):
    monkeypatch.setenv("CTX_TEACHER_KEY", KEY)
    with FakeServer(lambda asked, n: Said(f"You said {KEY}? {GOOD}")) as server:
        monkeypatch.setenv("CTX_TEACHER_URL", server.url)
        job = home.teach(server.url, concurrency=3)
        assert (job.state, job.slot) == ("running", "network")
        job = home.until_state(job.id, "done")
    assert (job.done, job.total, job.error, job.process) == (11, 11, "", None)
    assert home.answered() == len(server.asked) == 11
    assert job.figures["tokens_in"] == 1100 and job.figures["tokens_out"] == 110
    assert job.figures["trouble"]["waiting"] == ""
    label = home.store.labels.history(Query(CONTEXT, 2))[0]
    assert (label.source, label.who, label.status) == ("teacher", "big", "proposed")
    assert "done" in home.jobs.log(job.id).text
    assert {one.headers["authorization"] for one in server.asked} == {f"Bearer {KEY}"}
    for file in home.folder.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


def test_queued_is_not_started_and_a_failed_one_does_not_hold_the_queue_up(home):
    def answer(asked, n):
        return Said(status=401) if asked.body["model"] == "none" else Said(delay=0.05)

    with FakeServer(answer) as server:
        first = home.teach(server.url, limit=6, concurrency=1)
        second = home.teach(server.url, model="none")
        third = home.teach(server.url)
        assert (second.state, second.place, third.state, third.place) == ("queued", 1, "queued", 2)
        assert not (home.folder / "jobs" / str(second.id)).exists()
        # Nobody looks from here on: the process that ends starts the next one.
        assert home.until_state(first.id, "done").done == 6
        second = home.until_state(second.id, "failed")
        assert second.error == "unauthorized" and "401" in second.detail
        assert home.until_state(third.id, "done").total == 5
    assert home.answered() == 11
    assert len({job.id for job in home.jobs.list_jobs()}) == 3
    assert sorted(p.name for p in (home.folder / "jobs").iterdir()) == ["1", "2", "3"]


def test_bad_answers_are_asked_for_once_more_with_the_reason_then_set_aside(home):
    def answer(asked, n):
        told = "cannot be kept" in asked.last
        question = asked.last if not told else asked.body["messages"][-3]["content"]
        target = json.loads(question)["target"]
        if target == "bank":
            return Said('{"class": "noun", "zh": "银行；河岸"}' if told else "I think it is 银行.")
        if target == "river":
            return Said(GOOD if told else '{"class": "thing", "zh": "河"}')
        if target == "noon":
            return Said(GOOD[:-9], finish="length")
        return Said(f"{GOOD} And so on,", finish="length") if target == "closed" else Said()

    with FakeServer(answer) as server:
        job = home.until_state(home.teach(server.url).id, "done")
    assert len(server.asked) == 14
    aside = home.jobs.requests(job.id)
    assert [one.query.target for one in aside] == ["bank", "noon"]
    assert "lists several" in aside[0].reason and "cut off" in aside[1].reason
    assert aside[0].outcome.answers == (
        "I think it is 银行.",
        '{"class": "noun", "zh": "银行；河岸"}',
    )
    assert aside[0].outcome.tries == 2 and aside[0].outcome.tokens_in == 200
    told = [asked for asked in server.asked if "cannot be kept" in asked.last]
    assert any("'thing' is not in the list" in one.last for one in told)
    assert all(one.body["messages"][-2]["role"] == "assistant" for one in told)
    assert (job.done, job.figures["answered"], job.figures["set_aside"]) == (11, 9, 2)
    assert job.figures["asked_again"] == 3


@pytest.mark.parametrize("numbers", [None, [3]])
def test_what_was_set_aside_is_asked_again_when_somebody_says_so(home, numbers):
    said = ["?"]
    with FakeServer(lambda asked, n: Said(said[0])) as server:
        job = home.until_state(home.teach(server.url).id, "done")
        assert job.figures["set_aside"] == 11 and home.answered() == 0
        said[0] = GOOD
        assert home.jobs.ask_again(job.id, numbers).state == "running"
        job = home.until_state(job.id, "done")
    assert home.answered() == job.figures["answered"] == (11 if numbers is None else 1)
    assert job.done == job.total == 11


def test_busy_and_failing_servers_are_waited_for(home):
    def answer(asked, n):
        if n == 2:
            return Said(status=429, headers={"Retry-After": "1.5"})
        return Said(status=500) if n == 6 else Said()

    with FakeServer(answer) as server:
        job = home.until_state(home.teach(server.url, concurrency=1).id, "done")
    assert home.answered() == 11 and len(server.asked) == 13
    assert server.asked[3].at - server.asked[2].at >= 1.5, "not before it was told to"
    assert (job.figures["trouble"]["busy"], job.figures["trouble"]["failed"]) == (1, 1)


def test_a_rate_is_kept(home):
    with FakeServer() as server:
        job = home.teach(server.url, rate=1 / 3600, concurrency=8)
        home.until(job.id, lambda job: job.done > 0)
        home.jobs.stop(job.id)
        home.until_state(job.id, "stopped")
    assert len(server.asked) == 1, "one an hour"


def test_how_long_it_will_take_is_told(home):
    with FakeServer(held=4) as server:
        job = home.teach(server.url, concurrency=1)
        job = home.until(job.id, lambda job: job.done == 4 and job.figures["left_seconds"])
        home.jobs.stop(job.id)
        before = home.until_state(job.id, "stopped").figures["elapsed"]
        assert before >= job.figures["elapsed"] > 0
        home.jobs.resume(job.id)
        home.until(job.id, lambda job: job.figures["elapsed"] > before)  # it counts on


@posix
def test_a_signal_to_end_is_a_wish_to_stop(home):
    with FakeServer(held=0) as server:
        job = home.teach(server.url)
        home.until(job.id, lambda job: len(server.asked) > 0)
        os.kill(home.jobs.get(job.id).process.pid, signal.SIGTERM)
        assert home.until_state(job.id, "stopped", "failed").state == "stopped"


def test_a_server_that_is_away_is_waited_for_and_found_again(home):
    port = free_port()
    job = home.teach(f"http://127.0.0.1:{port}/v1")
    job = home.until(job.id, lambda job: job.figures.get("trouble", {}).get("waiting") == "down")
    assert job.state == "running" and job.figures["trouble"]["detail"]
    assert (job.done, job.total) == (0, 11)
    with FakeServer(port=port):
        job = home.until_state(job.id, "done")
    assert home.answered() == 11 and job.figures["trouble"]["down"] >= 1


@pytest.mark.parametrize("wish, after", [("stop", "stopped"), ("cancel", "cancelled")])
@pytest.mark.parametrize("trouble", ["down", "busy", "slow"])
def test_ended_at_once_whatever_it_waits_for(home, wish, after, trouble):
    busy = Said(status=429, headers={"Retry-After": "600"})
    with FakeServer(lambda asked, n: busy, held=0 if trouble == "slow" else None) as server:
        job = home.teach(nowhere() if trouble == "down" else server.url)
        if trouble == "slow":
            home.until(job.id, lambda job: len(server.asked) > 0)
        else:
            home.until(job.id, lambda job: job.figures.get("trouble", {}).get("waiting") == trouble)
        getattr(home.jobs, wish)(job.id)
        job = home.until_state(job.id, after)
    assert home.store.requests.totals(job.id).waiting == (11 if wish == "stop" else 0)


def test_paused_it_sends_nothing_and_keeps_its_slot(home):
    with FakeServer(held=2) as server:
        job = home.teach(server.url, concurrency=1)
        home.until(job.id, lambda job: len(server.asked) == 3)
        home.jobs.pause(job.id)
        home.until_state(job.id, "paused")
        waiting = home.teach(server.url)
        server.let_go()
        home.until(job.id, lambda job: job.done == 3)  # what was under way comes back
        home.jobs.look()
        assert home.jobs.get(waiting.id).state == "queued" and len(server.asked) == 3
        home.jobs.resume(job.id)
        home.until_state(job.id, "done")
        home.until_state(waiting.id, "done")
    assert home.answered() == len(server.asked) == 11


@posix
def test_killed_it_is_interrupted_and_goes_on_where_it_was(home):
    with FakeServer(held=4) as server:
        job = home.teach(server.url, concurrency=2)
        home.until(job.id, lambda job: home.answered() == 4)
        process = home.jobs.get(job.id).process
        os.kill(process.pid, signal.SIGKILL)
        home.until(job.id, lambda job: not is_alive(process))
        assert home.jobs.get(job.id).state == "running", "nobody has looked yet"
        home.jobs.look()
        assert home.jobs.get(job.id).state == "interrupted" and home.answered() == 4
        server.let_go()
        assert home.jobs.resume(job.id).process not in (None, process)
        job = home.until_state(job.id, "done")
    assert home.answered() == job.done == 11
    assert 11 <= len(server.asked) <= 13, "only those in flight are asked again"


@posix
def test_it_outlives_whoever_started_it(home):
    """Made by a process that is killed at once; its child goes on."""
    with FakeServer(held=0) as server:
        command = [sys.executable, "-m", "trainer", "teach", "--url", server.url, "--model", "big"]
        env = os.environ | {"CTX_HOME": str(home.folder)}
        follower = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        home.until(1, lambda job: len(server.asked) > 0) if follower.stdout.readline() else None
        follower.kill()
        follower.wait()
        follower.stdout.close()
        assert is_alive(home.jobs.get(1).process)
        server.let_go()
        home.until_state(1, "done")
    assert home.answered() == 11


@pytest.fixture
def heard_signals():
    """Children hear Ctrl-C even where the tests themselves run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@posix
def test_ctrl_c_ends_the_following_only(home, heard_signals):
    with FakeServer(held=0) as server:
        command = [sys.executable, "-m", "trainer", "teach", "--url", server.url, "--model", "big"]
        env = os.environ | {"CTX_HOME": str(home.folder)}
        follower = subprocess.Popen(
            command, cwd=ROOT, env=env, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert follower.stdout.readline() == "job 1: running\n"
        home.until(1, lambda job: len(server.asked) > 0)
        os.killpg(follower.pid, signal.SIGINT)
        _, said = follower.communicate(timeout=60)
        assert follower.returncode == 130
        assert "job 1 goes on; python -m trainer stop 1 stops it" in said
        server.let_go()
        home.until_state(1, "done")


def test_of_many_processes_that_look_one_starts_the_next(home):
    job_id = home.store.jobs.add("teacher", "network", {"url": nowhere(), "model": "big"})
    code = (
        "import sys, time; from pathlib import Path; from db.store import open_store;"
        "from trainer.jobs.queue import Jobs; home = Path(sys.argv[1]);"
        "jobs = Jobs(open_store(home / 'ctx.db'), home); time.sleep(max(0, float(sys.argv[2])"
        " - time.time())); jobs.look(); print(len(jobs._children))"
    )
    at = str(time.time() + 4)
    lookers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(home.folder), at],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    started = [int(looker.communicate(timeout=60)[0]) for looker in lookers]
    assert sum(started) == 1
    home.until_state(job_id, "failed")  # soon: it has no template
    assert home.jobs.log(job_id).text.count(f"job {job_id}: teacher") == 1


@pytest.mark.parametrize("gone", [Process(2**22 + 1, 1.0), Process(os.getpid(), 1.0)])
def test_a_process_is_known_by_its_id_and_its_create_time(home, gone):
    job_id = home.store.jobs.add("teacher", "network", {"url": nowhere(), "model": "big"})
    home.store.jobs.take(job_id, gone, None)
    home.jobs.look()
    assert home.jobs.get(job_id).state == "interrupted"


def test_a_living_process_keeps_its_job(home):
    job_id = home.store.jobs.add("teacher", "network", {"url": nowhere(), "model": "big"})
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as holder:
        process = find_process(holder.pid)
        home.store.jobs.take(job_id, process, None)
        home.jobs.look()
        assert home.jobs.get(job_id).state == "running"
        done = trainer(home, "work", str(job_id))
        assert done.returncode == 2 and "belongs to another process" in done.stderr
        home.store.jobs.end(job_id, process, "stopped")
        holder.communicate(b"\n")


def test_a_child_that_has_ended_is_gone_before_anybody_asks_how(home):
    child = subprocess.Popen([sys.executable, "-c", ""])
    process = Process(child.pid, psutil.Process(child.pid).create_time())
    end = time.monotonic() + 60
    while is_alive(process) and time.monotonic() < end:
        time.sleep(0.02)
    assert find_process(child.pid) is None
    child.wait()


@pytest.mark.parametrize(
    "recipe, error",
    [
        ({}, JobError),
        ({"url": "http://x/v1"}, JobError),
        ({"model": "m"}, JobError),
        ({"url": "http://x/v1", "model": "m", "engine": "base"}, JobError),
        ({"url": "http://me:secret@x/v1", "model": "m"}, TeacherError),
        ({"url": "http://x/v1", "model": "m", "template": "../x"}, TemplateError),
        ({"url": "http://x/v1", "model": "m", "concurrency": 0}, JobError),
        ({"url": "http://x/v1", "model": "m", "concurrency": True}, JobError),
        ({"url": "http://x/v1", "model": "m", "rate": float("nan")}, JobError),
        ({"url": "http://x/v1", "model": "m", "rate": -1}, JobError),
        ({"url": "http://x/v1", "model": "m", "limit": "9"}, JobError),
        ({"url": "http://x/v1", "model": "m", "key": "sk-1"}, JobError),
        ({"url": "http://x/v1", "model": "m\x00"}, JobError),
        ({"engine": "/nowhere/at/all"}, JobError),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_before_there_is_a_job(home, recipe, error):
    with pytest.raises(error):
        home.jobs.add("teacher", recipe)
    assert home.jobs.list_jobs() == ()


def test_no_such_kind_and_no_such_job(home):
    with pytest.raises(JobError):
        home.jobs.add("cook", {})
    with pytest.raises(Refused):
        home.jobs.stop(7)


def test_a_folder_of_a_job_that_the_database_does_not_know_is_left_alone(home):
    """The database was put back from a backup; the folders were not."""
    (home.folder / "jobs" / "6").mkdir(parents=True)
    assert home.teach(nowhere()).id == 7


def test_logs_are_read_piece_by_piece(home):
    folder = home.folder / "jobs" / "1"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_bytes(b"one\n\xfftwo\n")
    tail = home.jobs.log(1)
    assert (tail.text, tail.end) == ("one\n\ufffdtwo\n", 9)
    assert home.jobs.log(1, 5).text == "two\n" and home.jobs.log(1, 99).text == ""
    assert home.jobs.log(2) == type(tail)("", 0)


def test_jobs_from_a_shell(home):
    with FakeServer(lambda asked, n: Said("?") if n == 0 else Said()) as server:
        done = trainer(
            home, "teach", "--url", server.url, "--model", "big", "--limit", "3",
            "--concurrency", "1", "--import", "1",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "job 1: done, 3 of 3, 400 + 40 tokens" in done.stdout
    first, second = home.teach(nowhere()), home.teach(nowhere())
    home.until(first.id, lambda job: job.figures.get("trouble", {}).get("waiting") == "down")
    listed = trainer(home, "jobs").stdout.splitlines()
    assert "queued #1" in listed[0] and "waits, down" in listed[1] and "done" in listed[2]
    assert trainer(home, "stop", str(second.id)).stdout == f"job {second.id}: stopped\n"
    assert "asked to stop" in trainer(home, "stop", str(first.id)).stdout
    home.until_state(first.id, "stopped")
    assert trainer(home, "resume", "1").returncode == 2
    assert trainer(home, "cancel", "99").stderr == "job cannot be 99\n"
    assert trainer(home, "teach", "--url", "ftp://x", "--model", "m").returncode == 2
