"""One app per folder, also after the app that had it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from db.store import AlreadyRunning, lock_home

ROOT = Path(__file__).parents[2]
APP = """
import subprocess, sys, time
from pathlib import Path
from db.store import lock_home
lock = lock_home(Path(sys.argv[1]))
job = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(job.pid, flush=True)
time.sleep(60)
"""


def test_second_app_is_told_where_and_who(tmp_path: Path) -> None:
    home = tmp_path / "new home"
    with lock_home(home):
        with pytest.raises(AlreadyRunning) as caught:
            lock_home(home)
        assert caught.value.code == "already_running"
        assert str(home) in str(caught.value)
        assert str(os.getpid()) in str(caught.value)
        (home / "instance.pid").unlink()
        with pytest.raises(AlreadyRunning, match="unknown"):
            lock_home(home)
    lock_home(home).release()


def test_other_folders_are_free(tmp_path: Path) -> None:
    with lock_home(tmp_path / "a"), lock_home(tmp_path / "b"):
        pass


def test_release_from_another_thread_and_twice(tmp_path: Path) -> None:
    lock = lock_home(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lock.release).result()
    with lock_home(tmp_path):
        lock.release()  # does not take it from the new owner
        with pytest.raises(AlreadyRunning, match=str(os.getpid())):
            lock_home(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_killed_app_gives_its_folder_back_though_its_job_lives(tmp_path: Path) -> None:
    app = subprocess.Popen(
        [sys.executable, "-c", APP, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert app.stdout
    job = int(app.stdout.readline())
    try:
        with pytest.raises(AlreadyRunning, match=str(app.pid)):
            lock_home(tmp_path)
        app.kill()
        app.wait()
        os.kill(job, 0)  # the job is still there
        lock_home(tmp_path).release()
    finally:
        os.kill(job, signal.SIGKILL)
        app.kill()
        app.stdout.close()
