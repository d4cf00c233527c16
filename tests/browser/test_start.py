"""Starting the app: version, and a port that is taken."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from engine.settings import VERSION
from tests.browser.pages import ROOT


def run_app(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_version():
    done = run_app("--version")
    assert (done.returncode, done.stdout) == (0, f"CTX-Translator {VERSION}\n")


def test_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_app(CTX_PORT=port, CTX_HOME=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"CTX_PORT={port}: taken; set another port"
    assert "Traceback" not in done.stderr


def test_setting_that_does_not_fit_is_named(tmp_path):
    done = run_app(CTX_PORT="ninety", CTX_HOME=str(tmp_path))
    assert done.returncode == 2 and "CTX_PORT" in done.stderr
