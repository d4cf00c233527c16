"""Clicking words: the card, the marks of a phrase, answers that are on the page already."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from tests.browser.pages import STORY, read_text, word

HERE = re.compile("ctx-here")
MEMBER = re.compile("ctx-member")


def test_click_shows_what_the_word_means_here(page, app):
    read_text(page, app)
    word(page, "bank").click()
    card = page.locator(".ctx-card")
    expect(card.locator(".ctx-word")).to_have_text("bank")
    expect(card.locator(".ctx-class")).to_have_text("noun")
    expect(card.locator(".ctx-meaning")).to_have_text("银行")
    expect(card.locator(".ctx-sentence")).to_have_text("The bank was unkind.")
    expect(card.locator(".ctx-phrase")).to_be_hidden()
    expect(word(page, "bank")).to_have_class(HERE)
    expect(page.locator(".ctx-read .ctx-said")).to_have_text("bank, noun: 银行.")


def test_second_meaning_is_folded_away(page, app):
    read_text(page, app)
    word(page, "bank").click()
    second = page.locator(".ctx-second p")
    expect(page.locator(".ctx-second summary")).to_be_visible()
    expect(second).to_be_hidden()
    page.locator(".ctx-second summary").click()
    expect(second).to_have_text("河岸")


def test_lemma_where_it_differs(page, app):
    read_text(page, app)
    word(page, "went").click()
    expect(page.locator(".ctx-lemma")).to_have_text("go")
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    expect(page.locator(".ctx-lemma")).to_be_hidden()


def test_quiet_hint_only_where_unsure(page, app):
    read_text(page, app)
    word(page, "unkind").click()
    expect(page.locator(".ctx-sure")).to_contain_text("Not sure")
    word(page, "bank").click()
    expect(page.locator(".ctx-sure")).to_be_empty()


def test_a_guessed_phrase_meaning_says_so(page, app):
    read_text(page, app)
    word(page, "call").click()
    expect(page.locator(".ctx-sure")).to_have_text("The meaning of the phrase is a guess.")


def test_a_phrase_meaning_that_a_person_gave_says_so(page, app):
    read_text(page, app, "They put it off at the bank.")
    word(page, "put").click()
    given = page.locator(".ctx-person")
    expect(given).to_have_text("The meaning of the phrase comes from a person.")
    expect(page.locator(".ctx-sure")).to_be_empty()
    word(page, "bank").click()
    expect(given).to_be_empty()


def test_split_phrase_is_painted_from_any_of_its_words(page, app):
    read_text(page, app)
    for clicked, other in (("call", "back"), ("back", "call")):
        word(page, clicked).click()
        expect(page.locator(".ctx-members")).to_have_text("call … back")
        expect(page.locator(".ctx-read .ctx-phrase-meaning")).to_have_text("回电话")
        expect(word(page, clicked)).to_have_class(HERE)
        for member in (clicked, other):
            expect(word(page, member)).to_have_class(MEMBER)
            expect(word(page, member)).to_have_css("text-decoration-line", "underline")
        expect(word(page, "them")).not_to_have_class(MEMBER)
        assert page.evaluate("[...CSS.highlights.get('ctx-gap')].map(String)") == [" them "]
    word(page, "bank").click()
    expect(page.locator(".ctx-passage .ctx-member")).to_have_count(0)


def test_word_of_a_known_sentence_is_shown_without_asking(page, app):
    read_text(page, app)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    # Known once the next click needs no question: look-ahead brings all that is on screen.
    page.wait_for_function(
        """async () => {
            const asked = () => performance.getEntriesByType('resource').length;
            const before = asked();
            document.querySelector('.ctx-passage [data-s="2"][data-w="1"]').click();
            const shown = document.querySelector('.ctx-word').textContent === 'was'
                && document.querySelector('.ctx-read').dataset.card === 'found';
            return shown && asked() === before;
        }"""
    )


def test_text_that_the_app_lost_is_opened_again(page, app):
    """As after a restart of the app, while the page stayed open."""
    page.route("**/component_server/", _lose_the_text())
    read_text(page, app)
    word(page, "light").click()
    expect(page.locator(".ctx-meaning")).to_have_text("轻的")


def _lose_the_text():
    lost = []

    def pass_on(route):
        body = route.request.post_data_json
        if body["fn_name"] == "look_ahead":
            route.fulfill(json={"known": {}, "impossible": []})
        elif body["fn_name"] == "answer" and not lost:
            lost.append(body["data"]["version"])
            body["data"]["version"] = "lost"
            route.continue_(post_data=json.dumps(body))
        else:
            route.continue_()

    return pass_on


def test_words_can_be_selected_by_dragging(page, app):
    read_text(page, app)
    start, end = word(page, "She").bounding_box(), word(page, "back").bounding_box()
    page.mouse.move(start["x"] + 2, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] - 2, end["y"] + 10, steps=5)
    page.mouse.up()
    assert "call them" in page.evaluate("getSelection().toString()")
    expect(page.locator(".ctx-read")).to_have_attribute("data-card", "none")


def test_copy_takes_word_phrase_and_sentence(page, app):
    read_text(page, app)
    word(page, "back").click()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator(".ctx-read .ctx-toast")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "back — 回\ncall … back — 回电话\nShe meant to call them back."


def test_passage_on_screen_is_the_text(page, app):
    read_text(page, app)
    expect(page.locator(".ctx-passage p")).to_have_count(2)
    shown = page.locator(".ctx-passage").inner_text()
    assert shown.split() == STORY.split()
