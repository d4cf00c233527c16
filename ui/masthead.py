"""The head of every page: name, language, light or dark. Both choices stay in the browser."""

from __future__ import annotations

import gradio as gr

from ui.page import read_page, read_script
from ui.strings import STRINGS


def build_masthead() -> None:
    """The masthead, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("masthead"),
        js_on_load=read_script("language", "masthead"),
        apply_default_css=False,
        elem_id="masthead",
        strings=STRINGS,
    )
