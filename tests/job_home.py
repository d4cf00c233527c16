"""A home with a few queries for tests of jobs, and the trainer's commands run in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from db.store import Brought, Job, Origin, Store, open_store
from engine.sense import Query, context_words
from tests.real import ROOT, free_port
from trainer.jobs.process import is_alive, this_process
from trainer.jobs.queue import Jobs

CONTEXT = "The old bank by the river closed its doors at noon."  # 11 words


class Home:
    """A home with eleven queries, its store and its jobs; nothing of it runs on after a test."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.store: Store = open_store(folder / "ctx.db")
        self.jobs = Jobs(self.store, folder)
        queries = tuple(Query(CONTEXT, i) for i in range(len(context_words(CONTEXT))))
        origin = Origin("text", "text")
        import_id = self.store.imports.begin(origin)
        one = Brought(1, 0, CONTEXT, context=CONTEXT, queries=queries)
        self.store.imports.add(import_id, origin, [one])

    def teach(self, url: str, **recipe) -> Job:
        return self.jobs.add("teacher", {"url": url, "model": "big", **recipe})

    def until(self, job_id: int, good: Callable[[Job], bool], seconds: float = 240) -> Job:
        """The job, once it is as wanted."""
        end = time.monotonic() + seconds
        while not good(job := self.jobs.get(job_id)):
            assert time.monotonic() < end, f"{job}\n{self.jobs.log(job_id).text}"
            time.sleep(0.02)
        return job

    def until_state(self, job_id: int, *states: str) -> Job:
        return self.until(job_id, lambda job: job.state in states)

    def answered(self) -> int:
        rows = [self.store.labels.history(Query(CONTEXT, i)) for i in range(11)]
        assert all(len(labels) <= 1 for labels in rows), "nothing is stored twice"
        return sum(map(len, rows))

    def close(self) -> None:
        for job in self.jobs.list_jobs(("queued", "running", "paused")):
            self.store.jobs.ask(job.id, "cancel")
            if job.process is not None and is_alive(job.process) and job.process != this_process():
                psutil.Process(job.process.pid).kill()
        self.store.close()


def nowhere() -> str:
    return f"http://127.0.0.1:{free_port()}/v1"


def trainer(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trainer", *arguments],
        cwd=ROOT, env=os.environ | {"CTX_HOME": str(home.folder)},
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
