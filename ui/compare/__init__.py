"""The Compare tab: what one model answers beside another. Its views are page parts of their own,
shown one at a time by the page's fragment (#compare/side, #compare/split, #compare/vote,
#compare/board).
"""

from __future__ import annotations

from ui.services import Services
from ui.views import build_views


def build_compare(services: Services) -> None:
    """All views, inside the Blocks at hand."""
    build_views("compare", services)
