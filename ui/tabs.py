"""All tabs under their masthead. Which one is shown is said by the page's address (masthead.js)."""

from __future__ import annotations

import gradio as gr

from ui.label import build_label
from ui.masthead import build_masthead
from ui.read import build_read
from ui.services import Services


def build_tabs(services: Services) -> None:
    """The whole page, inside the Blocks at hand."""
    build_masthead()
    with gr.Column(elem_id="tab-read", elem_classes="ctx-parts"):
        build_read(services)
    with gr.Column(elem_id="tab-label", elem_classes="ctx-parts"):
        build_label(services)
