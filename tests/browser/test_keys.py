"""Reading without a mouse."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.pages import read_text, word


def test_tab_reaches_one_word_and_enter_looks_it_up(page, app):
    read_text(page, app)
    expect(page.locator(".ctx-passage [tabindex='0']")).to_have_count(1)
    page.locator("[data-do=help]").focus()
    page.keyboard.press("Tab")
    expect(word(page, "She")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".ctx-word")).to_have_text("She")
    expect(page.locator(".ctx-read")).to_have_attribute("data-card", "found")


def test_keys_walk_over_words_and_sentences(page, app):
    read_text(page, app)
    word(page, "call").click()
    for key, expected in (
        ("ArrowRight", "them"), ("n", "back"), ("ArrowRight", "The"), ("ArrowLeft", "back"),
        ("p", "them"), ("s", "The"), ("s", "It"), ("Shift+S", "The"),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(page.locator(".ctx-word")).to_have_text(expected)
        expect(page.locator(".ctx-here")).to_be_focused()
        expect(page.locator(".ctx-here")).to_have_text(expected)
    expect(page.locator(".ctx-passage [tabindex='0']")).to_have_count(1)


def test_ends_of_the_text_are_ends(page, app):
    read_text(page, app)
    word(page, "home").click()
    page.keyboard.press("n")
    expect(page.locator(".ctx-word")).to_have_text("home")
    word(page, "She").click()
    page.keyboard.press("p")
    expect(page.locator(".ctx-word")).to_have_text("She")


def test_copy_key(page, app):
    read_text(page, app)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    page.keyboard.press("c")
    expect(page.locator(".ctx-read .ctx-toast")).to_have_text("Copied.")


def test_help_and_escape(page, app):
    read_text(page, app)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    page.keyboard.press("?")
    expect(page.locator(".ctx-read .ctx-help")).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator(".ctx-word")).to_have_text("bank")
    page.keyboard.press("Escape")
    expect(page.locator(".ctx-read .ctx-help")).to_be_hidden()
    expect(page.locator(".ctx-word")).to_have_text("bank")
    page.keyboard.press("Escape")
    expect(page.locator(".ctx-read")).to_have_attribute("data-card", "none")
    expect(word(page, "bank")).to_be_focused()


def test_silent_while_a_field_has_the_focus(page, app):
    read_text(page, app)
    word(page, "bank").click()
    page.get_by_role("button", name="Not right?").click()
    field = page.locator(".ctx-read input[name=meaning]")
    field.focus()
    page.keyboard.type("nspc?")
    expect(field).to_have_value("nspc?")
    expect(page.locator(".ctx-word")).to_have_text("bank")
    expect(page.locator(".ctx-read .ctx-help")).to_be_hidden()


def test_browser_shortcuts_are_left_alone(page, app):
    read_text(page, app)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    page.keyboard.press("Control+c")
    expect(page.locator(".ctx-read .ctx-toast")).to_be_empty()
