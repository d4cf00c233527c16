"""Measures clicks in the real app with the real model: python -m tests.benchmarks.click [ROUNDS]

Prints the milliseconds from a click to a painted card, on words that are looked up already and on
words of a text nobody has looked at, in a browser on the same machine. Wants an idle machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from gradio_client import Client
from playwright.sync_api import Page, sync_playwright

from engine.bench.sides import read_cases
from engine.models import embedded_folder
from engine.settings import assets
from tests.browser.conftest import CHROMIUM
from tests.real import ROOT, fresh_home, serving

SENTENCES = 10  # of a text
# Clicks a word, waits until the card answers for it, then two frames.
CLICK = """async (i) => {
  const read = document.querySelector('.ctx-read');
  const word = document.querySelectorAll('.ctx-passage [role=button]')[i];
  const start = performance.now();
  word.click();
  while (!(read.dataset.card === 'found'
           && document.querySelector('.ctx-card .ctx-word').textContent === word.textContent))
    await new Promise((r) => setTimeout(r, 1));
  await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
  return performance.now() - start;
}"""


def read(page: Page, url: str, text: str) -> None:
    page.goto(url)
    page.wait_for_selector(".ctx-read[data-view=editing], .ctx-read[data-view=reading]")
    if page.locator(".ctx-read[data-view=reading]").count():
        page.evaluate("localStorage.clear()")
        page.reload()
        page.wait_for_selector(".ctx-read[data-view=editing]")
    page.locator(".ctx-read textarea").fill(text)
    page.locator(".ctx-read [data-do=read]").click()
    page.wait_for_selector(".ctx-read[data-view=reading]")


def main(rounds: int) -> None:
    shared = ROOT / ".venv" / "test-home"
    embedded_folder(shared)
    cases = read_cases(assets() / "datasets" / "en-zh-gold", 2 * SENTENCES * rounds)
    texts = [
        " ".join(case.query.context for case in cases[i : i + SENTENCES])
        for i in range(0, len(cases), SENTENCES)
    ]
    known, cold = [], []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = fresh_home(Path(folder) / "home", shared)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        with serving(home) as app:
            client = Client(app.url, verbose=False)
            for before, unseen in zip(texts[::2], texts[1::2]):
                client.predict(before, "en-zh", api_name="/lookup_passage")
                read(page, app.url, before)
                count = page.locator(".ctx-passage [role=button]").count()
                page.wait_for_timeout(2000)  # the page fetches what is known
                known += [page.evaluate(CLICK, i) for i in range(0, count, max(1, count // 20))]
                read(page, app.url, unseen)
                cold.append(page.evaluate(CLICK, count // 2))
        browser.close()
    for name, times in (("looked-up word", known), ("first click in a new text", cold)):
        ordered = sorted(times)
        p95 = ordered[round(0.95 * (len(ordered) - 1))]
        median = statistics.median(ordered)
        print(f"{name}: median {median:.0f} ms, p95 {p95:.0f} ms (n = {len(times)})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
