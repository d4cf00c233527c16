"""The trainer's commands with runs that wait: python -m tests.held_work COMMAND …

A run that has told of the step in the file that CTX_TEST_HELD names, or of a later one, waits until
the file is gone. So a test finds it there, however short it is and however slow the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.real import ROOT
from trainer.jobs import queue, watched
from trainer.jobs.process import LOG, job_folder
from trainer.scratch import command

VARIABLE = "CTX_TEST_HELD"
_SITE = """import sys

if sys.orig_argv[1:4] == ["-m", "trainer", "work"]:
    from tests.held_work import wait_where_told

    wait_where_told()
"""


class Hold:
    """Where runs wait, as a test says it."""

    def __init__(self, folder: Path):
        self._file = folder / "held"
        self.environment = {VARIABLE: str(self._file)}

    def everywhere(self) -> dict[str, str]:
        """The environment of an app, as people start it, all of whose trainings wait."""
        (self._file.parent / "sitecustomize.py").write_text(_SITE)
        path = os.pathsep.join((str(self._file.parent), str(ROOT)))
        return self.environment | {"PYTHONPATH": path}

    def at(self, step: int) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(step))
        fresh.replace(self._file)

    def let_go(self) -> None:
        self._file.unlink(missing_ok=True)


def start_child(home: Path, job_id: int) -> subprocess.Popen[bytes]:
    """A job's process, as the queue starts it, that waits where it is told to."""
    folder = job_folder(home, job_id)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.held_work", "work", str(job_id)],
            cwd=ROOT, env=os.environ | {"CTX_HOME": str(home)}, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def _held(report: Callable) -> Callable:
    """`report`, whose last argument is an event, and the wait behind it."""

    def wait(*given) -> None:
        report(*given)
        if given[-1].get("event") == "step":
            while (step := _step()) is not None and given[-1]["step"] >= step:
                time.sleep(0.02)

    return wait


def _step() -> int | None:
    try:
        return int(Path(os.environ[VARIABLE]).read_text())
    except FileNotFoundError:
        return None


def wait_where_told() -> None:
    """Have the runs of this process wait."""
    watched.Watched.report = _held(watched.Watched.report)
    command._say = _held(command._say)


if __name__ == "__main__":
    from trainer.__main__ import main

    queue.start_child = start_child
    wait_where_told()
    sys.exit(main())
