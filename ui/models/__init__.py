"""The Models tab: which models there are, which of them readers have and since when. Its views are
page parts of their own, shown one at a time by the page's fragment (#models/list, #models/history,
#models/card/run:7).
"""

from __future__ import annotations

from ui.models.card import build_card
from ui.models.history import build_history
from ui.models.list import build_list
from ui.services import Services
from ui.views import build_views


def build_models(services: Services) -> None:
    """All views, inside the Blocks at hand."""
    build_views("models", services)
    build_list(services)
    build_history(services)
    build_card(services)
