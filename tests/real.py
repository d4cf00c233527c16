"""The real app and the real model for tests: where they live, and how they are started."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).resolve().parents[1]
# Each worker has ports of its own, below those that the system gives out, and takes one after the
# other: what is free when it is looked at is free when it is used.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_OURS = range(12_000 + 1_000 * (_WORKER % 20), 13_000 + 1_000 * (_WORKER % 20))
_PORTS = cycle(random.Random().sample(_OURS, len(_OURS)))


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
    """One where nothing listens, and which no other test is given."""
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("unreachable: the ports begin again")


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
