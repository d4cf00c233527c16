"""Processes as jobs see them: which one this is, whether one is alive, how a child is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from db.store import Process

ROOT = Path(__file__).resolve().parents[2]
LOG = "log.txt"
# The create time is counted from the machine's start, which moves when its clock is set.
_SAME = 2.0  # seconds


def this_process() -> Process:
    """The process that runs this."""
    return Process(os.getpid(), psutil.Process().create_time())


def find_process(pid: int) -> Process | None:
    """The process with this id, or None where it has ended."""
    try:
        found = psutil.Process(pid)
        if found.status() == psutil.STATUS_ZOMBIE:
            return None
        return Process(pid, found.create_time())
    except psutil.NoSuchProcess:
        return None


def same(one: Process | None, other: Process | None) -> bool:
    """Whether both are the same process, seen at different times."""
    if one is None or other is None:
        return False
    return one.pid == other.pid and abs(one.created - other.created) < _SAME


def is_alive(process: Process) -> bool:
    """Whether the process still runs, and is not another one with its id."""
    try:
        return same(process, find_process(process.pid))
    except psutil.AccessDenied:  # it is there, and not ours to look at
        return psutil.pid_exists(process.pid)


def job_folder(home: Path, job_id: int) -> Path:
    """Where a job keeps its log and whatever it makes."""
    return home / "jobs" / str(job_id)


def start_child(home: Path, job_id: int) -> subprocess.Popen[bytes]:
    """A process of its own session that does the job, its output in the job's log: it outlives
    whoever started it."""
    folder = job_folder(home, job_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    apart: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":
        apart = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    # Threads that spin while they wait would slow readers' answers down.
    added = {"CTX_HOME": str(home), "PYTHONUNBUFFERED": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "trainer", "work", str(job_id)],
            cwd=ROOT,
            env=os.environ | added,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **apart,
        )
