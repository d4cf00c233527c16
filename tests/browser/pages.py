"""The app with a fake lookup behind it, and what readers do on its page."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

ROOT = Path(__file__).parents[2]
PATIENCE = 90_000  # ms: a slow machine beside a training job
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
