"""A page worked by keyboard alone: Tab to what is wanted, and what has the focus shows it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

MOST = 80  # presses before something counts as out of reach
_RING = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
}"""


def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Presses Tab until `wanted` has the focus, and sees that it shows it."""
    expect(wanted).to_be_visible()
    for _ in range(MOST):
        if wanted.evaluate("one => one === document.activeElement"):
            assert page.evaluate(_RING), f"the focus cannot be seen on {wanted}"
            return
        page.keyboard.press(key)
    raise AssertionError(f"{wanted} cannot be reached with {key}")
