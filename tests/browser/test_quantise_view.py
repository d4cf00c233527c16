"""The Smaller forms view: a run begun by a click, and the page of one that is done. Nothing is
made smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from db.store import Store, open_store
from tests.browser.pages import App
from tests.made_forms import add_forms
from tests.told_runs import add_run, freeze

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "ctx.db")) as store:
        freeze(store, tmp_path, "mine", 60)
        yield store


@pytest.fixture
def app(tmp_path: Path, store: Store, start_app: Callable[..., App]) -> App:
    return start_app("--home", str(tmp_path))


def open_view(page: Page, app: App, view: str) -> None:
    page.goto(f"{app.url}/#train/{view}")
    name = view.split("/")[0]
    expect(page.locator(f"#train-{name} .ctx-work")).to_have_attribute("data-state", "shown")


def is_no_wider(page: Page) -> bool:
    width = page.evaluate("document.documentElement.scrollWidth")
    return width <= page.viewport_size["width"]


def test_forms_are_chosen_and_a_run_begins(store, app, page, tmp_path):
    add_run(store, tmp_path, (), "running")  # so that the new one waits
    open_view(page, app, "quantise")
    view = page.locator("#train-quantise")
    view.locator("[name=way][value=int4-rows8-smooth]").uncheck()
    view.locator(".ctx-how-tiles .ctx-tile", has_text="A size to reach").click()
    view.locator("[name=ratio]").fill("35")
    go = view.locator(".ctx-go [type=submit]")
    go.click()
    expect(view.locator("[data-field=ratio] .ctx-field-wrong")).not_to_be_empty()
    view.locator("[name=ratio]").fill("0.35")
    go.click()
    expect(page.locator(".ctx-run-head h2")).to_have_text("Run 2: shipped adapter")
    recipe = store.jobs.get(2).recipe
    assert recipe["ways"] == ["int8-rows8", "int8-rows8-smooth", "int4-rows4-smooth"]
    assert (recipe["ratio"], recipe["dataset"], recipe["rows"]) == (0.35, "mine", 300)
    page.locator("[data-view=runs]:visible").click()
    expect(page.locator("#train-runs tbody")).to_contain_text("2 · shipped adapter")


@pytest.mark.parametrize("width", ["wide", "phone"])
def test_a_run_that_is_done_shows_its_forms(store, app, new_context, tmp_path, width):
    number = add_forms(store, tmp_path).id
    page = new_context(**(PHONE if width == "phone" else {})).new_page()
    open_view(page, app, f"run/{number}")
    shown = page.locator("#train-run .ctx-run-forms")
    expect(shown.locator(".ctx-forms-smallest")).to_have_text(
        "The smallest that passed is int8-rows8: 270.0 MB, 50.4 % of the original."
        " 60.0 % was asked for: reached."
    )
    rows = shown.locator(".ctx-smaller-table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(2)).to_contain_text("failed phrase, all members keeps 84.0 %")
    expect(shown.locator(".ctx-forms-missing")).to_contain_text("nf4 bitsandbytes is not installed")
    expect(shown.locator(".ctx-worth-table tbody tr").nth(1)).to_contain_text("keeps 99.0 %")
    expect(shown.locator(".ctx-frontier")).to_have_count(1)
    shown.locator(".ctx-smaller-across select").select_option("ms")
    expect(shown.locator(".ctx-drawing")).to_contain_text("CPU ms a cold click")
    expect(page.locator("#train-run .ctx-run-curves")).to_be_hidden()
    assert is_no_wider(page)
    page.get_by_role("button", name="New run like this").click()
    view = page.locator("#train-quantise")
    expect(view.locator("[name=way]:checked")).to_have_count(3)
    expect(view.locator("[name=ratio]")).to_have_value("0.6")
    assert is_no_wider(page)


def test_a_run_at_work_says_which_form_it_is_at(store, app, page, tmp_path):
    number = add_forms(store, tmp_path, "running").id
    open_view(page, app, f"run/{number}")
    state = page.locator("#train-run .ctx-run-state")
    expect(state).to_have_text("Form 3 of 4: int4-rows4. 120 of 616 rows answered.")
    expect(page.locator("#train-run .ctx-smaller-table tbody tr")).to_have_count(3)
