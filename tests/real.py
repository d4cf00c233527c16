"""The real app and the real model for tests: where they live, and how they are started."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).resolve().parents[1]


def soak() -> bool:
    """The long counts of `make soak` instead of the small ones of `make test`."""
    return os.environ.get("CTX_SOAK") == "1"


def fresh_home(folder: Path, models_home: Path) -> Path:
    """A new CTX_HOME that shares the converted base."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(models_home / "models")
    return folder


def small_home(folder: Path, made_small: Path) -> Path:
    """A new CTX_HOME that shares the converted base and the small model."""
    home = fresh_home(folder, made_small)
    (home / "forms").symlink_to(made_small / "forms")
    return home


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class App(NamedTuple):
    """An app that serves: its address and its process."""

    url: str
    process: psutil.Process

    def resident(self) -> float:
        """Megabytes of memory."""
        return self.process.memory_info().rss / 1e6


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[App]:
    """The app as people start it, in a process of its own."""
    port = free_port()
    environment |= {"CTX_HOME": str(home), "CTX_PORT": str(port)}
    with (home / "app.log").open("w") as log:
        app = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _wait_until_up(app, port, home / "app.log")
            yield App(f"http://127.0.0.1:{port}", psutil.Process(app.pid))
        finally:
            app.terminate()
            app.wait(timeout=60)


def _wait_until_up(app: subprocess.Popen, port: int, log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if app.poll() is not None:
            raise RuntimeError(f"the app ended with {app.returncode}:\n{log.read_text()}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the app did not come up:\n{log.read_text()}")
