"""The view of all models by languages and task: what each is, how good, which one readers have,
what lies on disk and in memory; promote and take back, load, bring in, write out, delete.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
from gradio.utils import get_upload_folder

from db.dataset.visible import visible
from db.store.checks import MAX_NOTE
from engine.catalogue import (
    Entry,
    came_from,
    fits_base,
    in_order,
    list_adapters,
    read_unchanged,
)
from ui.desk import Reply, Served, guarded
from ui.files import Files
from ui.models.disk import STYLES, DiskDesk
from ui.models.part import TASK, to_promotion
from ui.models.shape import licence_of, to_model
from ui.page import largest_upload, read_page, read_script
from ui.services import Services
from ui.strings import STRINGS

if TYPE_CHECKING:
    from trainer.catalogue import Model

_SCRIPTS = (
    "language", "part", "pair", "work", "files", "models/part", "models/promote", "models/bring",
    "models/line", "models/group", "models/list",
)  # fmt: skip


def build_list(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    files = Files(Path(get_upload_folder()), lambda file: part.temp_files.add(file))
    part = gr.HTML(
        html_template=read_page("models/list"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="models-list",
        elem_classes="ctx-view",
        server_functions=list(ListDesk(services, files).served().values()),
        strings=STRINGS,
        limits={
            "hosted": services.access.hosted,
            "reason": MAX_NOTE,
            "upload": largest_upload(services.settings),
            "styles": list(STYLES),
        },
    )


class ListDesk(DiskDesk):
    """One method for each thing the list's page may ask."""

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (
            self.models, self.weigh, self.promote, self.back, self.evaluate, self.load, self.unload,
            self.bring, self.export, self.delete, self.work,
        )  # fmt: skip
        return {method.__name__: guarded(method) for method in methods}

    async def models(self, asked: Reply) -> Reply:
        """All models by languages and task, the one that readers have first; folders that are
        refused, and what is in memory."""
        return await self._look(self._models)

    def _models(self) -> Reply:
        from trainer.catalogue import SHIPPED, list_models

        entries, refused = list_adapters(self._settings)
        groups: dict[tuple[str, str], list[Model]] = {}
        for model in list_models(self._store, self._settings):
            groups.setdefault((model.pair, model.task), []).append(model)
        keys = sorted(groups, key=lambda key: (key[1] != TASK, in_order(key[0])))
        by_version = {entry.version: entry for entry in entries}
        status = self._lookup.status()
        return {
            "groups": [self._group(*key, groups[key], by_version) for key in keys],
            "fixed": self._settings.adapter != SHIPPED,
            "memory": self._memory.told(),
            "refused": [
                {"name": visible(one.folder.name)[:200], "reason": one.reason} for one in refused
            ],
            "serving": {
                "state": status.state,
                "version": status.version,
                "title": visible(status.title),
                "form": status.form,
                "error": status.error if status.state == "ready" else "",
            },
        }

    def _group(self, pair: str, task: str, models: list[Model], entries: dict[str, Entry]) -> Reply:
        """The models of one pair and task."""
        from trainer.promote import before, history, present

        now = present(self._settings, pair, task)
        rows = history(self._store, pair, task)
        found = before(rows)
        was = found[1] if found else None
        here = rows[-1] if rows and rows[-1].promoted.version == now.version else None
        usual = {"name": "usual", "title": "", "version": ""}
        return {
            "pair": pair,
            "task": task,
            "models": [
                to_model(one)
                | self._takes(one, entries.get(one.version), one.version == now.version)
                for one in models
            ],
            "present": to_model(now),
            "since": None if self._access.hosted or not here else to_promotion(here),
            "before": (
                {"name": was.model, "title": visible(was.title), "version": was.version}
                if was
                else usual
            )
            if found
            else None,
        }

    def _takes(self, model: Model, entry: Entry | None, here: bool) -> Reply:
        """Where an adapter is from, and how it stands in memory; nothing of the base."""
        if model.folder is None:
            return {"licence": "", "from": "", "fits": True}
        adapter = entry.adapter if entry else read_unchanged(model.folder)
        return {
            "licence": licence_of(model),
            "from": visible(came_from(entry).get("from", ""))[:200] if entry else "",
            "fits": fits_base(Entry("", adapter), self._settings),
            **self._memory.of(model, adapter, here),
        }
