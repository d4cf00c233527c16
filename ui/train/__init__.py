"""The Train tab: runs begun, watched and compared. Its views are page parts of their own, shown one
at a time by the page's fragment (#train/new, #train/scratch, #train/quantise, #train/runs,
#train/run/7).
"""

from __future__ import annotations

from ui.services import Services
from ui.train.new import build_new
from ui.train.quantise import build_quantise
from ui.train.run import build_run
from ui.train.runs import build_runs
from ui.train.scratch import build_scratch
from ui.views import build_views


def build_train(services: Services) -> None:
    """All views, inside the Blocks at hand."""
    build_views("train", services)
    build_new(services)
    build_scratch(services)
    build_quantise(services)
    build_runs(services)
    build_run(services)
