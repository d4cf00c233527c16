"""The New run view: a dataset, a preset, the recipe's fields; what the run will be; its start.

Every argument comes from a stranger. The desk knows no gradio; a form's values go through
`recipes.read_recipe`.
"""

from __future__ import annotations

from dataclasses import asdict

import gradio as gr

from db.dataset.visible import visible
from db.store.checks import MAX_NAME
from engine.catalogue import readers_folder
from engine.script import is_written
from ui.desk import Reply, Served, guarded, text_of
from ui.page import read_page, read_script
from ui.pairs import work_pair
from ui.services import Services
from ui.strings import STRINGS
from ui.train.part import Desk
from ui.train.recipes import (
    SENSE,
    TRANSLATION,
    has_adapter,
    list_runs,
    plain,
    read_recipe,
    to_fields,
    to_presets,
)
from ui.train.shape import to_choice, to_run

_SCRIPTS = (
    "language", "part", "pair", "work", "train/part", "train/new/fields", "train/new/choices",
    "train/new/look", "train/new/start",
)  # fmt: skip
_STARTS = 20  # finished runs that a new one can go on from
_PREVIEWED = 10  # rows


def build_new(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("train/new"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="train-new",
        elem_classes="ctx-view",
        server_functions=list(NewDesk(services).served().values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted, "text": MAX_NAME},
    )


class NewDesk(Desk):
    """One method for each thing the New run view's page may ask."""

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (self.form, self.choices, self.check, self.preview, self.begin, self.work)
        return {method.__name__: guarded(method) for method in methods}

    async def form(self, asked: Reply) -> Reply:
        """The recipe's fields and the presets."""
        return await self._run(lambda: {"fields": to_fields(), "presets": to_presets()})

    async def choices(self, asked: Reply) -> Reply:
        """The datasets of a pair, and the finished runs of it that a new one can go on from, by
        task."""
        pair = work_pair(asked)
        return await self._run(lambda: self._choices(pair))

    def _choices(self, pair: str) -> Reply:
        done = [job for job in list_runs(self._jobs) if has_adapter(job, self._jobs)]
        runs = [run for run in map(to_run, done) if run["pair"] == pair]
        return {
            task: {
                "datasets": [to_choice(one) for one in sets if one.pair == pair],
                "runs": [
                    {"id": run["id"], "name": run["name"]} for run in runs if run["task"] == task
                ][:_STARTS],
                "present": readers_folder(self._settings, pair, task) is not None,
                "trained": task == TRANSLATION or is_written(pair),
            }
            for task, sets in (
                (SENSE, self._store.datasets.list_datasets()),
                (TRANSLATION, self._store.sentence_sets.list_sets()),
            )
        }

    async def check(self, asked: Reply) -> Reply:
        """What the run will be: rows, steps, memory, time; or why it cannot be run."""

        def act() -> Reply:
            from trainer.plan import plan

            recipe = read_recipe(asked, self._store, self._jobs)
            found = plan(recipe, self._settings.home, self._settings, self._store)
            return {"plan": asdict(found)}

        return await self._begin(act)

    async def preview(self, asked: Reply) -> Reply:
        """Rows as the model sees them: tokens, and which of them count in the loss."""

        def act() -> Reply:
            from trainer.plan import preview

            recipe = read_recipe(asked, self._store, self._jobs)
            home = self._settings.home
            rows = preview(recipe, home, self._settings, self._store, _PREVIEWED)
            return {"rows": [[list(map(visible, row.tokens)), list(row.counts)] for row in rows]}

        return await self._begin(act)

    async def begin(self, asked: Reply) -> Reply:
        """A new job, started at once where nothing else computes."""
        who = text_of(asked, "who")

        def act() -> Reply:
            recipe = read_recipe(asked, self._store, self._jobs)
            return {"run": to_run(self._jobs.add("train", plain(recipe), who))}

        return await self._run(act)
