"""The Label tab by the Tab key alone: all that can be pressed is reached, and one sees where."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from engine.sense import Query, Sense
from tests.browser.reviewing import open_queue, teach

# What the Tab key should reach in the view that is shown: of radio buttons the chosen one, of a
# sentence's words one.
WANTED = """() => [...document.querySelectorAll(
        '.ctx-view :is(button, input, select, textarea, summary)')]
    .filter((e) => e.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }))
    .filter((e) => !e.disabled && e.tabIndex >= 0 && (e.type !== 'radio' || e.checked))
    .map((e, i) => (e.dataset.walked = String(i)))"""
# Where the focus is, and whether it shows: by an outline, or by the shadow of a field or its box.
HERE = """() => {
    const here = document.activeElement;
    if (!here || here === document.body) return null;
    const { outlineStyle, boxShadow } = getComputedStyle(here);
    const box = getComputedStyle(here.closest('.ctx-drop') ?? here).boxShadow;
    const shown = outlineStyle !== 'none' || box !== 'none' || boxShadow !== 'none';
    return { walked: here.dataset.walked, shown, what: here.outerHTML.slice(0, 160) };
}"""

# What of a view comes last.
SHOWN = {
    "queue": ".ctx-queue[data-state=item]",
    "table": ".ctx-table-row",
    "bring": ".ctx-imports li",
    "teacher": ".ctx-would:not(:empty)",
    "data": ".ctx-set",
}


@pytest.mark.parametrize("view", SHOWN)
def test_every_control_is_reached_and_shows_it(begin, page, view) -> None:
    def fill(store) -> None:
        for number in range(3):
            teach(store, Query(f"Dogs {'abc'[number]} bark.", 0), Sense("noun", "狗"))
        store.datasets.freeze("all", "en-zh", accepted=False)

    app = begin(fill)
    open_queue(page, app)
    page.goto(f"{app.url}/#label/{view}")
    expect(page.locator(SHOWN[view]).first).to_be_visible()
    for _ in range(3):  # what is painted anew meanwhile is walked again
        if not (missed := walk(page)):
            break
    assert not missed


def walk(page: Page) -> list[str | None]:
    """Press the Tab key once round, from wherever the focus was; what it did not reach."""
    page.evaluate("document.activeElement?.blur(); getSelection().removeAllRanges()")
    wanted, seen, ends = set(page.evaluate(WANTED)), set(), 0
    assert len(wanted) >= 5
    while ends < 2:
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if here is None:
            ends += 1
            continue
        assert here["shown"], here["what"]
        seen.add(here["walked"])
    return page.evaluate(
        "ids => ids.map((id) => document.querySelector(`[data-walked='${id}']`)?.outerHTML)",
        sorted(wanted - seen),
    )
