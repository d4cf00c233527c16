"""A teacher's job from its page: started, watched, set-aside answers read; a server away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, expect

from db.dataset.importing import bring
from db.store import Origin, open_store
from tests.browser.pages import App
from tests.fake_server import FakeServer, Said
from tests.real import free_port

PAIR = "en-zh"


def begin(tmp_path: Path, start_app: Callable[..., App], count: int) -> App:
    text = tmp_path / "text.txt"
    text.write_text("".join(f"Dogs {chr(97 + n)} bark.\n" for n in range(count)))
    with closing(open_store(tmp_path / "ctx.db")) as store:
        bring(store, text, Origin("text", ""), most_words=1)
    return start_app("--home", str(tmp_path))


def start_job(page: Page, app: App, url: str) -> None:
    page.goto(app.url + "/#label/teacher")
    page.locator(".ctx-teach [name=url]").fill(url)
    page.locator(".ctx-teach [name=model]").fill("big")
    expect(page.locator(".ctx-would")).to_contain_text("questions would be asked")
    page.locator(".ctx-teach [type=submit]").click()


def test_a_job_runs_to_its_end_and_what_was_set_aside_is_shown(tmp_path, start_app, page) -> None:
    app = begin(tmp_path, start_app, 6)

    def answer(asked, number: int) -> Said:
        bad = "Dogs b bark." in str(asked.body)  # asked again, too
        return Said('{"class": "noun", "zh": "dog", "phrase": ""}') if bad else Said()

    with FakeServer(answer) as server:
        start_job(page, app, server.url)
        expect(page.locator(".ctx-job-state")).to_contain_text("done")
    expect(page.locator(".ctx-job-state")).to_contain_text("6 of 6")
    with closing(open_store(tmp_path / "ctx.db")) as store:
        rows = list(store.exports.answered(PAIR))
    assert {(row.source, row.who, row.status) for row in rows} == {("teacher", "big", "proposed")}
    assert len(rows) == 5
    page.locator("[data-show=aside]").click()
    expect(page.locator(".ctx-aside li")).to_contain_text("Dogs b bark.")
    expect(page.locator(".ctx-aside pre").first).to_contain_text('"zh": "dog"')


def test_a_server_that_is_away_is_waited_for_and_the_job_stopped(tmp_path, start_app, page) -> None:
    app = begin(tmp_path, start_app, 3)
    port = free_port()
    start_job(page, app, f"http://127.0.0.1:{port}/v1")
    expect(page.locator(".ctx-job-trouble")).to_contain_text("Waiting for the server")
    page.reload()
    expect(page.locator(".ctx-job-trouble")).to_contain_text("Waiting for the server")
    page.locator("[data-wish=stop]").click()
    expect(page.locator(".ctx-job-state")).to_contain_text("stopped")
    with FakeServer(port=port):
        page.locator("[data-wish=resume]").click()
        expect(page.locator(".ctx-job-state")).to_contain_text("done")


def test_no_teacher_on_a_hosted_app(start_app, page) -> None:
    app = start_app("--hosted")
    page.goto(app.url + "/#label/teacher")
    expect(page.locator(".ctx-teacher-closed")).to_be_visible()
    expect(page.locator(".ctx-teach")).to_be_hidden()


def test_another_pair_offers_only_what_it_has(app, page) -> None:
    page.goto(app.url + "/#label/teacher")
    ours = page.locator(
        ".ctx-teach [name=from][value=shipped], .ctx-teach [name=what][value=sentences]"
    )
    page.locator(".ctx-teach [name=from][value=shipped]").check()
    page.locator("#label-views select.ctx-pair").select_option("en-es")
    for choice in range(2):
        expect(ours.nth(choice)).to_be_hidden()
    expect(page.locator(".ctx-teach [name=from][value=server]")).to_be_checked()
    page.locator("#label-views select.ctx-pair").select_option("en-zh")
    expect(ours.last).to_be_visible()
