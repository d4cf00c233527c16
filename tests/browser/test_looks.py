"""Phone, dark, Chinese; and that nothing hangs over the edge."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.pages import STORY, open_app, read_text, word

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_on_a_phone_the_card_is_a_sheet_that_leaves_the_word_free(new_context, app):
    page = new_context(**PHONE).new_page()
    read_text(page, app, STORY + "\n\n" + "It was a quiet light day. " * 60 + "\n\nThe last bank.")
    last = word(page, "bank", -1)
    last.scroll_into_view_if_needed()
    last.tap()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    card = page.locator(".ctx-card")
    expect(card).to_have_css("position", "fixed")
    page.wait_for_function(
        """() => document.querySelector('.ctx-here').getBoundingClientRect().bottom
            < document.querySelector('.ctx-card').getBoundingClientRect().top"""
    )
    sheet = card.bounding_box()
    assert (sheet["x"], sheet["width"]) == (0, 390)
    assert abs(sheet["y"] + sheet["height"] - 844) <= 1
    page.locator(".ctx-steps [data-do=close]").tap()
    expect(page.locator(".ctx-read")).to_have_attribute("data-card", "none")


def test_sheet_can_be_pulled_down(new_context, app):
    page = new_context(**PHONE).new_page()
    read_text(page, app)
    word(page, "bank").tap()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    grip = page.locator(".ctx-grip").bounding_box()
    page.mouse.move(grip["x"] + 190, grip["y"] + 10)
    page.mouse.down()
    page.mouse.move(grip["x"] + 190, grip["y"] + 200, steps=4)
    page.mouse.up()
    expect(page.locator(".ctx-read")).to_have_attribute("data-card", "none")


@pytest.mark.parametrize("view", ["editing", "reading", "form"])
def test_nothing_hangs_over_the_edge_of_a_phone(new_context, app, view):
    page = new_context(**PHONE).new_page()
    if view == "editing":
        open_app(page, app)
    else:
        read_text(page, app, STORY + " " + "a" * 300)
        word(page, "back").tap()
        expect(page.locator(".ctx-members")).to_have_text("call … back")
    if view == "form":
        page.get_by_role("button", name="Not right?").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_dark_follows_the_system_and_a_choice_is_kept(new_context, app):
    page = new_context(color_scheme="dark").new_page()
    open_app(page, app)
    expect(page.locator("body")).to_have_css("background-color", "rgb(24, 23, 21)")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("body")).to_have_css("background-color", "rgb(251, 249, 244)")
    page.reload()
    expect(page.locator("body")).to_have_css("background-color", "rgb(251, 249, 244)")


def test_chinese_browser_gets_chinese(new_context, app):
    page = new_context(locale="zh-CN").new_page()
    open_app(page, app)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.locator(".ctx-read textarea").fill(STORY)
    page.get_by_role("button", name="开始阅读").click()
    word(page, "bank").click()
    expect(page.locator(".ctx-class")).to_have_text("名词")
    expect(page.get_by_role("button", name="不对？")).to_be_visible()
    expect(page.locator(".ctx-read").get_by_text("此处的意思")).to_be_visible()


def test_language_changes_at_once_and_is_kept(page, app):
    read_text(page, app)
    word(page, "bank").click()
    expect(page.locator(".ctx-class")).to_have_text("noun")
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".ctx-class")).to_have_text("名词")
    expect(page.get_by_role("button", name="更换文章")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="更换文章")).to_be_visible()


def test_card_stays_in_sight_while_the_passage_scrolls(page, app):
    read_text(page, app, STORY + "\n\n" + "It was a quiet light day. " * 200)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    page.evaluate("scrollTo(0, 800)")
    expect(page.locator(".ctx-meaning")).to_be_in_viewport()
