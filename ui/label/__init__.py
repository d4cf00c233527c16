"""The Label tab: what the models answer, corrected by people. Its views are page parts of their
own, shown one at a time by the page's fragment (#label/queue).
"""

from __future__ import annotations

from ui.label.bring import build_bring
from ui.label.data import build_data
from ui.label.queue import build_queue
from ui.label.table import build_table
from ui.label.teacher import build_teacher
from ui.services import Services
from ui.views import build_views


def build_label(services: Services) -> None:
    """All views, inside the Blocks at hand."""
    build_views("label", services)
    build_queue(services)
    build_table(services)
    build_bring(services)
    build_teacher(services)
    build_data(services)
