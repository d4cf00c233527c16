"""The Compare tab: what one model answers beside another. Its views are page parts of their own,
shown one at a time by the page's fragment (#compare/side, #compare/split/7, #compare/vote,
#compare/board).
"""

from __future__ import annotations

from typing import cast

from trainer.jobs.queue import Jobs
from ui.compare.board import build_board
from ui.compare.evaluations import Evaluations
from ui.compare.side import build_side
from ui.compare.split import build_split
from ui.compare.vote import build_vote
from ui.services import Services
from ui.views import build_views


def build_compare(services: Services) -> None:
    """All views, inside the Blocks at hand."""
    evaluations = Evaluations(cast(Jobs, services.jobs))
    build_views("compare", services)
    build_side(services)
    build_split(services, evaluations)
    build_vote(services, evaluations)
    build_board(services, evaluations)
