"""kill -9 while the small model is made leaves none, and two that make it at once make one."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from engine.forms import read_told
from engine.small import is_made, small_assets
from tests.real import ROOT, fresh_home

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)


def start(home, folder):
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", "small", str(folder)],
        cwd=ROOT, env=os.environ | {"CTX_HOME": str(home)}, start_new_session=True,
    )  # fmt: skip


def beside(folder):
    return [one.name for one in folder.parent.iterdir() if one != folder and one.is_dir()]


def test_a_killed_making_leaves_none_and_two_at_once_make_one(models_home, tmp_path):
    home = fresh_home(tmp_path, models_home)
    folder, shipped = home / "forms" / "a" / "small", read_told(small_assets())
    making = start(home, folder)
    while not (folder.parent.is_dir() and beside(folder)):  # half a student lies there
        assert making.poll() is None
        time.sleep(0.05)
    os.killpg(making.pid, signal.SIGKILL)
    making.wait()
    assert not is_made(folder, shipped) and beside(folder)
    both = [start(home, folder) for _ in range(2)]
    assert [one.wait(timeout=300) for one in both] == [0, 0]
    assert is_made(folder, shipped) and not beside(folder)
    before = (folder / "form.json").stat().st_mtime_ns
    assert start(home, folder).wait(timeout=60) == 0
    assert (folder / "form.json").stat().st_mtime_ns == before
