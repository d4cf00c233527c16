"""The process that does one job: takes it, runs its kind, notes how it ended, starts the next one.

Only what stands in the row counts: a process whose job belongs to another one now stops at once.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from db.store import Job, Process, Refused, Store, StoreError
from engine.settings import Settings
from trainer.jobs.kinds import find_kind
from trainer.jobs.process import is_alive, job_folder, same, this_process
from trainer.jobs.queue import start_next
from trainer.troubles import name_trouble

_PAUSE = 0.5  # seconds between two looks while a job waits
_TRIES = 5  # to take a job that changes hands meanwhile, or to note an end while others write


class Work:
    """A job as its kind sees it: its recipe, its folder, what is asked of it, how far it is."""

    def __init__(
        self,
        job: Job,
        process: Process,
        store: Store,
        settings: Settings,
        stopped: Callable[[], bool] = lambda: False,
    ):
        self.job, self.process, self.store, self.settings = job, process, store, settings
        self.folder: Path = job_folder(settings.home, job.id)
        self._stopped = stopped
        self._paused = False

    def wish(self) -> str:
        """What is asked of the job now: "", pause, stop or cancel. Reads one row. Refused where
        another process has the job."""
        asked = self.store.jobs.asked(self.job.id, self.process)
        return "stop" if self._stopped() and asked != "cancel" else asked

    def set_paused(self, paused: bool) -> None:
        """Note that the job waits, or goes on."""
        if paused != self._paused:
            self.store.jobs.set_paused(self.job.id, self.process, paused)
            self._paused = paused
            self.say("paused" if paused else "goes on")

    def report(self, done: int, total: int | None, figures: Mapping[str, Any]) -> None:
        """Note how far the job is."""
        self.store.jobs.report(self.job.id, self.process, done, total, figures)

    def say(self, text: str) -> None:
        """Write a line to the job's log."""
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def is_over(work: Work) -> bool:
    """Whether the job is asked to end; waits while it is asked to wait."""
    while (wish := work.wish()) == "pause":
        work.set_paused(True)
        time.sleep(_PAUSE)
    work.set_paused(False)
    return wish in ("stop", "cancel")


def work(store: Store, settings: Settings, job_id: int, stopped: Callable[[], bool]) -> str:
    """Do the job to its end; the state it ended in. Refused where it cannot be had."""
    me = this_process()
    job = _take(store, job_id, me)
    doing = Work(job, me, store, settings, stopped)
    doing.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    doing.say(f"job {job_id}: {job.kind}, process {me.pid}")
    try:
        state, error, detail = _run(doing)
        doing.say(" ".join(filter(None, (state, error, detail))))
        _end(store, job_id, me, state, error, detail)
    finally:
        start_next(store, settings.home, job.slot)
    return state


def _take(store: Store, job_id: int, me: Process) -> Job:
    """The job, from whoever started this process, from a process that is gone, or from nobody."""
    for _ in range(_TRIES):
        holder = store.jobs.get(job_id).process
        if holder is not None and not (same(holder, me) or _is_parent(holder)) and is_alive(holder):
            break
        try:
            return store.jobs.take(job_id, me, holder)
        except Refused as error:
            if error.code != "job_lost":
                raise
    raise Refused("job_lost", id=job_id)


def _is_parent(holder: Process) -> bool:
    parent = psutil.Process(os.getpid()).parent()
    return parent is not None and same(holder, Process(parent.pid, parent.create_time()))


def _run(doing: Work) -> tuple[str, str, str]:
    """The state in which the work ends, and why where it failed."""
    try:
        if find_kind(doing.job.kind).run(doing):
            return "done", "", ""
        return ("cancelled" if doing.wish() == "cancel" else "stopped"), "", ""
    except Refused as error:
        if error.code == "job_lost":
            raise
        traceback.print_exc()
        return "failed", error.code, str(error)
    except Exception as error:
        code = getattr(error, "code", None)
        if isinstance(code, str) and code:  # one that people can do something about
            return "failed", code, str(error)
        traceback.print_exc()
        lacking, advice = name_trouble(error)
        if lacking:
            return "failed", lacking, advice
        return "failed", "failed", f"{type(error).__name__}: {error}"


def _end(store: Store, job_id: int, me: Process, state: str, error: str, detail: str) -> None:
    """Note the end, however busy the database is: a long import may hold it for a while."""
    for left in reversed(range(_TRIES)):
        try:
            return store.jobs.end(job_id, me, state, error, detail)
        except StoreError as problem:
            if problem.code != "busy" or not left:
                raise
