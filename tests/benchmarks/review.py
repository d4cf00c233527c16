"""Measures the review queue in a browser: python -m tests.benchmarks.review [DECISIONS]

Prints the milliseconds from pressing the key that accepts to the next query being painted. The
database holds 20,000 queries. Wants an idle machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from playwright.sync_api import sync_playwright

from db.bench import write_rows
from db.dataset.importing import bring
from db.store import Origin, open_store
from tests.browser.conftest import CHROMIUM
from tests.browser.pages import App

QUERIES = 20_000
# Presses the key, waits until another sentence is there, then two frames.
ACCEPT = """async () => {
  const line = document.querySelector('.ctx-line');
  const before = line.firstChild;
  const start = performance.now();
  document.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true }));
  let again = false;
  while (line.firstChild === before) {
    if (!again && document.querySelector('.ctx-broken li')) {
      again = true; // a matter of taste
      document.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true }));
    }
    await new Promise((r) => setTimeout(r, 1));
  }
  await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
  return performance.now() - start;
}"""


def main(decisions: int) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        write_rows(home / "rows.jsonl", QUERIES)
        with closing(open_store(home / "ctx.db")) as store:
            bring(store, home / "rows.jsonl", Origin("rows", "", who="T"))
            store.review.work_off()
        app = App("--home", folder)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(app.url + "/#label/queue")
        page.locator("#label-views .ctx-who input").fill("Ann")
        page.locator("#label-views .ctx-who input").press("Tab")
        page.wait_for_selector(".ctx-queue[data-state=item]")
        page.evaluate("document.activeElement.blur()")
        times = sorted(page.evaluate(ACCEPT) for _ in range(decisions))
        browser.close()
        app.close()
    p95 = times[round(0.95 * (len(times) - 1))]
    print(f"accept → next painted: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
