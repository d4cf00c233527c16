"""The Smaller forms view: a model, which forms of it, the rows that judge; each start is a run.
Every argument comes from a stranger; no path comes from a page.
"""

from __future__ import annotations

import gradio as gr

from db.dataset.visible import visible
from db.store.checks import MAX_NAME
from ui.desk import Bad, Reply, Served, guarded, text_of
from ui.page import read_page, read_script
from ui.pairs import work_pair
from ui.services import Services
from ui.strings import STRINGS
from ui.train.kinds import QUANTISE
from ui.train.part import Desk
from ui.train.shape import to_run

_SCRIPTS = ("language", "part", "pair", "work", "train/part", "train/quantise/start")
FORMS, STEPS, RATIO = HOWS = ("forms", "steps", "ratio")
USUAL = ("int8-rows8", "int8-rows8-smooth", "int4-rows8-smooth", "int4-rows4-smooth")
_ROWS = 300  # about how many judge, unless somebody wants others
_MOST_FORMS = 60
_LARGEST = 10**6


def build_quantise(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("train/quantise"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="train-quantise",
        elem_classes="ctx-view",
        server_functions=list(QuantiseDesk(services).served().values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted, "text": MAX_NAME, "rows": _ROWS},
    )


class QuantiseDesk(Desk):
    """One method for each thing the Smaller forms view's page may ask."""

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (self.choices, self.begin)
        return {method.__name__: guarded(method) for method in methods}

    async def choices(self, asked: Reply) -> Reply:
        """The models of a pair that have forms, the datasets that judge them, the forms there
        are."""
        pair = work_pair(asked)
        return await self._run(lambda: self._choices(pair))

    def _choices(self, pair: str) -> Reply:
        from trainer.catalogue import list_models
        from trainer.distil.quantise_run import DEFAULT

        found = list_models(self._store, self._settings)
        models = [one for one in found if (one.pair, one.task) == (pair, "sense") and one.folder]
        return {
            "models": [{"name": one.name, "title": visible(one.title)} for one in models],
            "datasets": self._datasets(pair),
            "forms": [{"name": name, "usual": name in USUAL} for name in DEFAULT],
        }

    def _datasets(self, pair: str) -> list[Reply]:
        """Frozen datasets with rows to judge by, the newest first."""
        return [
            {"name": one.name, "rows": one.splits["test"]}
            for one in self._store.datasets.list_datasets()
            if one.pair == pair and one.splits["test"]
        ]

    async def begin(self, asked: Reply) -> Reply:
        """A new job, started at once where nothing else computes."""
        who, pair = text_of(asked, "who"), work_pair(asked)
        recipe = {"model": text_of(asked, "model"), "dataset": text_of(asked, "dataset")}

        def act() -> Reply:
            there = self._choices(pair)
            if recipe["model"] not in [one["name"] for one in there["models"]]:
                raise Bad("unknown_model")
            if recipe["dataset"] not in [one["name"] for one in there["datasets"]]:
                raise Bad("no_dataset")
            told = recipe | _how(asked, [one["name"] for one in there["forms"]])
            return {"run": to_run(self._jobs.add(QUANTISE, told, who))}

        return await self._run(act)


def _how(asked: Reply, known: list[str]) -> Reply:
    """Which forms, and how many rows judge; Bad names the fields that do not fit."""
    how, ways, rows, ratio = (asked.get(name) for name in ("how", "ways", "rows", "ratio"))
    if how not in HOWS or not isinstance(ways, list) or len(ways) > _MOST_FORMS:
        raise Bad("not_understood")
    wrong = []
    if not _is_number(rows, _LARGEST) or rows != int(rows):
        wrong.append("rows")
    if how == RATIO and not (_is_number(ratio, 1) and ratio > 0):
        wrong.append("ratio")
    if how != STEPS and not (ways and all(way in known for way in ways)):
        wrong.append("ways")
    if wrong:
        raise Bad("bad_fields", fields=wrong)
    told: Reply = {"rows": int(rows), "progressive": how == STEPS}
    return (
        told
        | ({} if how == STEPS else {"ways": ways})
        | ({"ratio": float(ratio)} if how == RATIO else {})
    )


def _is_number(value: object, most: int) -> bool:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and 0 <= value <= most  # type: ignore[operator]
