"""Reading in any pair of languages: chosen, remembered, linked; translations; words that nobody
answers yet.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import App, open_app, word

GERMAN = "Das Haus ist alt. Niemand wohnt dort seit vielen Jahren."


def read_in(page: Page, app: App, pair: str, text: str) -> None:
    """The app's page with `text` opened in `pair`."""
    open_app(page, app)
    page.locator(".ctx-editor select").select_option(pair)
    page.locator(".ctx-read textarea").fill(text)
    page.locator(".ctx-read [data-do=read]").click()
    page.wait_for_selector(".ctx-read[data-view=reading]")


def open_whole(page: Page, target: str) -> None:
    word(page, target).click()
    page.get_by_role("button", name="The sentence in translation").click()


def whole(page: Page):
    return page.locator(".ctx-whole-text")


def test_a_pair_is_chosen_with_its_sample_and_remembered(page, app):
    open_app(page, app)
    chooser = page.locator(".ctx-editor select")
    expect(chooser.locator("option")).to_have_text(
        ["English → Chinese", "English → Spanish", "German → English", "English → Hindi",
         "English → Tamil"]
    )  # fmt: skip
    chooser.select_option("de-en")
    expect(page.locator(".ctx-read textarea")).to_have_attribute(
        "placeholder", re.compile("German")
    )
    page.get_by_role("button", name=re.compile("The borrowed bicycle")).click()
    expect(page.locator(".ctx-passage")).to_contain_text("Am Samstag lieh sich Jonas")
    page.reload()
    expect(page.locator(".ctx-passage")).to_contain_text("Am Samstag")
    expect(page.locator(".ctx-tools select")).to_have_value("de-en")
    expect(page.locator(".ctx-passage")).to_have_attribute("lang", "de")


def test_the_link_carries_the_pair(page, app, new_context):
    read_in(page, app, "en-hi", "The bank was light.")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".ctx-read .ctx-toast")).to_contain_text("Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    other = new_context().new_page()
    other.goto(link)
    expect(other.locator(".ctx-passage")).to_have_text("The bank was light.")
    expect(other.locator(".ctx-tools select")).to_have_value("en-hi")
    open_whole(other, "bank")
    expect(whole(other)).to_have_text("हाँ हाँ हाँ हाँ")
    expect(whole(other)).to_have_attribute("lang", "hi")
    other.goto(app.url + "/#pair=xx-yy&text=Hello%20bank")
    other.reload()
    expect(other.locator(".ctx-passage")).to_have_text("Hello bank")


def test_a_translation_is_written_only_where_it_is_wanted(page, start_app):
    app = start_app("--held")
    read_in(page, app, "en-zh", "The bank was light, so light. He called back.")
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    assert app.state()["translated"] == []
    page.get_by_role("button", name="The sentence in translation").click()
    app.state("write 2")
    expect(page.locator(".ctx-whole-text.ctx-writing")).to_have_text("好 好")
    app.state("write 4")
    expect(whole(page)).to_have_text("好 好 好 好 好 好")
    expect(page.locator(".ctx-whole .ctx-by")).to_have_text("Translated by fake-en-zh")
    link = page.locator(".ctx-whole .ctx-by a")
    expect(link).to_have_attribute("href", "#models/card/en-zh-1")
    page.get_by_role("button", name="Copy the translation").click()
    expect(page.locator(".ctx-read .ctx-toast")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "好 好 好 好 好 好"
    word(page, "light").click()  # the same sentence: not asked for again
    expect(whole(page)).to_have_text("好 好 好 好 好 好")
    word(page, "called").click()
    app.state("write 1")
    expect(page.locator(".ctx-whole-text.ctx-writing")).to_have_text("好")
    page.keyboard.press("Escape")  # nobody looks at it any more
    expect(page.locator(".ctx-read")).to_have_attribute("data-card", "none")
    while len((state := app.state())["ended"]) < 2:
        page.wait_for_timeout(100)
    assert [one[1] for one in state["translated"]] == [
        "The bank was light, so light.", "He called back.",
    ]  # fmt: skip
    assert state["ended"] == ["done", "stopped"]
    app.state("write 3")
    page.reload()  # open stays open
    word(page, "called").click()
    expect(whole(page)).to_have_text("好 好 好")
    page.keyboard.press("t")
    expect(whole(page)).to_be_hidden()


def test_two_readers_in_two_pairs_get_their_own_language(app, new_context):
    spanish, hindi = new_context().new_page(), new_context().new_page()
    text = "The old bank is light. He called them back. They went home."
    read_in(spanish, app, "en-es", text)
    read_in(hindi, app, "en-hi", text)
    pages = ((spanish, re.compile("^sí( sí)+$")), (hindi, re.compile("^हाँ( हाँ)+$")))
    for page, _ in pages:
        open_whole(page, "bank")
    for target in ("called", "home", "bank"):
        for page, _ in pages:
            word(page, target).click()
        for page, own in pages:
            expect(whole(page)).to_have_text(own)


def test_a_readers_meaning_for_a_word_goes_to_label(page, app):
    read_in(page, app, "de-en", GERMAN)
    word(page, "Haus").click()
    expect(page.locator(".ctx-unanswered")).to_contain_text("not answered from German to English")
    page.get_by_role("button", name="Say what it means").click()
    field = page.locator(".ctx-read input[name=meaning]")
    expect(field).to_have_attribute("lang", "en")
    page.get_by_role("button", name="Send").click()  # nothing is sent without a meaning
    expect(field).to_be_visible()
    field.fill("house")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".ctx-reply")).to_contain_text("Thank you.")
    kept = app.state()["feedback"][-1]
    assert (kept["pair"], kept["context"], kept["position"]) == ("de-en", "Das Haus ist alt.", 1)
    assert (kept["shown"], kept["meaning"]) == (None, "house")
    page.get_by_role("link", name="Label, German → English").click()
    expect(page.locator("#label-views select.ctx-pair")).to_have_value("de-en")
    page.locator("#label-views .ctx-who input").fill("Ann")
    page.locator("#label-views .ctx-who input").press("Tab")
    expect(page.locator(".ctx-line")).to_have_text("Das Haus ist alt.")
    expect(page.locator(".ctx-line")).to_have_attribute("lang", "de")
    expect(page.locator(".ctx-fields input[name=meaning]")).to_have_value("house")
    page.locator("#label-views select.ctx-pair").select_option("en-zh")
    ours = page.locator('.ctx-queue[data-state="empty"], .ctx-queue:has(.ctx-line[lang="en"])')
    expect(ours).to_be_visible()  # nothing of German is left, whatever the pair has of its own


def test_words_are_answered_once_somebody_gives_their_pair_an_adapter(page, start_app):
    app = start_app()
    read_in(page, app, "en-es", "The old bank was light.")
    word(page, "bank").click()
    expect(page.locator(".ctx-unanswered")).to_be_visible()
    app.state("answer en-es")
    expect(page.locator(".ctx-meaning")).to_be_visible()  # without a reload or a click
    expect(page.locator(".ctx-unanswered")).to_be_hidden()


def test_another_language_is_pointed_out_and_changed_with_one_click(page, app):
    read_in(page, app, "en-zh", GERMAN)
    expect(page.locator(".ctx-other")).to_contain_text("looks like German")
    expect(page.locator(".ctx-tools select")).to_have_value("en-zh")  # never by itself
    page.get_by_role("button", name="Read it as German → English").click()
    expect(page.locator(".ctx-tools select")).to_have_value("de-en")
    expect(page.locator(".ctx-other")).to_be_hidden()
    expect(page.locator(".ctx-passage")).to_have_attribute("lang", "de")
    page.locator(".ctx-tools select").select_option("en-es")
    page.get_by_role("button", name="Leave it").click()
    expect(page.locator(".ctx-other")).to_be_hidden()
    page.reload()
    expect(page.locator(".ctx-passage")).to_contain_text("Das Haus")
    expect(page.locator(".ctx-other")).to_be_hidden()


@pytest.mark.parametrize("text", ["Guten Morgen!", "The old bank was light, and he went home."])
def test_short_and_fitting_texts_are_left_alone(page, app, text):
    read_in(page, app, "en-zh", text)
    word(page, text.split()[0]).click()
    expect(page.locator(".ctx-read")).to_have_attribute("data-card", "found")
    expect(page.locator(".ctx-other")).to_be_hidden()


def test_another_target_keeps_the_word(page, app):
    read_in(page, app, "en-zh", "The old bank was light.")
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    page.locator(".ctx-tools select").select_option("en-ta")
    expect(page.locator(".ctx-unanswered")).to_be_visible()
    expect(page.locator(".ctx-here")).to_have_text("bank")
    page.locator(".ctx-tools select").select_option("en-zh")
    expect(page.locator(".ctx-meaning")).to_have_text("银行")


def test_refusals_are_in_the_readers_language_and_tried_again(app, new_context):
    page = new_context(locale="zh-CN").new_page()
    read_in(page, app, "en-es", "They fail here. We wait here.")
    word(page, "fail").click()
    page.locator("[data-do=whole]").click()
    expect(page.locator(".ctx-whole-note")).to_have_text("这句话没能翻译出来。")
    page.locator("[data-do=whole_again]").click()
    expect(page.locator(".ctx-whole-note")).to_have_text("这句话没能翻译出来。")
    word(page, "wait").click()  # not ready at first: it comes by itself
    expect(whole(page)).to_have_text("sí sí sí")


def test_text_that_runs_from_right_to_left(page, app):
    read_in(page, app, "de-en", "ذهب الولد إلى البيت.\n\nDas Haus ist alt.")
    paragraphs = page.locator(".ctx-passage p")
    directions = paragraphs.evaluate_all("all => all.map((p) => getComputedStyle(p).direction)")
    assert directions == ["rtl", "ltr"]
    page.locator(".ctx-w").nth(1).click()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".ctx-here")).to_have_text("إلى")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ctx-here")).to_have_text("الولد")
