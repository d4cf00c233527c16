"""The Models tab: a model is given to readers and taken back, a reason only where one is needed;
and readers' pages hear of another model by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from db.store import Store, open_store
from engine.settings import Settings
from tests.browser.pages import App, read_text, word
from tests.promotions import add_evaluation, add_tuned
from trainer.catalogue import find_model
from trainer.promote import present, promote

PHONE = {"viewport": {"width": 390, "height": 844}}


def tuned(store: Store, name: str, value: float, **told: object) -> None:
    home = store.path.parent
    settings, model = Settings(home=home), add_tuned(store, home, name, **told)  # type: ignore[arg-type]
    add_evaluation(store, home, present(settings), find_model(model, store, settings), value)


def line(page: Page, name: str):
    return page.locator(f'#models-list [data-model="{name}"]')


def present_line(page: Page, pair: str = "en-zh", task: str = "sense"):
    """The line of what readers have."""
    return page.locator(f"[data-pair={pair}][data-task={task}] .ctx-model-line[data-here=true]")


def test_promoted_with_and_without_a_reason_and_taken_back(
    begin: Callable[..., App], page: Page, tmp_path: Path
) -> None:
    def fill(store: Store) -> None:
        tuned(store, "better", 0.03)
        tuned(store, "<b>worse</b>", -0.05, fit=False, why="retention")

    app = begin(fill)
    page.goto(app.url + "/#models/list/run:1")
    expect(present_line(page).locator("h3")).to_have_text("en-zh-sense")
    expect(line(page, "run:1")).to_have_class("ctx-model-line ctx-pointed")
    line(page, "run:1").locator("[data-do=promote]").click()
    dialog = page.locator("#models-list .ctx-promote")
    expect(dialog.locator("[data-figure=right]")).to_contain_text("+0.030 (+0.020 – +0.040)")
    expect(dialog.locator("textarea")).to_be_hidden()
    dialog.get_by_role("button", name="Promote").click()
    expect(present_line(page).locator("h3")).to_have_text("better")
    expect(line(page, "run:1")).to_contain_text("Readers have this")

    expect(line(page, "run:3").locator("h3")).to_have_text("<b>worse</b>")
    line(page, "run:3").locator("[data-do=promote]").click()
    yes = dialog.get_by_role("button", name="Promote")
    expect(dialog.locator(".ctx-against")).to_contain_text("not fit to promote")
    expect(dialog.locator(".ctx-against")).to_contain_text("not been compared")
    expect(yes).to_be_disabled()
    dialog.locator("textarea").fill("  ")
    expect(yes).to_be_disabled()
    dialog.locator("textarea").fill("<i>a trial</i>")
    yes.click()
    expect(present_line(page).locator("h3")).to_have_text("<b>worse</b>")
    expect(page.locator(".ctx-present-why")).to_have_text("Why: <i>a trial</i>")

    page.locator("#models-list [data-do=back]", has_text="Back to better").click()
    expect(present_line(page).locator("h3")).to_have_text("better")
    page.locator("#models-list [data-do=back]", has_text="Back to en-zh-sense").click()
    expect(present_line(page).locator("h3")).to_have_text("en-zh-sense")
    expect(page.locator("#models-list [data-do=back]")).to_have_count(0)
    assert present(Settings(home=tmp_path)).name == "shipped"
    expect(page.locator(".ctx-present-state")).to_have_text("")

    page.locator("#models-views [data-view=history]").click()
    rows = page.locator(".ctx-history-list li")
    expect(rows).to_have_count(4)
    expect(rows.nth(2)).to_contain_text("Why: <i>a trial</i>")
    rows.nth(2).locator("a").click()
    expect(page.locator("#models-card h2").last).to_have_text("<b>worse</b>")


def test_the_card_of_an_answer(page: Page, app: App) -> None:
    read_text(page, app)
    word(page, "bank").click()
    page.locator(".ctx-by a").first.click()
    card = page.locator("#models-card")
    expect(card.locator(".ctx-card-head h2")).to_have_text("en-zh-sense")
    expect(card.locator(".ctx-card-data li")).to_have_count(6)
    expect(card.locator(".ctx-card-scores")).to_contain_text("test gold, n = 616")
    expect(card.locator(".ctx-card-failures li")).to_have_count(20)
    page.goto(app.url + "/#models/card/run:99")
    expect(card).to_contain_text("There is no such model.")


def test_the_smaller_model_is_named_where_it_answers(
    start_app: Callable[..., App], page: Page
) -> None:
    app = start_app("--mode", "small")
    read_text(page, app)
    word(page, "bank").click()
    page.locator(".ctx-by a").first.click()
    card = page.locator("#models-card")
    expect(card.locator(".ctx-card-head h2")).to_have_text("en-zh-sense-small")
    expect(card.locator(".ctx-verdict")).to_have_text("Readers have this")
    expect(card.locator("[data-do=promote]")).to_have_count(0)
    page.goto(app.url + "/#models/list")
    form = page.locator(".ctx-present-form")
    expect(form).to_contain_text("answered by en-zh-sense-small")
    form.locator("a").click()
    expect(card.locator(".ctx-card-head h2")).to_have_text("en-zh-sense-small")


def test_a_page_shows_no_answer_of_the_model_before(
    begin: Callable[..., App], page: Page, tmp_path: Path
) -> None:
    app = begin(lambda store: tuned(store, "better", 0.03))
    read_text(page, app)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    expect(page.locator(".ctx-by a").first).to_have_text("fake-adapter")
    settings = Settings(home=tmp_path)
    with open_store(settings.database) as store:  # another process than the app
        version = promote("run:1", store, settings).promoted.version
    expect(page.locator(".ctx-meaning")).to_have_text(version + "银行")
    expect(page.locator(".ctx-by a").first).to_have_attribute("href", "#models/card/" + version)
    expect(page.locator(".ctx-detail")).to_have_text(version)
    word(page, "light").click()
    expect(page.locator(".ctx-meaning")).to_have_text(version + "轻的")
    page.locator(".ctx-by a").first.click()
    expect(page.locator("#models-card .ctx-card-head h2")).to_have_text("better")


def test_a_hosted_app_promotes_nothing_and_shows_cards(
    start_app: Callable[..., App], new_context: Callable
) -> None:
    app = start_app("--hosted")
    page = new_context(**PHONE).new_page()
    page.goto(app.url + "/#models/list")
    expect(line(page, "shipped")).to_contain_text("Readers have this")
    expect(page.locator("#models-list [data-do]:visible")).to_have_count(0)
    page.goto(app.url + "/#models/history")
    expect(page.locator("#models-history")).to_contain_text("at home only")
    page.goto(app.url + "/#models/card/shipped")
    expect(page.locator("#models-card .ctx-card-failures li")).to_have_count(20)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
