"""A promotion that is killed at any of its steps: readers have the one or the other, never neither,
and what the store says is made good at the next start.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.store import open_store
from engine.checking import read_adapter
from engine.present import read_pointer
from engine.settings import Settings
from tests.promotions import add_tuned
from tests.real import ROOT
from trainer.mending import mend
from trainer.promote import back, history, present, promote

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
KILLED = """
import os, signal, sys
from pathlib import Path
from db.store import open_store
from engine.settings import Settings
from trainer import promote

home, at, act = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def die(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)

with open_store(home / "ctx.db") as store:
    settings = Settings(home=home)
    promote.mend(store, home)
    promote.mend = promote.mend if at == "replace" else die
    os.replace = die if at == "replace" else os.replace
    if act == "back":
        promote.back(store, settings)
    promote._weighed = lambda *given: (0, promote.Weighed((), ()))
    promote.promote(act, store, settings)
"""


def killed(home: Path, at: str, act: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(home), at, act],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr


@pytest.mark.parametrize("at", ["replace", "mend"])
def test_a_promotion_that_is_killed(tmp_path: Path, at: str) -> None:
    settings = Settings(home=tmp_path)
    with open_store(tmp_path / "ctx.db") as store:
        name = add_tuned(store, tmp_path, "first-try")
    shipped = present(settings).version
    killed(tmp_path, at, name)
    assert present(settings).version == shipped, "not before all of it is there"
    with open_store(tmp_path / "ctx.db") as store:
        mend(store, tmp_path)
        rows = history(store)
        assert len(rows) == (at == "mend")
        if not rows:
            assert present(settings).version == shipped
            rows = (promote(name, store, settings, "", "again"),)
        now = present(settings)
        assert now.version == rows[0].promoted.version and now.folder
        assert read_adapter(now.folder).version == now.version


def test_a_way_back_that_is_killed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with open_store(tmp_path / "ctx.db") as store:
        for name in ("one", "two"):
            promote(add_tuned(store, tmp_path, name), store, settings, "", "try")
        first, second = history(store)
    killed(tmp_path, "mend", "back")
    assert read_pointer(tmp_path).version == second.promoted.version
    with open_store(tmp_path / "ctx.db") as store:
        mend(store, tmp_path)
        assert present(settings).version == first.promoted.version
        assert back(store, settings).promoted.model == "shipped"
