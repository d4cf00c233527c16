"""The view of all models: what each is, how good, which one readers have; promote and take back."""

from __future__ import annotations

import gradio as gr

from db.store.checks import MAX_NOTE
from ui.desk import Reply, Served, guarded
from ui.models.part import PAIR, TASK, Desk, to_promotion
from ui.models.shape import to_model
from ui.page import read_page, read_script
from ui.services import Services
from ui.strings import STRINGS

_SCRIPTS = (
    "language", "part", "work", "models/part", "models/promote", "models/present", "models/list",
)  # fmt: skip


def build_list(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("models/list"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="models-list",
        elem_classes="ctx-view",
        server_functions=list(ListDesk(services).served().values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted, "reason": MAX_NOTE},
    )


class ListDesk(Desk):
    """One method for each thing the list's page may ask."""

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (self.models, self.weigh, self.promote, self.back, self.evaluate)
        return {method.__name__: guarded(method) for method in methods}

    async def models(self, asked: Reply) -> Reply:
        """All models, the one that readers have, what they had before."""
        return await self._look(self._models)

    def _models(self) -> Reply:
        from trainer.catalogue import SHIPPED, list_models
        from trainer.promote import before, history, present

        now = present(self._settings)
        rows = history(self._store, PAIR, TASK)
        found = before(rows)
        was = found[1] if found else None
        shipped = {"name": SHIPPED, "title": "", "version": ""}
        status = self._lookup.status()
        here = rows[-1] if rows and rows[-1].promoted.version == now.version else None
        return {
            "models": [to_model(one) for one in list_models(self._store, self._settings)],
            "present": to_model(now),
            "since": None if self._access.hosted or not here else to_promotion(here),
            "before": (
                {"name": was.model, "title": was.title, "version": was.version} if was else shipped
            )
            if found
            else None,
            "fixed": self._settings.adapter != SHIPPED,
            "serving": {
                "state": status.state,
                "version": status.version,
                "title": status.title,
                "error": status.error if status.state == "ready" else "",
            },
        }
