"""The tour of `make demo` on the real model, from its first sentence to its last: minutes, so there
is no such test but under `CTX_SOAK=1`. Its ways to end, without a model: unit/test_demo.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from db.store import open_store
from engine.catalogue import readers_folder
from engine.checking import read_adapter
from engine.present import read_pointer
from engine.settings import Settings
from tests.real import ROOT, soak
from trainer.demo import NAME, NEW
from trainer.promote import history

if soak():

    @pytest.mark.timeout(3600)
    def test_the_tour_ends_with_readers_who_get_other_answers(models_home: Path, tmp_path: Path):
        home = tmp_path / "a tour"
        done = subprocess.run(
            [sys.executable, "-m", "trainer", "demo", "--home", str(home)],
            cwd=ROOT, env=os.environ | {"CTX_HOME": str(models_home)}, capture_output=True,
            text=True,
        )  # fmt: skip
        print(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        steps = [int(line[0]) for line in done.stdout.splitlines() if re.match(r"\d  \w", line)]
        assert steps == [1, 2, 3, 4, 5, 6]
        told = re.search(r"(\d) of (\d) answers changed; \d+ s in all", done.stdout)
        assert told and 0 < int(told[1]) <= int(told[2]) == len(NEW)
        settings = Settings(home=home)
        with open_store(settings.database) as store:
            trained, compared = store.jobs.list_jobs()[::-1]
            assert (trained.kind, trained.state, trained.done) == ("train", "done", trained.total)
            assert (compared.kind, compared.state) == ("evaluate", "done")
            (made,) = history(store)
            assert made.promoted.title == NAME
            assert len(store.feedback.list_feedback()) == 1
        folder = readers_folder(settings, "en-zh", "sense")
        assert folder and folder.is_relative_to(home)
        assert read_adapter(folder).version == read_pointer(home).version == made.promoted.version
