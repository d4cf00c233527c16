"""New sentences and translations asked of a teacher from the page, and shown as synthetic."""

from __future__ import annotations

import json
from contextlib import closing

from playwright.sync_api import expect

from db.dataset.importing import bring
from db.store import Origin, open_store
from tests.fake_server import FakeServer, Said


def open_teacher(page, app, url: str, what: str) -> None:
    page.goto(app.url + "/#label/teacher")
    page.locator(f".ctx-what [value={what}]").check()
    page.locator(".ctx-teach [name=url]").fill(url)
    page.locator(".ctx-teach [name=model]").fill("big")


def test_sentences_that_show_a_phrase_and_its_literal_twin(tmp_path, start_app, page) -> None:
    def answer(asked, n) -> Said:
        literal = '"literal": true' in asked.last
        text = "He <b>kicked</b> the bucket over." if literal else "The old king kicked the bucket."
        return Said(json.dumps({"sentences": [text]}))

    app = start_app("--home", str(tmp_path))
    with FakeServer(answer) as server:
        open_teacher(page, app, server.url, "sentences")
        expect(page.locator(".ctx-from")).to_be_hidden()
        page.locator(".ctx-teach [type=submit]").click()
        expect(page.locator(".ctx-teacher .ctx-toast")).to_contain_text("Write a word or phrase")
        page.locator(".ctx-teach [name=show]").fill("kick the bucket | 去世")
        page.locator(".ctx-teach [name=count]").fill("1")
        page.locator(".ctx-teach [name=twins]").check()
        page.locator(".ctx-teach [type=submit]").click()
        expect(page.locator(".ctx-job-state")).to_contain_text("done")
    expect(page.locator(".ctx-job-head")).to_contain_text("sentences")
    page.locator("[data-show=came]").click()
    lines = page.locator(".ctx-came-line")
    expect(lines).to_have_text(
        ["The old king kicked the bucket.", "He <b>kicked</b> the bucket over."]
    )
    expect(lines.first.locator(".ctx-in-phrase")).to_have_text(["kicked", "the", "bucket"])
    expect(page.locator(".ctx-came .ctx-state")).to_have_text("synthetic")
    expect(page.locator(".ctx-came")).to_contain_text("Written by big")
    page.locator("#label-views .ctx-who input").fill("Ann")
    page.locator("#label-views .ctx-who input").blur()
    page.locator("[data-came=review]").click()
    expect(page.locator(".ctx-queue .ctx-attribution")).to_contain_text("written by big to show")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".ctx-import .ctx-note").first).to_contain_text("synthetic: written by")


def test_sentences_of_an_import_are_translated(tmp_path, start_app, page) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Dogs bark.\nCats sleep.\n")
    with closing(open_store(tmp_path / "ctx.db")) as store:
        bring(store, text, Origin("my text", ""))
    app = start_app("--home", str(tmp_path))
    with FakeServer(lambda asked, n: Said('{"translation": "动物。"}')) as server:
        open_teacher(page, app, server.url, "translations")
        page.locator(".ctx-teach [name=import]").select_option("1")
        expect(page.locator(".ctx-would")).to_have_text("2 sentences have no translation by it.")
        page.locator(".ctx-teach [type=submit]").click()
        expect(page.locator(".ctx-job-state")).to_contain_text("done")
    page.locator("[data-show=came]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ctx-came-translation")).to_have_text(["动物。", "动物。"])
    page.wait_for_timeout(2500)  # painted anew meanwhile: the focus stays
    assert page.evaluate("document.activeElement.dataset.show") == "came"
    page.locator("#label-views .ctx-who input").fill("Ann")
    page.locator("#label-views .ctx-who input").blur()
    page.goto(app.url + "/#label/queue")
    expect(page.locator(".ctx-queue .ctx-translation")).to_have_text("动物。 (synthetic, by big)")
