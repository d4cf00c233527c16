"""A reader says that an answer is not right."""

from __future__ import annotations

import json
import urllib.request

from playwright.sync_api import expect

from tests.browser.pages import read_text, word


def open_form(page, target: str) -> None:
    word(page, target).click()
    expect(page.locator(".ctx-read")).to_have_attribute("data-card", "found")
    page.get_by_role("button", name="Not right?").click()
    expect(page.locator(".ctx-read input[name=meaning]")).to_be_visible()


def chip(page, text: str):
    return page.locator(".ctx-chips").get_by_role("button", name=text, exact=True)


def send(page) -> None:
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".ctx-reply")).to_have_text("Thank you. Noted.")
    expect(page.locator(".ctx-form-wrong")).to_be_hidden()


def test_better_meaning_is_kept_with_what_was_shown(page, app):
    read_text(page, app, "A better bank one.")
    open_form(page, "bank")
    page.locator(".ctx-read input[name=meaning]").fill("  河岸 ")
    send(page)
    assert app.state()["feedback"][-1] == {
        "context": "A better bank one.", "position": 2, "pair": "en-zh", "shown": "银行",
        "meaning": "河岸", "members": None, "phraseMeaning": "", "note": "",
    }  # fmt: skip


def test_nothing_needs_to_be_filled_in(page, app):
    read_text(page, app, "An empty bank one.")
    open_form(page, "bank")
    send(page)
    kept = app.state()["feedback"][-1]
    assert (kept["context"], kept["meaning"], kept["members"]) == ("An empty bank one.", "", None)


def test_missed_phrase_is_chosen_by_touching_its_words(page, app):
    read_text(page, app, "He kicked the old bucket at last.")
    open_form(page, "kicked")
    expect(page.locator(".ctx-read input[name=phraseMeaning]")).to_be_hidden()
    for text in ("the", "old", "bucket", "old"):  # the second touch takes it out again
        chip(page, text).click()
    expect(chip(page, "kicked")).to_have_attribute("aria-pressed", "true")
    expect(chip(page, "old")).to_have_attribute("aria-pressed", "false")
    page.locator(".ctx-read input[name=phraseMeaning]").fill("去世")
    send(page)
    kept = app.state()["feedback"][-1]
    assert (kept["members"], kept["phraseMeaning"]) == ([1, 2, 4], "去世")


def test_a_phrase_that_is_none_can_be_taken_back(page, app):
    read_text(page, app, "Please call the old one back now.")
    open_form(page, "back")
    expect(chip(page, "call")).to_have_attribute("aria-pressed", "true")
    chip(page, "call").click()
    expect(page.locator(".ctx-chip[aria-pressed=true]")).to_have_count(0)
    send(page)
    kept = app.state()["feedback"][-1]
    assert (kept["members"], kept["note"]) == (None, "no phrase here")


def test_escape_closes_the_form_and_keeps_the_card(page, app):
    read_text(page, app)
    open_form(page, "bank")
    page.keyboard.press("Escape")
    expect(page.locator(".ctx-form-wrong")).to_be_hidden()
    expect(page.locator(".ctx-meaning")).to_be_visible()


def test_hosted_app_keeps_nothing_and_says_why(page, start_app):
    app = start_app("--hosted")
    read_text(page, app)
    word(page, "bank").click()
    page.get_by_role("button", name="Not right?").click()
    expect(page.locator(".ctx-reply")).to_contain_text("reading only")
    assert _write_past_the_page(page, app) == {"error": "hosted_read_only"}
    assert app.state()["feedback"] == []


def _write_past_the_page(page, app) -> dict:
    """What a stranger gets who calls the handler without the page."""
    component = page.evaluate(
        "window.gradio_config.components.find((c) => c.props.elem_id === 'read').id"
    )
    question = {"reader": "x", "version": "y", "sentence": 0, "word": 0}
    body = {
        "data": question, "component_id": component, "fn_name": "not_right", "session_hash": "x",
    }  # fmt: skip
    request = urllib.request.Request(
        app.url + "/gradio_api/component_server/",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)
