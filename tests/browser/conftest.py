"""A browser, and the app with a fake lookup behind it. No test may send a request elsewhere."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
PATIENCE = 90_000  # ms: a slow machine beside a training job
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
STORY = "She meant to call them back. The bank was unkind.\n\nIt was light, and he went home."

expect.set_options(timeout=PATIENCE)


class App:
    """The app in a process of its own; `state` says what its lookup and its store were asked."""

    def __init__(self, *options: str):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        script = ROOT / "tests" / "browser" / "serve_fake.py"
        self._process = subprocess.Popen(
            [sys.executable, str(script), "--port", str(self.port), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        while (line := self._process.stdout.readline()) != "serving\n":
            assert line, "the app ended before it served"

    def state(self, command: str = "state") -> dict:
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def finish_loading(self) -> None:
        self.state("finish")

    def close(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.stdout.close()


@pytest.fixture(scope="session")
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


def open_app(page: Page, app: App, fragment: str = "") -> None:
    """The app's page, shown and ready for a text (or with the text of last time)."""
    page.goto(app.url + "/" + fragment)
    page.wait_for_selector(".ctx-read[data-view=editing], .ctx-read[data-view=reading]")


def read_text(page: Page, app: App, text: str = STORY) -> None:
    """The app's page with `text` opened."""
    open_app(page, app)
    page.locator("textarea").fill(text)
    page.get_by_role("button", name="Read", exact=True).click()
    page.wait_for_selector(".ctx-read[data-view=reading]")


def word(page: Page, text: str, nth: int = 0):
    """A word of the passage."""
    return page.locator(".ctx-passage").get_by_role("button", name=text, exact=True).nth(nth)
