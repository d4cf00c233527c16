"""A teacher job against a real server, both killed in the middle: every query is answered once, and
only what was in flight is asked again.

The server is our own engine behind OpenAI's protocol (`tests/openai_server.py`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from db.store import Brought, Job, Origin, Store, open_store
from engine.rules import broken_rules
from engine.sense import Query, context_words
from engine.settings import assets
from engine.teaching import to_question
from tests.openai_server import MODEL, RETRY_AFTER
from tests.real import ROOT, free_port, fresh_home, soak
from trainer.jobs.process import is_alive
from trainer.jobs.queue import Jobs

QUERIES = 400 if soak() else 40
KILLS = 8 if soak() else 1  # of the server and of the child, each
AT_ONCE = 3
# None is busy where a child is killed: the next one cannot know what that one was told.
PLAN = {"2": "429", "5": "500", "8": "garbage", "12": "never good", "36": "429", "38": "slow"}
pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with a signal")


class Teacher:
    """The server's process, which can be killed and started again on the same port."""

    def __init__(self, folder: Path, home: Path):
        self.log, self._home, self.port = folder / "server.jsonl", home, free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = ["--port", self.port, "--log", self.log, "--delay", 0.15]
        arguments += ["--plan", json.dumps(PLAN)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.openai_server", *map(str, arguments)],
            cwd=ROOT,
            env=os.environ | {"CTX_HOME": str(self._home)},
        )
        end = time.monotonic() + 180
        while time.monotonic() < end:
            try:
                assert httpx.get(f"{self.url}/models").json()["data"][0]["id"] == MODEL
                return
            except httpx.TransportError:
                assert self._process.poll() is None, "the server did not come up"
                time.sleep(0.1)
        raise AssertionError("the server did not come up in time")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def rows(self, what: str) -> list[dict[str, Any]]:
        rows = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [row for row in rows if row["what"] == what]


@pytest.fixture
def teacher(tmp_path: Path, models_home: Path) -> Iterator[Teacher]:
    teacher = Teacher(tmp_path, fresh_home(tmp_path / "server-home", models_home))
    teacher.start()
    yield teacher
    teacher.kill()


def gold_queries() -> list[Query]:
    """All words of the first gold sentences, QUERIES of them."""
    file = assets() / "datasets" / "en-zh-gold" / "passages.jsonl"
    rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    contexts = dict.fromkeys(row["context"] for row in rows)
    queries = [Query(c, i) for c in contexts for i in range(len(context_words(c)))]
    assert len(queries) >= QUERIES
    return queries[:QUERIES]


def bring(store: Store, queries: list[Query]) -> None:
    import_id = store.imports.begin(Origin("gold", "text"))
    lines = [
        Brought(n, 0, q.context, context=q.context, queries=(q,)) for n, q in enumerate(queries, 1)
    ]
    store.imports.add(import_id, Origin("gold", "text"), lines)


def until(jobs: Jobs, job_id: int, good: Callable[[Job], bool], seconds: float = 240) -> Job:
    end = time.monotonic() + seconds
    while not good(job := jobs.get(job_id)):
        assert time.monotonic() < end, f"{job}\n{jobs.log(job_id).text}"
        time.sleep(0.02)
    return job


def answered(store: Store, job_id: int) -> int:
    return store.requests.totals(job_id).answered


def until_answered(store: Store, jobs: Jobs, job_id: int, count: int) -> Job:
    return until(jobs, job_id, lambda job: answered(store, job_id) >= count)


def test_both_are_killed_and_every_query_is_answered_once(tmp_path: Path, teacher: Teacher) -> None:
    queries = gold_queries()
    with open_store(tmp_path / "ctx.db") as store:
        bring(store, queries)
        jobs = Jobs(store, tmp_path)
        recipe = {"url": teacher.url, "model": MODEL, "concurrency": AT_ONCE}
        job = jobs.add("teacher", recipe)
        try:
            interrupt(store, jobs, job.id, teacher)
            job = until(jobs, job.id, lambda job: job.state == "done")
            check_labels(store, job, queries)
            check_asked(teacher, queries)
            check_waits(teacher, job)
            assert store.check() == ()
        finally:
            left = jobs.get(job.id)
            if left.process and is_alive(left.process):
                os.kill(left.process.pid, signal.SIGKILL)


def interrupt(store: Store, jobs: Jobs, job_id: int, teacher: Teacher) -> None:
    """Kill the server and then the child, again and again, at even distances."""
    step = QUERIES // (2 * KILLS + 1)
    for turn in range(KILLS):
        until_answered(store, jobs, job_id, (2 * turn + 1) * step)
        teacher.kill()
        job = until(jobs, job_id, lambda job: job.figures["trouble"]["waiting"] == "down")
        assert job.state == "running", "it waits"
        before = answered(store, job_id)
        teacher.start()
        job = until_answered(store, jobs, job_id, (2 * turn + 2) * step)
        assert answered(store, job_id) > before
        assert job.process
        os.kill(job.process.pid, signal.SIGKILL)
        while is_alive(job.process):
            time.sleep(0.01)
        jobs.look()
        assert jobs.get(job_id).state == "interrupted"
        assert jobs.resume(job_id).state == "running"


def check_labels(store: Store, job: Job, queries: list[Query]) -> None:
    """A label each, or for one the reason and all that came back."""
    aside = jobs_aside(store, job.id)
    assert len(aside) == 1 and aside[0].outcome.tries == 2
    assert aside[0].outcome.answers == ("I would say that it means 回.",) * 2
    assert aside[0].reason == 'the answer is no JSON object with "class"'
    rows = store.requests.list_requests(job.id, "answered", limit=QUERIES)
    assert {row.query for row in rows} | {aside[0].query} == set(queries)
    for row in rows:
        (label,) = store.labels.history(row.query)
        assert (label.id, label.source, label.who) == (row.label_id, "teacher", MODEL)
        assert label.status == "proposed" and not broken_rules(row.query, label.sense)
    assert store.labels.history(aside[0].query) == ()
    figures = job.figures
    assert (job.done, job.total) == (QUERIES, QUERIES)
    assert (figures["answered"], figures["set_aside"], figures["waiting"]) == (QUERIES - 1, 1, 0)
    again = [row for row in rows if row.outcome.tries == 2]
    assert figures["asked_again"] == len(again) + 1
    assert figures["tokens_out"] == 10 * (QUERIES + len(again) + 1)


def jobs_aside(store: Store, job_id: int):
    return store.requests.list_requests(job_id, "set_aside")


def check_asked(teacher: Teacher, queries: list[Query]) -> None:
    """What came more than once was in flight at a kill, or went wrong."""
    asked = Counter(row["question"] for row in teacher.rows("asked") if not row["again"])
    assert set(asked) == set(map(to_question, queries))
    failed = [row for row in teacher.rows("answered") if row["status"] != 200]
    extra = sum(asked.values()) - len(queries)
    assert len(failed) <= extra <= len(failed) + 2 * KILLS * AT_ONCE
    good = Counter(
        row["question"]
        for row in teacher.rows("answered")
        if row["status"] == 200 and not row["again"]
    )
    # An answer may be lost on its way to a child that is killed, never otherwise.
    assert sum(good.values()) - len(good) <= KILLS * AT_ONCE


def check_waits(teacher: Teacher, job: Job) -> None:
    """After a 429 nothing came for as long as it said, but what the others had under way."""
    busy = [row["at"] for row in teacher.rows("answered") if row["status"] == 429]
    assert busy
    came = [row["at"] for row in teacher.rows("asked")]
    for moment in busy:
        early = [at for at in came if moment < at < moment + RETRY_AFTER]
        assert len(early) < AT_ONCE, "the server was asked while it had said to wait"
    trouble = job.figures["trouble"]
    assert trouble["waiting"] == "" and trouble["down"] >= KILLS and trouble["failed"] >= 1
