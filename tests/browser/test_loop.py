"""The whole loop on the real model, in a browser: a wrong answer is reported, corrected, frozen
with a team's other corrections, trained from what readers have, compared, promoted without any
reason, and read again from the new version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from db.store import open_store
from engine.settings import Settings
from tests.real import fresh_home, serving
from trainer.demo import ROWS
from trainer.promote import present

LONG = 900_000  # ms: beside other work on a small machine
WRONG = "The pod never came back after the restart."
UNSEEN = "Why does this pod keep crashing after the upgrade?"
# Fewer steps than the preset's, and less of what takes time.
FIELDS = {
    "name": "team-words", "epochs": "8", "replay": "0.5", "evaluate_every": "200",
    "guard_rows": "0", "dev_rows": "20", "scored_rows": "30",
}  # fmt: skip


@pytest.fixture
def url(models_home: Path, tmp_path: Path) -> Iterator[str]:
    with serving(fresh_home(tmp_path / "home", models_home)) as app:
        yield app.url


def look_up(page: Page, url: str, text: str) -> None:
    """Read the text and click its pod."""
    page.goto(url + "/")
    editor = page.locator(".ctx-read textarea")
    page.wait_for_selector(".ctx-read[data-view=editing], .ctx-read[data-view=reading]")
    if not editor.is_visible():
        page.locator("[data-do=change]").click()
    editor.fill(text)
    page.locator(".ctx-read [data-do=read]").click()
    page.locator(".ctx-passage").get_by_role("button", name="pod", exact=True).click()
    expect(page.locator(".ctx-meaning")).to_have_text(re.compile("[一-鿿]"), timeout=LONG)


def report(page: Page, url: str) -> None:
    look_up(page, url, WRONG)
    expect(page.locator(".ctx-meaning")).not_to_have_text("容器组")
    page.get_by_role("button", name="Not right?").click()
    page.locator(".ctx-read input[name=meaning]").fill("容器组")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".ctx-reply")).to_have_text("Thank you. Noted.")


def correct(page: Page, url: str) -> None:
    """The report waits first; the team's other corrections come in as a file of people's rows."""
    page.goto(url + "/#label/queue")
    who = page.locator("#label-views .ctx-who input")
    who.fill("Ann")
    who.press("Tab")
    page.wait_for_selector(".ctx-queue[data-state=item]")
    expect(page.locator(".ctx-queue .ctx-flag")).to_contain_text("A reader says")
    page.locator(".ctx-queue [name=meaning]").fill("容器组")
    page.locator(".ctx-queue [data-do=save]").click()
    page.wait_for_selector(".ctx-queue[data-state=empty]")

    page.goto(url + "/#label/bring")
    page.locator(".ctx-bring input[type=file]").set_input_files(ROWS)
    page.wait_for_selector(".ctx-bring[data-state=preview]")
    page.locator(".ctx-said-of [name=by][value=people]").check()
    page.locator(".ctx-said-of [name=answers]").fill("Ann")
    page.locator(".ctx-said-of [type=submit]").click()
    page.wait_for_selector(".ctx-bring[data-state=done]")


def freeze(page: Page, url: str) -> None:
    page.goto(url + "/#label/data")
    page.locator(".ctx-data [data-do=begin]").click()
    page.locator(".ctx-freeze [name=name]").fill("team")
    page.locator(".ctx-freeze .ctx-filter summary").click()
    page.locator(".ctx-freeze [name=who]").select_option("Ann")
    expect(page.locator(".ctx-freeze-count")).to_have_text("37 answers")
    page.locator(".ctx-data [data-do=freeze]").click()
    expect(page.locator(".ctx-set-name").first).to_have_text("team")


def train(page: Page, url: str) -> None:
    page.goto(url + "/#train/new")
    form = page.locator("#train-new")
    form.locator(".ctx-data-tiles .ctx-tile", has_text="team").click()
    form.locator(".ctx-preset-tiles .ctx-tile", has_text="A few corrections").click()
    form.locator(".ctx-more summary").click()
    for name, value in FIELDS.items():
        form.locator(f".ctx-field [name={name}]").fill(value)
    form.locator(".ctx-go [type=submit]").click()
    expect(page.locator("#train-run .ctx-run-state")).to_contain_text("Done.", timeout=LONG)


def compare_and_promote(page: Page, url: str) -> None:
    page.goto(url + "/#models/list/run:1")
    page.locator('#models-list [data-model="run:1"] [data-do=promote]').click()
    dialog = page.locator("#models-list .ctx-promote")
    expect(dialog.locator(".ctx-against")).to_contain_text("not been compared")
    dialog.locator("[data-do=compare_now]").click()
    expect(dialog.locator("[data-figure=right]")).to_be_visible(timeout=LONG)
    expect(dialog.locator("textarea")).to_be_hidden()
    dialog.get_by_role("button", name="Promote").click()
    expect(page.locator("#models-list [data-task=sense] [data-here=true] h3")).to_have_text(
        "team-words"
    )


@pytest.mark.timeout(2400)
def test_from_a_wrong_answer_to_the_right_one(url: str, new_context, tmp_path: Path) -> None:
    page = new_context().new_page()
    report(page, url)
    correct(page, url)
    freeze(page, url)
    train(page, url)
    compare_and_promote(page, url)

    settings = Settings(home=tmp_path / "home")
    version = present(settings).version
    look_up(page, url, UNSEEN)
    by = page.locator(".ctx-by a").first
    expect(by).to_have_attribute("href", f"#models/card/{version}", timeout=LONG)
    expect(page.locator(".ctx-meaning")).to_have_text("容器组")
    page.goto(url + "/#models/history")
    expect(page.locator(".ctx-history-list li")).to_have_count(1)
    with closing(open_store(settings.database)) as store:
        (made,) = store.promotions.history("", "")
        assert (made.promoted.version, made.promoted.reason) == (version, "")
        assert made.promoted.evaluation_id == 2
