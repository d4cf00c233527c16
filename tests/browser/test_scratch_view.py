"""The From nothing view: a corpus begun by three clicks, what follows it, and the page of such a
run. Nothing is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from db.store import Store, open_store
from tests.browser.pages import App
from tests.told_runs import add_run
from trainer.jobs.process import job_folder, this_process

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
CORPUS = {"name": "clean", "languages": "de-en", "sources": ["a.de", "a.en"], "similar": 0.8}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "ctx.db")) as store:
        yield store


@pytest.fixture
def app(tmp_path: Path, store: Store, start_app: Callable[..., App]) -> App:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("a.de", "a.en", "notes.txt"):
        (data / name).write_text("text")
    return start_app("--home", str(tmp_path), "--data", str(data))


def add_corpus(store: Store, home: Path) -> int:
    """A corpus that was made, and what it told."""
    job_id = store.jobs.add("corpus", "compute", CORPUS, "Ann")
    store.jobs.take(job_id, this_process(), None)
    for n, kept in enumerate((0.9, 0.7, 0.8), 1):
        event = {
            "event": "step", "step": 1000 * n, "steps": 3000, "kept": 800 * n, "kept_share": kept,
            "rows_per_second": 900.0, "memory_gb": 0.3, "dropped_length": 1 - kept,
            "dropped_size": 0.0,
        }  # fmt: skip
        store.events.tell(job_id, this_process(), event)
    store.jobs.report(job_id, this_process(), 3000, 3000, {})
    store.jobs.end(job_id, this_process(), "done")
    files = [
        {"file": f"{split}.{code}.txt", "rows": n, "language": code, "sha256": "ab" * 32}
        for split, n in {"train": 2160, "dev": 120, "test": 120}.items()
        for code in ("de", "en")
    ]
    folder = job_folder(home, job_id) / "corpus"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps({"files": files}))
    return job_id


def open_view(page: Page, app: App, view: str) -> None:
    page.add_init_script("localStorage.setItem('ctx.work-pair', 'de-en')")
    page.goto(f"{app.url}/#train/{view}")
    name = view.split("/")[0]
    expect(page.locator(f"#train-{name} .ctx-work")).to_have_attribute("data-state", "shown")


def test_a_corpus_is_begun_and_a_model_takes_it_up(store, app, page, tmp_path):
    add_corpus(store, tmp_path)
    add_run(store, tmp_path, (), "running")  # so that new ones wait
    open_view(page, app, "scratch")
    view = page.locator("#train-scratch")
    go = view.locator(".ctx-go [type=submit]")
    expect(go).to_be_disabled()
    expect(view.locator(".ctx-source-tiles b")).to_have_text("a.de + a.en")
    view.locator(".ctx-source-tiles .ctx-tile").click()
    view.locator("[name=similar]").fill("7")
    go.click()
    expect(view.locator("[data-field=similar] .ctx-field-wrong")).not_to_be_empty()
    view.locator("[name=similar]").fill("0.9")
    go.click()
    expect(page.locator(".ctx-run-head h2")).to_have_text("Run 3: corpus")
    assert store.jobs.get(3).recipe["sources"] == ["a.de", "a.en"]

    open_view(page, app, "scratch")
    view.locator(".ctx-kind-tiles .ctx-tile", has_text="Pre-training").click()
    view.locator(".ctx-data-tiles .ctx-tile", has_text="1 · clean").click()
    view.locator("[name=size]").select_option("10M")
    expect(view.locator("[name='model.layers']")).to_have_value("7")
    go.click()
    expect(page.locator(".ctx-run-head h2")).to_have_text("Run 4: de-en-scratch")
    recipe = store.jobs.get(4).recipe
    assert recipe["phase"] == "pretrain" and recipe["recipe"]["model"]["layers"] == 7


@pytest.mark.parametrize("width", ["wide", "phone"])
def test_a_corpus_has_a_page_of_its_own(store, app, new_context, tmp_path, width):
    number = add_corpus(store, tmp_path)
    page = new_context(**(PHONE if width == "phone" else {})).new_page()
    open_view(page, app, f"run/{number}")
    expect(page.locator(".ctx-run-about")).to_contain_text("Corpus · a.de, a.en")
    expect(page.locator(".ctx-run-far")).to_contain_text("2,400 of 3,000 rows kept")
    plots = page.locator("#train-run .ctx-curve-plot")
    expect(plots.first.locator(".ctx-readout")).to_have_text("row 3,000 · rows kept 0.8")
    expect(plots.nth(1).locator(".ctx-curve-name")).to_have_text(["length"])
    expect(page.locator(".ctx-run-data")).to_contain_text("train.de.txt 2,160 rows")
    expect(page.locator(".ctx-command code")).to_contain_text("scratch corpus")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.goto(f"{app.url}/#train/scratch")
    expect(page.locator("#train-scratch .ctx-kind-tiles .ctx-tile")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
