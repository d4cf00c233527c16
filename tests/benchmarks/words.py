"""Measures three ways to make words clickable, at 3,000 words: python -m tests.benchmarks.words

Prints, for each way, the time from having the text to painted words, and from a click to a painted
answer (median and worst of 20 clicks). The server answers at once, so only the way there counts.
"""

from __future__ import annotations

import os
import statistics
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from playwright.sync_api import Page, sync_playwright

WORDS = [f"word{i}" for i in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)]
SCRIPT = """
const show = (words) => {
  const box = element.querySelector('.words');
  const parts = document.createDocumentFragment();
  words.forEach((word, i) => {
    const span = document.createElement('span');
    span.textContent = word; span.dataset.i = i; span.setAttribute('role', 'button');
    parts.append(span, ' ');
  });
  box.replaceChildren(parts);
};
const paint = (i) => {
  element.querySelectorAll('.on').forEach((e) => e.classList.remove('on'));
  element.querySelector(`[data-i="${i}"]`).classList.add('on');
  element.querySelector('.card').textContent = 'answer ' + i;
};
element.addEventListener('click', async (e) => {
  if (!e.target.dataset.i) return;
  const i = Number(e.target.dataset.i);
  ASK
});
watch('value', () => props.value.words ? show(props.value.words) : paint(props.value.answer));
"""
TEMPLATE = '<div class="words"></div><p class="card"></p>'
# Clicks a word, waits until the card speaks of it, then two frames.
CLICK = """async ([selector, card, i]) => {
  const painted = () => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
  const start = performance.now();
  document.querySelectorAll(selector)[i].click();
  while (!document.querySelector(card)?.textContent.includes('answer ' + i))
    await new Promise((r) => setTimeout(r, 1));
  await painted();
  return performance.now() - start;
}"""
SHOW = """async ([selector, count]) => {
  const start = performance.now();
  document.querySelector('#show').click();
  while (document.querySelectorAll(selector).length < count)
    await new Promise((r) => setTimeout(r, 2));
  await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
  return performance.now() - start;
}"""


def highlighted() -> gr.Blocks:
    with gr.Blocks() as demo:
        show = gr.Button("show", elem_id="show")
        words = gr.HighlightedText(interactive=False, elem_id="words")
        card = gr.HTML(elem_id="card")

        def clicked(event: gr.SelectData):
            spans = [(w + " ", "here" if i == event.index else None) for i, w in enumerate(WORDS)]
            return spans, f"answer {event.index}"

        show.click(lambda: [(w + " ", None) for w in WORDS], None, words, show_progress="hidden")
        words.select(clicked, None, [words, card], show_progress="hidden")
    return demo


def html(ask: str, **options: object) -> gr.Blocks:
    with gr.Blocks() as demo:
        show = gr.Button("show", elem_id="show")
        script = SCRIPT.replace("ASK", ask)
        page = gr.HTML({}, html_template=TEMPLATE, js_on_load=script, elem_id="page", **options)
        show.click(lambda: {"words": WORDS}, None, page, show_progress="hidden")
        if "trigger" in ask:

            def clicked(event: gr.EventData):
                return {"answer": event.i}

            page.word(clicked, None, page, show_progress="hidden")
    return demo


async def answer(i):
    return {"answer": int(i)}


WAYS = {
    "gr.HighlightedText, select": (highlighted, "#words [role=button]", "#card"),
    "gr.HTML, trigger and watch": (
        lambda: html("trigger('word', {i});"),
        "#page [data-i]",
        "#page .card",
    ),
    "gr.HTML, server function": (
        lambda: html("paint((await server.answer(i)).answer);", server_functions=[answer]),
        "#page [data-i]",
        "#page .card",
    ),
}


def measure(page: Page, selector: str, card: str) -> tuple[float, float, float]:
    page.wait_for_selector("#show", timeout=60_000)
    page.wait_for_timeout(500)
    first = page.evaluate(SHOW, [selector, len(WORDS)])
    clicks = [page.evaluate(CLICK, [selector, card, 7 + 100 * n]) for n in range(20)]
    return first, statistics.median(clicks), max(clicks)


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        print(f"{len(WORDS)} words")
        for name, (build, selector, card) in WAYS.items():
            demo = build()
            theme = gr.themes.Base(font=["sans-serif"], font_mono=["monospace"])
            _, url, _ = demo.launch(
                prevent_thread_lock=True, quiet=True, theme=theme, ssr_mode=False
            )
            page = browser.new_page()
            page.goto(url)
            first, median, worst = measure(page, selector, card)
            print(f"{name:28} shown {first:6.0f} ms; click {median:5.0f} ms, worst {worst:5.0f} ms")
            page.close()
            demo.close(verbose=False)
        browser.close()


if __name__ == "__main__":
    main()
