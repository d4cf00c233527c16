"""The filter's people in a browser: chosen, not typed."""

from __future__ import annotations

from playwright.sync_api import expect

from engine.sense import Query, Sense
from tests.browser.reviewing import open_queue, teach


def test_who_decided_is_chosen_from_those_there_are(begin, page) -> None:
    def fill(store) -> None:
        for number, who in enumerate(["Ann", "ann", "王伟", ""]):
            query_id = teach(store, Query(f"Dogs {'abcd'[number]} bark.", 0), Sense("noun", "狗"))
            if who:
                store.review.decide(who, "accept", query_id, Sense("noun", "狗"))

    app = begin(fill)
    open_queue(page, app)
    page.goto(app.url + "/#label/table")
    who = page.locator(".ctx-table [name=who]")
    expect(who.locator("option")).to_have_text(["anybody", "Ann (2)", "王伟 (1)"])
    who.select_option("Ann")
    expect(page.locator(".ctx-table-row")).to_have_count(2)
    page.get_by_role("button", name="中文").click()
    expect(who.locator("option")).to_have_text(["不限", "Ann（2）", "王伟（1）"])
    expect(who).to_have_value("Ann")
    page.locator(".ctx-table [data-do=review]").click()
    page.wait_for_selector(".ctx-queue[data-state=empty]")  # all of them are decided
    expect(page.locator(".ctx-queue [name=who]")).to_have_value("Ann")
