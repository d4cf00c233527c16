"""The app's page: all tabs under their masthead, and the endpoints. Which tab is shown is said by
the page's address (masthead.js).
"""

from __future__ import annotations

import gradio as gr

from ui.api import build_api
from ui.compare import build_compare
from ui.label import build_label
from ui.masthead import build_masthead
from ui.models import build_models
from ui.page import make_blocks
from ui.read import build_read
from ui.services import Services
from ui.train import build_train

_TABS = {
    "read": build_read,
    "label": build_label,
    "train": build_train,
    "compare": build_compare,
    "models": build_models,
}


def build_app(services: Services) -> gr.Blocks:
    """All screens over these services, not served yet."""
    with make_blocks() as app:
        build_masthead()
        for name, build in _TABS.items():
            with gr.Column(elem_id=f"tab-{name}", elem_classes="ctx-parts"):
                build(services)
        build_api(services)
    return app.queue(max_size=64)
