"""Our own engine answers queries as a job: the same answers as readers get, beside a teacher's."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import psutil
import pytest

from db.store import Brought, Origin, open_store
from engine.lookup import Lookup
from engine.sense import Query, context_words, to_wire
from tests.real import free_port, fresh_home
from trainer.jobs.process import is_alive
from trainer.jobs.queue import Jobs

CONTEXTS = ("They turned my application down.", "He broke the ice with a joke.")
QUERIES = [Query(c, i) for c in CONTEXTS for i in range(len(context_words(c)))]


@pytest.fixture
def jobs(tmp_path: Path, models_home: Path):
    home = fresh_home(tmp_path / "home", models_home)
    with open_store(home / "ctx.db") as store:
        import_id = store.imports.begin(Origin("text", "text"))
        lines = [
            Brought(n, 0, q.context, context=q.context, queries=(q,))
            for n, q in enumerate(QUERIES, 1)
        ]
        store.imports.add(import_id, Origin("text", "text"), lines)
        jobs = Jobs(store, home)
        jobs.store = store
        yield jobs
        for job in jobs.list_jobs(("running", "paused")):
            if job.process and is_alive(job.process) and job.process.pid != os.getpid():
                psutil.Process(job.process.pid).kill()


def until(jobs: Jobs, job_id: int, *states: str):
    end = time.monotonic() + 180
    while (job := jobs.get(job_id)).state not in states:
        assert time.monotonic() < end, f"{job}\n{jobs.log(job_id).text}"
        time.sleep(0.1)
    return job


def test_an_engine_of_ours_answers_as_readers_are_answered(jobs, engine) -> None:
    waiting = jobs.add("teacher", {"url": f"http://127.0.0.1:{free_port()}/v1", "model": "big"})
    job = jobs.add("teacher", {"engine": "shipped"})
    assert (waiting.slot, job.slot) == ("network", "compute")
    assert job.state == "running", "a teacher that waits is in nobody's way"
    job = until(jobs, job.id, "done", "failed")
    assert (job.state, job.done, job.total) == ("done", len(QUERIES), len(QUERIES)), job
    lookup = Lookup(lambda progress: engine)
    lookup.start()
    for query in QUERIES:
        answer = asyncio.run(lookup.answer(query))
        (label,) = jobs.store.labels.history(query)
        assert to_wire(query, label.sense) == to_wire(query, answer.sense)
        assert (label.source, label.who) == ("model", engine.id)
        assert label.confidence == pytest.approx(answer.confidence)
        assert label.status == "proposed"
    lookup.close()
    jobs.stop(waiting.id)
    until(jobs, waiting.id, "stopped")
    again = until(jobs, jobs.add("teacher", {"engine": "shipped", "limit": 5}).id, "done")
    assert again.total == 0, "it has answered all of them"


def test_a_folder_that_is_no_adapter(jobs, tmp_path) -> None:
    job = until(jobs, jobs.add("teacher", {"engine": str(tmp_path)}).id, "failed")
    assert job.error == "adapter" and "is no adapter" in job.detail
