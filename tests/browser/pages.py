"""The app with a fake lookup behind it, and what readers do on its page."""

from __future__ import annotations

import json
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.real import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 90_000  # ms: a slow machine beside a training job
STORY = "She meant to call them back. The bank was unkind.\n\nIt was light, and he went home."

expect.set_options(timeout=PATIENCE)

# Each app is a copy of a process that has all imported, which takes longer than to start.
_WARM = get_context("forkserver")
_WARM.set_forkserver_preload(["tests.browser.serve_fake"])


class App:
    """The app in a process of its own; `state` says what its lookup and its store were asked."""

    def __init__(self, *options: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._pipe, theirs = _WARM.Pipe()
        self._process = _WARM.Process(
            target=_serve, args=(theirs, ["--port", str(self.port), *options])
        )
        self._process.start()
        theirs.close()
        try:
            assert self._pipe.recv() == "serving"
        except EOFError:
            raise AssertionError("the app ended before it served") from None

    def state(self, command: str = "state") -> dict:
        self._pipe.send(command)
        return json.loads(self._pipe.recv())

    def finish_loading(self) -> None:
        self.state("finish")

    def close(self) -> None:
        self._pipe.close()
        self._process.join(30)
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, options: list[str]) -> None:
    from tests.browser.serve_fake import serve_to  # in the copy, never in the test's own process

    serve_to(pipe, options)


# By module: while Playwright runs, no other test in this process can start an event loop.


def open_app(page: Page, app: App, fragment: str = "") -> None:
    """The app's page, shown and ready for a text (or with the text of last time)."""
    page.goto(app.url + "/" + fragment)
    page.wait_for_selector(".ctx-read[data-view=editing], .ctx-read[data-view=reading]")


def read_text(page: Page, app: App, text: str = STORY) -> None:
    """The app's page with `text` opened."""
    open_app(page, app)
    page.locator(".ctx-read textarea").fill(text)
    page.locator(".ctx-read [data-do=read]").click()
    page.wait_for_selector(".ctx-read[data-view=reading]")


def word(page: Page, text: str, nth: int = 0):
    """A word of the passage."""
    return page.locator(".ctx-passage").get_by_role("button", name=text, exact=True).nth(nth)
