"""Bringing text in: pasted or sent, looked at, imported, listed, taken back."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import App

STORY = "The old bank closed early.\nYou are.\n\nShe turned <i>the offer</i> down.\n"
ROW = {"context": "Call me back.", "target": "back", "idx": 1, "class": "adverb", "zh": "回",
       "phrase": "Call back|回电话"}  # fmt: skip
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def open_bring(page: Page, app: App, name: str = "Ann") -> None:
    page.goto(app.url + "/#label/bring")
    page.wait_for_selector(".ctx-bring-text textarea")
    page.locator("#label-views .ctx-who input").fill(name)
    page.locator("#label-views .ctx-who input").blur()


def state(page: Page, name: str) -> None:
    expect(page.locator(".ctx-bring")).to_have_attribute("data-state", name)


def preview(page: Page, text: str = STORY) -> None:
    page.locator(".ctx-bring textarea").fill(text)
    page.get_by_role("button", name="Preview", exact=True).click()
    state(page, "preview")


def send(page: Page, name: str, text: str, code: str = "utf-8") -> None:
    files = {"name": name, "mimeType": "text/plain", "buffer": text.encode(code)}
    page.locator(".ctx-bring input[type=file]").set_input_files(files)


def figure(page: Page, key: str):
    return page.locator(f"[data-figure=n_{key}] dd")


def submit(page: Page):
    return page.locator(".ctx-said-of [type=submit]")


def test_pasted_text_is_looked_at_imported_reviewed_and_taken_back(page, start_app):
    open_bring(page, start_app())
    expect(page.locator(".ctx-imports-none")).to_be_visible()
    preview(page)
    expect(figure(page, "sentences")).to_have_text("2")
    questions = int(figure(page, "questions").text_content())
    asked = page.locator(".ctx-good .ctx-asked")
    expect(asked).to_have_count(questions)
    expect(page.locator(".ctx-good li").last).to_have_text("She turned <i>the offer</i> down.")
    page.locator(".ctx-limit input").fill("2")
    expect(asked).to_have_text(["old", "bank", "turned", "offer"])
    expect(submit(page)).to_have_text("Import 4 questions")
    page.locator(".ctx-said-of [name=origin]").fill("my diary, CC0")
    submit(page).click()
    state(page, "done")
    expect(page.locator(".ctx-sums li")).to_have_text(["4 new questions", "1 refused"])
    row = page.locator(".ctx-import")
    expect(row).to_contain_text("“The old bank closed early.")
    expect(row).to_contain_text("Ann · my diary, CC0 · plain text · 3 lines")
    row.get_by_role("button", name="1 refused").click()
    expect(row.locator(".ctx-refused code")).to_have_text("You are.")

    page.locator("[data-do=review_run]").click()
    expect(page.locator(".ctx-queue .ctx-line")).to_contain_text("bank")
    expect(page.locator(".ctx-left")).to_have_text("4 to review")
    expect(page.locator(".ctx-queue .ctx-of-import")).to_have_text("Import 1 ×")

    page.get_by_role("button", name="Import", exact=True).click()
    row.get_by_role("button", name="Take back").click()
    expect(page.locator(".ctx-state")).to_have_count(0)
    row.get_by_role("button", name="Really take all of it back?").click()
    expect(page.locator(".ctx-state")).to_have_text("taken back")
    state(page, "text")
    expect(row.get_by_role("button", name="Take back")).to_have_count(0)


def test_a_file_with_bad_lines_is_shown_with_them(page, start_app):
    open_bring(page, start_app())
    lines = [json.dumps(ROW), "{broken <i>", json.dumps(ROW | {"target": "cat"})]
    send(page, "rows.jsonl", "\n".join(lines))
    state(page, "preview")
    expect(page.locator(".ctx-bring-preview header .ctx-note")).to_contain_text("UTF-8")
    expect(figure(page, "rows")).to_have_text("1")
    expect(figure(page, "refused")).to_have_text("2")
    expect(page.locator(".ctx-good .ctx-target")).to_have_text("back")
    expect(page.locator(".ctx-good-answer")).to_have_text(
        re.compile("回.*adverb.*Call back | 回电话")
    )
    page.locator(".ctx-not-kept summary").click()
    expect(page.locator(".ctx-not-kept .ctx-reasons li")).to_have_count(2)
    refused = page.locator(".ctx-not-kept .ctx-refused-line")
    expect(refused.locator(".ctx-note")).to_have_text(["line 2", "line 3"])
    expect(refused.first.locator("code")).to_have_text("{broken <i>")
    expect(refused.nth(1)).to_contain_text("the word asked for is not in the sentence")

    submit(page).click()
    expect(page.locator(".ctx-said-of [role=alert]")).to_have_text("Say whose answers they are.")
    page.get_by_label("A person gave them").check()
    expect(page.locator(".ctx-said-of [name=answers]")).to_have_value("Ann")
    submit(page).click()
    state(page, "done")
    expect(page.locator(".ctx-sums")).to_contain_text("1 new answer")


def test_a_file_can_be_dropped_anywhere_in_the_view(page, app):
    open_bring(page, app)
    dropped = page.evaluate_handle(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(['A quiet old bank.'], 'dropped.txt'));
            return data;
        }"""
    )
    page.dispatch_event(".ctx-imports", "dragover", {"dataTransfer": dropped})
    expect(page.locator(".ctx-over")).to_be_visible()
    page.dispatch_event(".ctx-imports", "drop", {"dataTransfer": dropped})
    state(page, "preview")
    expect(page.locator(".ctx-bring-preview h2")).to_have_text("dropped.txt")
    page.get_by_role("button", name="中文").click()
    expect(submit(page)).to_have_text("导入 3 个问题")


def test_other_encodings_come_in_and_what_is_no_text_does_not(page, app):
    open_bring(page, app)
    send(page, "café.txt", "The café closed. “Très bien,” she said naïvely.\n", "cp1252")
    state(page, "preview")
    expect(page.locator(".ctx-good-text").first).to_have_text("The café closed.")
    page.locator(".ctx-bring-preview [data-do=another]").click()
    trouble = page.locator(".ctx-bring-text [role=alert]")
    send(page, "array.json", "[\n{}\n]")
    expect(trouble).to_contain_text("Rows of this form are not known here.")
    page.locator(".ctx-bring input[type=file]").set_input_files(
        {"name": "x.txt", "mimeType": "text/plain", "buffer": bytes(range(256)) * 40}
    )
    expect(trouble).to_contain_text("no text in any encoding known here")
    state(page, "text")


def test_an_import_goes_on_without_the_page_and_is_found_again(page, start_app):
    app = start_app()
    open_bring(page, app)
    text = "".join(f"Quiet number {n} stood beside another old bank.\n" for n in range(150_000))
    send(page, "long.txt", text)
    page.wait_for_selector(".ctx-bring[data-state=preview]")
    submit(page).click()
    state(page, "wait")
    page.goto("about:blank")
    page.goto(app.url + "/#label/bring")
    state(page, "wait")
    expect(page.locator(".ctx-bring-wait h2")).to_have_text("Importing long.txt")
    expect(page.locator(".ctx-bring-far")).to_contain_text(re.compile(r"\d,000 of 150,000 lines"))
    page.locator(".ctx-bring-wait").get_by_role("button", name="Stop").click()
    state(page, "done")
    expect(page.locator(".ctx-bring-done h2")).to_have_text("Stopped: long.txt")
    expect(page.locator(".ctx-import .ctx-state")).to_have_text("unfinished")
    page.reload()
    state(page, "done")


def test_a_hosted_app_says_that_nothing_can_be_imported(page, start_app):
    page.goto(start_app("--hosted").url + "/#label/bring")
    expect(page.get_by_text("Importing is switched off here.")).to_be_visible()
    expect(page.locator(".ctx-bring textarea")).to_be_hidden()


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_nothing_hangs_over_the_edge_of_a_phone(new_context, app, locale):
    page = new_context(locale=locale, **PHONE).new_page()
    open_bring(page, app)

    def check():
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    check()
    long = "x" * 300
    lines = [json.dumps(ROW), "{broken " + long, json.dumps(ROW | {"context": f"Call {long} back"})]
    send(page, f"{long[:120]}.jsonl", "\n".join(lines))
    state(page, "preview")
    page.locator(".ctx-not-kept summary").tap()
    check()
    page.locator(".ctx-said-of [name=answers]").fill("T")
    submit(page).tap()
    state(page, "done")
    page.locator("[data-lines=refused]").first.tap()
    expect(page.locator(".ctx-import .ctx-refused-line")).to_have_count(1)
    check()
