"""From a row of an evaluation to its word in the review queue, in one click, and on from there."""

from __future__ import annotations

from contextlib import closing

from playwright.sync_api import expect

from db.store import open_store
from tests.browser.pages import App
from tests.browser.reviewing import look
from tests.stored_evaluations import add_evaluation


def test_the_worst_regression_is_one_click_from_the_queue(page, tmp_path):
    with closing(open_store(tmp_path / "ctx.db")) as store:
        add_evaluation(store, tmp_path, 24)
    app = App("--home", str(tmp_path))
    try:
        page.goto(f"{app.url}/#compare/split/1")
        row = page.locator("#compare-split .ctx-sentences > li").first
        word = row.locator(".ctx-pair-word").inner_text()
        row.get_by_role("link", name="Review").click()
        queue, name = page.locator("#label-queue"), page.locator("#label-views .ctx-who input")
        expect(queue.locator(".ctx-queue")).to_have_attribute("data-state", "empty")
        assert page.evaluate("location.hash").startswith("#label/item/1/")
        name.fill("Ann")
        name.press("Tab")
        expect(queue.locator(".ctx-line .ctx-target")).to_have_text(word)
        expect(queue.locator(".ctx-answer-row").first).to_contain_text("en-zh-gold")
        page.wait_for_function("location.hash === '#label/queue'")
        queue.locator("[data-do=save]").first.click()
        expect(queue.locator(".ctx-queue")).to_have_attribute("data-state", "empty")
        # Asked while the queue is asked for its next query: what was clicked comes.
        page.evaluate("dispatchEvent(new Event('ctx-person')); location.hash = '#label/item/1/5'")
        expect(queue.locator(".ctx-queue")).to_have_attribute("data-state", "item")
        page.wait_for_function("location.hash === '#label/queue'")
        (brought,) = look(tmp_path, lambda store: store.imports.list_imports())
        assert brought.name == "evaluation: en-zh-gold" and brought.lines == 2
        page.go_back()
        page.go_back()
        expect(row).to_be_visible()
    finally:
        app.close()
