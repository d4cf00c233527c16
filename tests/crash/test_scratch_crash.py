"""A fine-tuning from nothing that is killed: it goes on from its last checkpoint, and its curve and
its weights are those of one that was never killed.

A tiny model and a few sentences; `CTX_SOAK=1` kills twenty times, at other steps.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.held_work import Hold
from tests.real import ROOT, soak
from tests.unit.test_scratch_runs import STEPS, recipe_data, write_texts
from trainer.checkpoints import is_whole
from trainer.scratch.folder import load_model

KILLS = 20 if soak() else 1
LAST, EVERY = 60, 8
pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with a signal")


class Runs:
    """Fine-tunings of one recipe as the command does them, each in a folder of its own."""

    def __init__(self, folder: Path):
        self._folder, self._hold = folder, Hold(folder)
        write_texts(folder)
        steps = STEPS | {"steps": LAST, "evaluate_every": EVERY, "guard_rows": 2}
        text = json.dumps(recipe_data(finetune=steps))
        (folder / "recipe.json").write_text(text, encoding="utf-8")

    def of(self, name: str) -> Path:
        """Where a run's log, checkpoint and model are."""
        return self._folder / name / "random"

    def begin(self, name: str) -> subprocess.Popen[bytes]:
        told = {"CTX_HOME": str(self._folder), "CTX_DTYPE": "float32", "OMP_NUM_THREADS": "1"}
        told |= self._hold.environment
        return subprocess.Popen(
            [sys.executable, "-m", "tests.held_work", "scratch", "finetune",
             self._folder / "recipe.json", "--start", "random", "--folder", self._folder / name],
            cwd=ROOT, env=os.environ | told, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def events(self, name: str) -> list[dict]:
        """What a run told; a line that the kill tore is none."""
        file = self.of(name) / "log.jsonl"
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def losses(self, name: str) -> dict[int, set[float]]:
        """Each step's loss; steps that were taken again give it again."""
        found: dict[int, set[float]] = {}
        for told in self.events(name):
            if told["event"] == "step":
                found.setdefault(told["step"], set()).add(told["loss"])
        return found

    def kill(self, name: str, step: int) -> None:
        """Begin a run and kill it once it has told of this step, where it waits."""
        self._hold.at(step)
        process = self.begin(name)
        end = time.monotonic() + 240
        while max(self.losses(name), default=0) < step:
            assert process.poll() is None and time.monotonic() < end, self.events(name)[-3:]
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        self._hold.let_go()


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Iterator[Runs]:
    yield Runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def whole(runs: Runs) -> str:
    """The run that nobody killed."""
    assert runs.begin("whole").wait() == 0
    return "whole"


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_fine_tuning_ends_as_one_that_was_never_killed(runs, whole, kill):
    name = f"killed-{kill}"
    runs.kill(name, EVERY + 1 + 5 * kill % (LAST - EVERY - 8))
    assert not (runs.of(name) / "model").exists()
    assert is_whole(runs.of(name) / "checkpoint")
    assert runs.begin(name).wait() == 0
    resumed = [told["step"] for told in runs.events(name) if told["event"] == "resumed"]
    assert len(resumed) == 1 and resumed[0] >= EVERY, "from a checkpoint, not from the beginning"
    assert runs.losses(name) == runs.losses(whole), "each step has one loss, and the same"
    curves = [
        [told["dev_loss"] for told in runs.events(one) if told["event"] == "dev"]
        for one in (whole, name)
    ]
    assert len(curves[0]) == LAST // EVERY + 2 and set(curves[1]) == set(curves[0])
    left, right = (load_model(runs.of(one) / "model").net.state_dict() for one in (whole, name))
    assert all(torch.equal(left[key], right[key]) for key in left)
    shutil.rmtree(runs.of(name))
