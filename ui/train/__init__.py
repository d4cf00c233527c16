"""The Train tab: runs begun, watched and compared. Its views are page parts of their own, shown one
at a time by the page's fragment (#train/new, #train/runs, #train/run/7).
"""

from __future__ import annotations

import gradio as gr

from ui.page import read_page, read_script
from ui.services import Services
from ui.strings import STRINGS
from ui.train.new import build_new
from ui.train.run import build_run
from ui.train.runs import build_runs


def build_train(services: Services) -> None:
    """All views, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("train/views"),
        js_on_load=read_script("language", "part", "train/views"),
        apply_default_css=False,
        elem_id="train-views",
        strings=STRINGS,
        limits={"hosted": services.access.hosted},
    )
    build_new(services)
    build_runs(services)
    build_run(services)
