"""An adapter's page: what it is, its data with their licences, its recipe, how good it is, where it
fails, what its makers say. All of it comes from its files and is set as text.
"""

from __future__ import annotations

import gradio as gr

from db.store.checks import MAX_NOTE
from engine.settings import SMALL
from ui.desk import Reply, Served, guarded, text_of
from ui.models.part import Desk
from ui.models.shape import to_card
from ui.page import read_page, read_script
from ui.services import Services
from ui.strings import STRINGS

_SCRIPTS = ("language", "part", "pair", "work", "models/part", "models/promote", "models/card")


def build_card(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("models/card"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="models-card",
        elem_classes="ctx-view",
        server_functions=list(CardDesk(services).served().values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted, "reason": MAX_NOTE},
    )


class CardDesk(Desk):
    """One method for each thing a card's page may ask."""

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (self.card, self.weigh, self.promote, self.evaluate)
        return {method.__name__: guarded(method) for method in methods}

    async def card(self, asked: Reply) -> Reply:
        """The card of a model, by its name or its version; `small` is that of the smaller one."""
        name = text_of(asked, "name")

        def act() -> Reply:
            from trainer.catalogue import ModelError, find_model, list_models, small
            from trainer.promote import present

            if name == SMALL:
                serves = self._lookup.status().form == SMALL
                return to_card(small()) | {"present": serves}
            try:
                model = find_model(name, self._store, self._settings)
            except ModelError:
                models = list_models(self._store, self._settings)
                named = [one for one in models if one.version == name]
                if not named:
                    raise
                model = named[0]
            now = present(self._settings, model.pair, model.task)
            return to_card(model) | {"present": model.version == now.version}

        return await self._look(act)
