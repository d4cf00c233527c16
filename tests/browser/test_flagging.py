"""Flagging in a browser: one key, and a reason that can be typed or left alone."""

from __future__ import annotations

from playwright.sync_api import expect

from db.store import Filter
from engine.sense import Query, Sense
from tests.browser.reviewing import PAIR, line, look, open_queue, teach

FLAGGED = Filter(status="flagged")


def dogs(store) -> None:
    for number in range(4):
        teach(store, Query(f"Dogs {'abcd'[number]} bark.", 0), Sense("noun", "狗"))


def reasons(tmp_path) -> list[str]:
    return look(tmp_path, lambda store: [row.why for row in store.browse.page(PAIR, FLAGGED)])


def flag(page) -> None:
    before = line(page)
    page.keyboard.press("f")
    page.wait_for_function("a => document.querySelector('.ctx-line').innerText !== a", arg=before)


def test_a_reason_is_typed_or_left_alone(tmp_path, begin, page) -> None:
    open_queue(page, begin(dogs))
    why = page.locator(".ctx-queue .ctx-flag-why")
    expect(why).to_be_hidden()
    flag(page)
    expect(why).to_contain_text("Flagged: Dogs. Why?")
    flag(page)  # left alone: keys are commands all the while
    assert reasons(tmp_path) == ["", ""]
    page.keyboard.press("n")
    page.keyboard.type("nobody barks")
    page.keyboard.press("Enter")
    expect(why).to_be_hidden()
    expect(page.locator(".ctx-queue .ctx-toast")).to_have_text("The reason is kept.")
    assert sorted(reasons(tmp_path)) == ["", "nobody barks"]
    flag(page)
    page.keyboard.press("n")
    page.keyboard.type("thrown away")
    page.keyboard.press("Escape")
    page.keyboard.press("f")  # the last one
    page.wait_for_selector(".ctx-queue[data-state=empty]")
    page.keyboard.press("n")  # at the end, too
    page.keyboard.type("the end")
    page.route("**/component_server/", lambda route: route.abort())
    why.locator("[type=submit]").click()
    expect(why).to_be_visible()  # the app cannot be reached: what was typed comes back
    expect(why.locator("input")).to_have_value("the end")
    page.unroute("**/component_server/")
    why.locator("[type=submit]").click()
    expect(why).to_be_hidden()
    expect(page.locator(".ctx-queue .ctx-toast")).to_have_text("The reason is kept.")
    assert sorted(reasons(tmp_path)) == ["", "", "nobody barks", "the end"]
    page.locator(".ctx-queue .ctx-filter summary").click()
    page.locator(".ctx-queue [name=status]").select_option("flagged")
    page.wait_for_selector(".ctx-queue[data-state=item]")
    page.goto(page.url.replace("queue", "table"))
    expect(page.locator(".ctx-row-why").first).to_be_visible()
    page.locator(".ctx-table-row", has_text="nobody barks").locator(".ctx-open").click()
    expect(page.locator(".ctx-queue .ctx-flag")).to_contain_text("Ann: nobody barks")
    page.locator(".ctx-queue .ctx-history summary").click()
    expect(page.locator(".ctx-queue .ctx-history")).to_contain_text("flagged nobody barks")


def test_many_at_once_have_one_reason(tmp_path, begin, page) -> None:
    app = begin(dogs)
    open_queue(page, app)
    everything = page.locator(".ctx-all input")
    expect(everything).to_be_disabled()  # no rows yet to choose
    page.goto(app.url + "/#label/table")
    everything.check()
    page.locator(".ctx-table [data-do=flag]").click()
    why = page.locator(".ctx-table .ctx-flag-why")
    expect(why).to_contain_text("4 questions")
    why.locator("input").fill("no text for learners")
    why.locator("input").press("Enter")
    expect(page.locator(".ctx-row-why")).to_have_text(["no text for learners"] * 4)
    assert reasons(tmp_path) == ["no text for learners"] * 4
