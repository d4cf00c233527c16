"""The whole way on the real model: paste, click, read the card, report, and it is stored."""

import re
import sqlite3

from playwright.sync_api import expect

from tests.real import fresh_home, serving

PASSAGE = "They turned my application down. She sat on the bank and watched the river."


def test_the_whole_way_on_the_real_model(models_home, new_context, tmp_path):
    home = fresh_home(tmp_path / "home", models_home)
    with serving(home) as app:
        page = new_context().new_page()
        page.goto(app.url)
        page.wait_for_selector(".ctx-read[data-view=editing]")
        page.locator(".ctx-read textarea").fill(PASSAGE)
        page.locator(".ctx-read [data-do=read]").click()
        words = page.locator(".ctx-passage").get_by_role("button")
        expect(words).to_have_count(14)
        words.get_by_text("down", exact=True).click()
        expect(page.locator(".ctx-members")).to_have_text("turned … down")
        expect(page.locator(".ctx-meaning")).to_have_text(re.compile("[一-鿿]"))
        expect(page.locator(".ctx-passage .ctx-member")).to_have_text(["turned", "down"])
        words.get_by_text("bank", exact=True).click()
        expect(page.locator(".ctx-class")).to_have_text("noun")
        expect(page.locator(".ctx-read .ctx-phrase")).to_be_hidden()
    with sqlite3.connect(f"file:{home}/ctx.db?mode=ro", uri=True) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM kept_answer").fetchone()
    assert kept == 14


def test_a_first_start_converts_the_model_and_says_how_far_it_is(new_context, tmp_path):
    """The page opens at once; the click waits for the conversion and is answered."""
    home = tmp_path / "home"
    home.mkdir()
    with serving(home) as app:
        page = new_context().new_page()
        page.goto(app.url)
        expect(page.locator(".ctx-read")).to_contain_text(re.compile(r"\d ?%"))
        page.locator(".ctx-read textarea").fill(PASSAGE)
        page.locator(".ctx-read [data-do=read]").click()
        page.locator(".ctx-passage").get_by_role("button", name="river", exact=True).click()
        expect(page.locator(".ctx-meaning")).to_have_text(re.compile("[一-鿿]"), timeout=300_000)
