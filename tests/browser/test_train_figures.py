"""What the Train tab says of a teacher before a run, and of the embedding score in a run, in both
languages. No model is trained.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from db.store import Store, open_store
from tests.browser.pages import App
from tests.told_runs import add_run, freeze

LONG = 120_000  # ms: beside other work on a small machine


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "ctx.db")) as store:
        yield store


@pytest.fixture
def app(tmp_path: Path, start_app: Callable[..., App]) -> App:
    return start_app("--home", str(tmp_path))


def test_a_look_before_says_what_the_teacher_takes(store, app, page: Page, tmp_path, models_home):
    (tmp_path / "models").symlink_to(models_home / "models")
    freeze(store, tmp_path, "mine", 60)
    page.goto(f"{app.url}/#train/new")
    form = page.locator("#train-new")
    form.locator(".ctx-data-tiles .ctx-tile", has_text="mine").click()
    form.locator(".ctx-preset-tiles .ctx-tile", has_text="A laptop tonight").click()
    form.locator(".ctx-more > summary").click()
    form.locator(".ctx-field [name='distil.teacher']").select_option("base")
    form.locator("[data-do=check]").click()
    cache = form.locator("[data-figure=cache]")
    expect(cache).to_contain_text("on disk: what the teacher says, 64 tokens at", timeout=LONG)
    expect(form.locator("[data-figure=teacher] dd")).to_have_text(re.compile(r"0\.\d|1\.\d"))
    expect(form.locator("[data-figure=asking] dt")).to_have_text("of the time: asking the teacher")


@pytest.mark.parametrize("told", [True, False])
def test_the_embedding_score_is_a_curve_or_its_lack_is_said(store, app, page, tmp_path, told):
    figures = {"dev_loss": 1.0, "score": 0.4, "chrf": 40.0, "bleu": 20.0, "rouge_l": 0.5}
    more = {"base_embedding_f1": 0.6} if told else {}
    left_out = {"event": "left_out", "figure": "base_embedding_f1", "code": "not_converted",
                "reason": "not here"}  # fmt: skip
    devs = [{"event": "dev", "step": n, **figures, **more} for n in (10, 20)]
    job = add_run(store, tmp_path, [*([] if told else [left_out]), *devs], "done")
    page.goto(f"{app.url}/#train/run/{job.id}")
    curves = page.locator("#train-run .ctx-curves")
    name = "embedding score over the embedded base"
    expect(curves).to_contain_text(f"{name}" if told else f"Without {name}: The built-in model")
