"""`accelerate launch` runs a recipe in two processes, and its curve is that of one: a few steps in
float32 without dropout. A tiny base; `CTX_SOAK=1` takes the real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.checking import read_adapter
from tests.real import ROOT, free_port, fresh_home, soak
from tests.small_rows import few_rows
from tests.tiny import tiny_folder

STEPS = 6
# To accelerate, --cpu is one process; --multi_gpu is several, on what CTX_DEVICE says.
LAUNCH = (
    "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
    "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
    "--num_cpu_threads_per_process", "1",
)  # fmt: skip

RECIPE = {
    "name": "two", "sources": [{"name": "rows", "path": "rows.jsonl"}], "steps": STEPS,
    "batch": 8, "rank": 8, "matrices": "q,v", "dropout": 0.0, "guard_rows": 6, "dev_rows": 8,
}  # fmt: skip


def fit(folder: Path, base: str, models_home: Path, name: str, *launch: str) -> list[dict]:
    """The events of the recipe's run, from its log."""
    environment = {
        "CTX_HOME": str(fresh_home(folder / f"{name}-home", models_home)), "CTX_BASE": base,
        "CTX_DEVICE": "cpu", "CTX_DTYPE": "float32", "OMP_WAIT_POLICY": "PASSIVE",
    }  # fmt: skip
    asked = ["-m", "trainer", "fit", str(folder / "recipe.json"), "--folder", str(folder / name)]
    ran = subprocess.run(
        [sys.executable, *launch, *asked], cwd=ROOT, env=os.environ | environment,
        capture_output=True, text=True, timeout=540,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [json.loads(line) for line in (folder / name / "log.jsonl").read_text().splitlines()]


def losses(events: list[dict], kind: str, figure: str) -> list[float]:
    return [event[figure] for event in events if event.get("event") == kind]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> str:
    """What CTX_BASE says."""
    return "embedded" if soak() else str(tiny_folder(tmp_path_factory.mktemp("base")))


@pytest.fixture(scope="module")
def alone(tmp_path_factory, base, models_home) -> list[dict]:
    """The events of one process."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "rows.jsonl").write_text(few_rows(60))
    (folder / "recipe.json").write_text(json.dumps(RECIPE))
    return fit(folder, base, models_home, "one")


@pytest.mark.parametrize("sharded", [False, True])
def test_two_processes_have_the_curve_of_one(tmp_path, base, models_home, alone, sharded):
    """With the base whole in each, or a part of every layer in each (FSDP)."""
    (tmp_path / "rows.jsonl").write_text(few_rows(60))
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE | {"sharded": sharded}))
    port = "--main_process_port", str(free_port())
    two = fit(tmp_path, base, models_home, "two", *LAUNCH, *port)
    assert len(losses(alone, "step", "loss")) == STEPS
    for kind, figure in (("step", "loss"), ("dev", "dev_loss"), ("dev", "meaning_match")):
        assert losses(two, kind, figure) == pytest.approx(losses(alone, kind, figure), rel=2e-3)
    assert read_adapter(tmp_path / "two" / "adapter").card.name == "two"
    held = losses(two, "sharded", "held")
    assert [0.5 < share < 0.9 for share in held] == [True] * sharded  # the embedding stays whole
