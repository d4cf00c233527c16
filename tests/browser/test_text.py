"""Getting a text, keeping it, sharing it, forgetting it; whatever people paste."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.pages import STORY, open_app, read_text, word

HOSTILE = (
    "<img src=x onerror=alert(1)> and <script>alert(2)</script> here. "
    "${alert(3)} or {{value}} and {{#each value}}x{{/each}} too. "
    "</span><b onclick='alert(4)'>bold</b> `${alert(5)}` &lt;i&gt; \\u0041 end."
)


def test_example_opens(page, app):
    open_app(page, app)
    page.get_by_role("button", name=re.compile("The missed call")).click()
    expect(page.locator(".ctx-passage")).to_contain_text("When the phone rang")
    word(page, "back").first.click()
    expect(page.locator(".ctx-members")).to_have_text("call … back")


def test_empty_text_opens_nothing(page, app):
    open_app(page, app)
    page.locator(".ctx-read textarea").fill("  \n ")
    page.locator(".ctx-read [data-do=read]").click()
    expect(page.locator(".ctx-read textarea")).to_be_focused()
    expect(page.locator(".ctx-read")).to_have_attribute("data-view", "editing")


def test_text_and_word_survive_a_reload(page, app):
    read_text(page, app)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    page.reload()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    expect(page.locator(".ctx-here")).to_have_text("bank")


@pytest.mark.parametrize("way", ["paste", "link", "reload"])
def test_hostile_text_is_text(page, app, way):
    alerts = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    if way == "link":
        open_app(page, app, "#text=" + quote(HOSTILE))
    else:
        read_text(page, app, HOSTILE)
    if way == "reload":
        page.reload()
    passage = page.locator(".ctx-passage")
    expect(passage).to_contain_text("${alert(3)} or {{value}}")
    assert " ".join(passage.inner_text().split()) == HOSTILE
    for target in ("onerror", "value", "bold"):
        word(page, target).click()
        expect(page.locator(".ctx-word")).to_have_text(target)
        expect(page.locator(".ctx-read")).to_have_attribute("data-card", "found")
    page.get_by_role("button", name="Not right?").click()
    assert page.locator("#read img, #read script, #read b").count() == 0
    assert alerts == []


def test_emoji_and_other_scripts_keep_words_in_place(page, app):
    text = "👩‍👩‍👧 The “bank” was 日本語 light — naïve café שלום 🇨🇳 call him back!"
    read_text(page, app, text)
    assert " ".join(page.locator(".ctx-passage").inner_text().split()) == text
    word(page, "back").click()
    expect(page.locator(".ctx-members")).to_have_text("call … back")
    expect(page.locator(".ctx-sentence mark")).to_have_text("back")


def test_control_characters_are_named_not_looked_up(page, app):
    read_text(page, app, "A bell \u0007 rings in the bank. The bank is light.")
    word(page, "bank").click()
    expect(page.locator(".ctx-trouble")).to_contain_text("control characters")
    word(page, "light").click()
    expect(page.locator(".ctx-meaning")).to_have_text("轻的")


def test_100_kb_paste_is_paged_and_readable(page, app):
    read_text(page, app, "The old bank was light, and I called them back. " * 2130)
    expect(page.locator(".ctx-pager")).to_contain_text(re.compile(r"Page 1 of \d+"))
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    page.get_by_role("button", name="Next page").click()
    expect(page.locator(".ctx-pager")).to_contain_text("Page 2 of")
    assert page.locator(".ctx-passage .ctx-s").count() <= 60
    word(page, "called").click()
    expect(page.locator(".ctx-members")).to_have_text("called … back")
    page.reload()
    expect(page.locator(".ctx-pager")).to_contain_text("Page 2 of")


def test_100_kb_in_one_line_without_a_full_stop(page, app):
    read_text(page, app, "light and bank " * 6700)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")


def test_walking_on_turns_the_page(page, app):
    read_text(page, app, "\n".join(f"Line{i} ends." for i in range(70)))
    page.locator(".ctx-passage .ctx-w").last.click()
    page.keyboard.press("n")
    expect(page.locator(".ctx-pager")).to_contain_text("Page 2 of 2")
    expect(page.locator(".ctx-here")).to_have_text("Line60")
    expect(page.locator(".ctx-here")).to_be_focused()


def test_too_long_a_text_says_so_and_is_not_lost(page, app):
    open_app(page, app)
    page.locator(".ctx-read textarea").fill("word " * 40_001)
    expect(page.locator(".ctx-read .ctx-note")).to_contain_text("5 characters too many")
    page.locator(".ctx-read [data-do=read]").click()
    expect(page.locator(".ctx-read .ctx-note")).to_contain_text("too long")
    assert len(page.locator(".ctx-read textarea").input_value()) == 200_005


def test_link_carries_the_text_in_its_fragment(page, app, new_context):
    read_text(page, app)
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".ctx-read .ctx-toast")).to_contain_text("Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(app.url + "/#text=")
    other = new_context().new_page()
    addresses = []
    other.on("request", lambda request: addresses.append(request.url))
    other.goto(link)
    expect(other.locator(".ctx-passage")).to_contain_text("The bank was unkind.")
    assert not [url for url in addresses if "bank" in url.partition("#")[0]]


def test_a_new_text_replaces_the_linked_one(page, app):
    open_app(page, app, "#text=An%20old%20bank.")
    expect(page.locator(".ctx-passage")).to_contain_text("An old bank.")
    page.get_by_role("button", name="Change text").click()
    page.locator(".ctx-read textarea").fill("A light.")
    page.locator(".ctx-read [data-do=read]").click()
    expect(page.locator(".ctx-passage")).to_contain_text("A light.")
    page.reload()
    expect(page.locator(".ctx-passage")).to_contain_text("A light.")


def test_broken_link_opens_the_page(page, app):
    open_app(page, app, "#text=%E4%B8")
    expect(page.locator(".ctx-read textarea")).to_be_visible()


def test_forget_this_text(page, app):
    secret = "My secret bank is light."
    read_text(page, app, secret)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    page.get_by_role("button", name="Forget this text").click()
    page.get_by_role("button", name="Forget it for good?").click()
    expect(page.locator(".ctx-read textarea")).to_be_visible()
    expect(page.locator(".ctx-read .ctx-toast")).to_contain_text("forgotten")
    assert secret in app.state()["forgotten"]
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "secret" not in stored
    assert "secret" not in page.content()
    page.reload()
    page.wait_for_selector(".ctx-read[data-view=editing]")
    assert page.locator(".ctx-read textarea").input_value() == ""


def test_closed_page_drops_its_look_ahead(new_context, app):
    context = new_context()
    page = context.new_page()
    read_text(page, app, STORY)
    word(page, "bank").click()
    expect(page.locator(".ctx-meaning")).to_have_text("银行")
    before = len(app.state()["left"])
    context.close()
    end = time.monotonic() + 60
    while len(app.state()["left"]) == before:  # gradio notices by its heartbeat
        assert time.monotonic() < end, "the reader's work was not dropped"
        time.sleep(0.1)
