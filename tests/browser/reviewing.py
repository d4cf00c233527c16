"""What people do in the review queue, and what the database behind it holds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page

from db.store import Brought, Origin, open_store
from engine.sense import Phrase, Query, Sense
from tests.browser.pages import App

PAIR = "en-zh"
CONTEXT = "They will call you back."
CALL, BACK = Query(CONTEXT, 2), Query(CONTEXT, 4)
PHRASE = Phrase((2, 4), "回电话")


def teach(store, query: Query, sense: Sense, who: str = "T") -> int:
    """The id of a query that comes in with a teacher's answer."""
    origin = Origin("rows", "flat", who=who, source="teacher")
    row = Brought(1, 0, "raw", context=query.context, queries=(query,), sense=sense)
    store.imports.add(store.imports.begin(origin), origin, [row])
    return store.queries.find(query)


def look(tmp_path: Path, ask: Callable):
    """What the database says while the app runs."""
    with closing(open_store(tmp_path / "ctx.db")) as store:
        return ask(store)


def open_queue(page: Page, app: App, who: str = "Ann", state: str = "item") -> None:
    page.goto(app.url + "/#label/queue")
    page.wait_for_selector(".ctx-views nav")
    if page.locator("#label-views .ctx-who input").input_value() != who:
        page.locator("#label-views .ctx-who input").fill(who)
        page.locator("#label-views .ctx-who input").press("Tab")
        page.evaluate("document.activeElement.blur()")
    page.wait_for_selector(f".ctx-queue[data-state={state}]")


def line(page: Page) -> str:
    return page.locator(".ctx-line").inner_text()
