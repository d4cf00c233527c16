"""A browser, and the app with a fake lookup behind it. No test may send a request elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from db.store import open_store
from tests.browser.pages import PATIENCE, App

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail("No Chromium: install the Debian package `chromium` (apt install chromium).")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app() -> Iterator[App]:
    """The app with a lookup that answers at once; tests share it."""
    app = App()
    yield app
    app.close()


@pytest.fixture
def start_app() -> Iterator[Callable[..., App]]:
    """Starts the app in another mode, for one test."""
    apps: list[App] = []

    def start(*options: str) -> App:
        apps.append(App(*options))
        return apps[-1]

    yield start
    for started in apps:
        started.close()


@pytest.fixture
def new_context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Browsers of readers; at the end none may have asked another host or thrown an error."""
    contexts: list[BrowserContext] = []
    elsewhere: list[str] = []
    errors: list[str] = []

    def note(url: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname != "127.0.0.1":
            elsewhere.append(url)

    def make(**options: object) -> BrowserContext:
        options = {"locale": "en-GB", "viewport": {"width": 1280, "height": 860}, **options}
        context = chromium.new_context(**options)
        context.set_default_timeout(PATIENCE)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.on("request", lambda request: note(request.url))
        context.on("weberror", lambda error: errors.append(str(error.error)))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert elsewhere == []
    assert errors == []


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    return new_context().new_page()


@pytest.fixture
def begin(tmp_path: Path, start_app: Callable[..., App]):
    """Fills a database and starts the app on it."""

    def begin(fill: Callable, *options: str) -> App:
        with closing(open_store(tmp_path / "ctx.db")) as store:
            fill(store)
        return start_app("--home", str(tmp_path), *options)

    return begin
