"""The app's page: all tabs under their masthead, and the endpoints. Which tab is shown is said by
the page's address (masthead.js).
"""

from __future__ import annotations

import gradio as gr

from ui.api import build_api
from ui.label import build_label
from ui.masthead import build_masthead
from ui.page import make_blocks
from ui.read import build_read
from ui.services import Services
from ui.train import build_train


def build_app(services: Services) -> gr.Blocks:
    """All screens over these services, not served yet."""
    with make_blocks() as app:
        build_masthead()
        with gr.Column(elem_id="tab-read", elem_classes="ctx-parts"):
            build_read(services)
        with gr.Column(elem_id="tab-label", elem_classes="ctx-parts"):
            build_label(services)
        with gr.Column(elem_id="tab-train", elem_classes="ctx-parts"):
            build_train(services)
        build_api(services)
    return app.queue(max_size=64)
