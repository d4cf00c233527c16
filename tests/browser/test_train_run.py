"""A real training run from the page: started, watched, stopped, resumed and finished, with the real
base on a few rows. Until it is stopped it waits at a step, however fast the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from db.dataset.importing import bring
from db.store import Origin, open_store
from engine.settings import assets
from tests.browser.pages import App
from tests.held_work import Hold
from tests.real import fresh_home

STEPS, STOPPED = 10, 3
LONG = 600_000  # ms: beside other work on a small machine


@pytest.fixture
def home(tmp_path: Path, models_home: Path) -> Path:
    """A home with the converted base and a frozen dataset of rows that are no one's yet."""
    home = fresh_home(tmp_path / "home", models_home)
    gold = (assets() / "datasets/en-zh-gold/phrasal.jsonl").read_text(encoding="utf-8")
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(gold.splitlines()[:120]), encoding="utf-8")
    with closing(open_store(home / "ctx.db")) as store:
        bring(store, file, Origin("rows", "", who="T"))
        store.datasets.freeze("corrections", "en-zh", accepted=False, leave_out=True)
    return home


@pytest.mark.timeout(1800)
def test_a_run_is_started_watched_stopped_resumed_and_finished(
    home: Path, start_app: Callable[..., App], page, tmp_path: Path
) -> None:
    hold = Hold(tmp_path)
    hold.at(STOPPED)
    app = start_app("--home", str(home), "--hold", str(tmp_path))
    page.goto(app.url + "/#train/new")
    form = page.locator("#train-new")
    form.locator(".ctx-data-tiles .ctx-tile", has_text="corrections").click()
    form.locator(".ctx-preset-tiles .ctx-tile", has_text="A few corrections").click()
    form.locator(".ctx-more summary").click()
    for name, value in {
        "name": "seen-in-a-browser", "replay": "0.2", "batch": "4", "steps": str(STEPS),
        "evaluate_every": "5", "dev_rows": "8", "guard_rows": "0",
        "scored_rows": "8",
    }.items():  # fmt: skip
        form.locator(f".ctx-field [name={name}]").fill(value)
    form.locator(".ctx-field [name=reference]").select_option("")
    form.locator(".ctx-go [type=submit]").click()
    run = page.locator("#train-run")
    state = run.locator(".ctx-run-state")
    expect(run.locator(".ctx-run-head h2")).to_have_text("Run 1: seen-in-a-browser")
    expect(state).to_contain_text(f"Training: step {STOPPED}", timeout=LONG)
    run.locator("[data-do=stop]").click()
    expect(state).to_contain_text("Saving, then it stops")
    hold.let_go()
    expect(state).to_contain_text("Stopped and saved.", timeout=LONG)
    expect(run.locator("[data-checkpoint=checkpoint]")).to_contain_text("verified", timeout=LONG)
    with closing(open_store(home / "ctx.db")) as store:
        stopped = [one.data for one in store.events.read(1)]
        assert (stopped[-1]["event"], stopped[-1]["step"]) == ("stopped", STOPPED)
    page.reload()  # whoever comes back finds it as it is
    run.locator("[data-do=resume]").click()
    expect(state).to_contain_text("Done.", timeout=LONG)
    run.locator(".ctx-run-marks summary").click()
    expect(run.locator(".ctx-run-marks li")).to_have_count(2)
    expect(run.locator("[data-plot=loss] polyline")).to_have_count(2)
    expect(run.locator(".ctx-score").first).to_contain_text("meaning")
    expect(run.locator(".ctx-run-data li")).to_have_count(2)
    with closing(open_store(home / "ctx.db")) as store:
        assert store.jobs.get(1).state == "done"
        steps = [one.data["step"] for one in store.events.read(1) if one.data["event"] == "step"]
        assert steps == list(range(1, STEPS + 1))
    assert (home / "jobs/1/adapter/adapter_model.safetensors").is_file()
    page.goto(app.url + "/#train/new")
    options = form.locator(".ctx-field [name=start] option")
    expect(options.last).to_have_text("run 1: seen-in-a-browser")
