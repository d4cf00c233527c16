"""The view of all promotions: when, what, who and why."""

from __future__ import annotations

import gradio as gr

from ui.desk import Reply, Served, guarded
from ui.models.part import Desk, to_promotion
from ui.page import read_page, read_script
from ui.services import Services
from ui.strings import STRINGS

_SCRIPTS = ("language", "part", "pair", "work", "models/part", "models/history")
_MOST = 1000


def build_history(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("models/history"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="models-history",
        elem_classes="ctx-view",
        server_functions=list(HistoryDesk(services).served().values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted},
    )


class HistoryDesk(Desk):
    """One method for each thing the history's page may ask."""

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        return {"promotions": guarded(self.promotions)}

    async def promotions(self, asked: Reply) -> Reply:
        """All promotions, the newest first; at home only, as it names people."""

        def act() -> Reply:
            rows = self._store.promotions.history()
            return {"promotions": [to_promotion(one) for one in rows[-_MOST:][::-1]]}

        return await self._at_home(act)
