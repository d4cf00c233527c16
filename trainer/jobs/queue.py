"""The queue as a screen or the command line sees it: make jobs, look at them, ask things of them.

Whoever holds this only observes. A job's process is started from here or by the process of the job
before it, and goes on whatever happens to the one that started it.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.store import Job, Refused, Request, Store, Told
from db.store.jobs import ACTIVE, SLOTS, STATES
from trainer.jobs.kinds import find_kind
from trainer.jobs.process import LOG, find_process, is_alive, job_folder, start_child, this_process

_MOST_LOG = 65_536  # bytes of a log that are read at once


@dataclass(frozen=True)
class Tail:
    """A piece of a job's log, and the offset in bytes at which the next one begins."""

    text: str
    end: int


class Jobs:
    """The jobs of one home."""

    def __init__(self, store: Store, home: Path):
        self._store, self._home = store, home
        self._lock = threading.Lock()  # any thread may look
        self._children: list[subprocess.Popen[bytes]] = []  # asked now and then, or they stay

    def add(self, kind: str, recipe: Mapping[str, Any], who: str = "") -> Job:
        """A new job, started at once where its slot is free. JobError or Refused says what is
        wrong with the recipe."""
        prepared = find_kind(kind).prepare(recipe)
        above = _highest(self._home / "jobs")
        job_id = self._store.jobs.add(kind, prepared.slot, prepared.recipe, who, above)
        self.look()
        return self._store.jobs.get(job_id)

    def add_done(
        self,
        kind: str,
        recipe: Mapping[str, Any],
        figures: Mapping[str, Any],
        told: Sequence[Mapping[str, Any]],
    ) -> Job:
        """A job that was done elsewhere, with what it told; its folder is for the caller to fill.
        JobError or Refused says what is wrong with the recipe."""
        prepared, above = find_kind(kind).prepare(recipe), _highest(self._home / "jobs")
        row = self._store.jobs.add_done(kind, prepared.slot, prepared.recipe, figures, told, above)
        return self._store.jobs.get(row)

    def get(self, job_id: int) -> Job:
        """The job as it stands; Refused where there is none."""
        return self._store.jobs.get(job_id)

    def list_jobs(
        self, states: Sequence[str] = STATES, before: int | None = None, limit: int = 100
    ) -> tuple[Job, ...]:
        """Jobs in these states, the newest first, at most `limit`; ids are below `before`."""
        return self._store.jobs.list_jobs(states, before, limit)

    def look(self) -> None:
        """Notice jobs whose process is gone, and start what can start. Cheap: ask it every
        second."""
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]
        for job in self._store.jobs.list_jobs(ACTIVE):
            if job.process is not None and not is_alive(job.process):
                self._store.jobs.gone(job.id, job.process)
        for slot in SLOTS:
            child = start_next(self._store, self._home, slot)
            if child is not None:
                with self._lock:
                    self._children.append(child)

    def pause(self, job_id: int) -> Job:
        """Ask the job to wait: it keeps its process and its slot."""
        return self._ask(job_id, "pause")

    def resume(self, job_id: int) -> Job:
        """Ask a paused job to go on; one that has no process goes last in the queue."""
        return self._ask(job_id, "resume")

    def stop(self, job_id: int) -> Job:
        """Ask the job to save what it has and end; it can be resumed."""
        return self._ask(job_id, "stop")

    def cancel(self, job_id: int) -> Job:
        """Ask the job to end for good. Answers that are stored stay."""
        return self._ask(job_id, "cancel")

    def move(self, job_id: int, place: int) -> Job:
        """Put a queued job at this place, from 1, of its slot's queue."""
        return self._store.jobs.move(job_id, place)

    def log(self, job_id: int, after: int | None = None) -> Tail:
        """What the job's log holds behind the offset `after`, or its end."""
        file = job_folder(self._home, job_id) / LOG
        if not file.is_file():
            return Tail("", 0)
        with file.open("rb") as log:
            size = log.seek(0, 2)
            start = max(0, size - _MOST_LOG) if after is None else min(max(0, after), size)
            log.seek(start)
            found = log.read(_MOST_LOG)
        return Tail(found.decode("utf-8", errors="replace"), start + len(found))

    def events(self, job_id: int, after: int = 0, limit: int = 2000) -> tuple[Told, ...]:
        """What the job told behind the event of the number `after`, in order."""
        return self._store.events.read(job_id, after, limit)

    def folder(self, job_id: int) -> Path:
        """Where the job's files are; Refused where there is no such job."""
        return job_folder(self._home, self._store.jobs.get(job_id).id)

    def write_note(self, job_id: int, note: str) -> None:
        """Keep what somebody notes on a job."""
        self._store.jobs.write_note(job_id, note)

    def remove(self, job_id: int) -> None:
        """Delete a job that is over, with all its files; its log and its results are gone."""
        self._store.jobs.remove(job_id)
        shutil.rmtree(job_folder(self._home, job_id), ignore_errors=True)
        job_folder(self._home, job_id).mkdir()  # its number is never given again

    def requests(
        self, job_id: int, state: str = "set_aside", after: int = 0, limit: int = 100
    ) -> tuple[Request, ...]:
        """The job's requests in a state (waiting, answered, set_aside, known) with numbers above
        `after`."""
        return self._store.requests.list_requests(job_id, state, after, limit)

    def ask_again(self, job_id: int, numbers: Sequence[int] | None = None) -> Job:
        """Ask what was set aside (None: all of it) once more: the job is resumed for that. Refused
        while it is at work."""
        job = self._store.jobs.get(job_id)
        if job.state in (*ACTIVE, "queued", "cancelled"):
            raise Refused("job_state", id=job_id, state=job.state, wish="ask again")
        self._store.requests.ask_again(job_id, numbers)
        return self._ask(job_id, "resume")

    def _ask(self, job_id: int, wish: str) -> Job:
        self._store.jobs.ask(job_id, wish)
        self.look()
        return self._store.jobs.get(job_id)


def start_next(store: Store, home: Path, slot: str) -> subprocess.Popen[bytes] | None:
    """The process of the slot's next job, started now; None where the slot is taken or its queue
    empty. Of several processes that try, one starts it."""
    if not _may_start(store, slot):
        return None
    me = this_process()
    while (job := store.jobs.claim_next(slot, me)) is not None:
        # The row is this process's until the child's: if this one dies here, that is noticed.
        try:
            child = start_child(home, job.id)
        except OSError as error:
            store.jobs.end(job.id, me, "failed", "cannot_start", str(error))
            continue
        found = find_process(child.pid)
        if found is not None:
            store.jobs.hand_over(job.id, me, found)
        elif store.jobs.get(job.id).process == me:
            store.jobs.end(job.id, me, "failed", "cannot_start", "its process ended at once")
            continue
        return child
    return None


def _may_start(store: Store, slot: str) -> bool:
    """Whether it is worth a write to try: most looks find nothing to start."""
    active = store.jobs.list_jobs((*ACTIVE, "queued"), limit=10_000)
    here = [job.state for job in active if job.slot == slot]
    return "queued" in here and not set(here) & set(ACTIVE)


def _highest(folder: Path) -> int:
    """The highest number that names a folder of a job, 0 for none: a database that was put back
    from a backup must not give such a number again."""
    if not folder.is_dir():
        return 0
    return max((int(one.name) for one in folder.iterdir() if one.name.isdecimal()), default=0)
