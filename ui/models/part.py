"""What the desks of the Models tab share: a model by its name, promotions, what was compared. Every
argument comes from a stranger. Knows no gradio; imports the trainer when it is first asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from db.dataset.shipped import GOLD
from db.dataset.visible import visible
from db.store import Job, Promotion
from db.store.checks import check_choice, check_pair
from engine.checking import TASKS
from ui.desk import Bad, Reply, named, text_of
from ui.models.shape import to_model
from ui.services import Services

if TYPE_CHECKING:
    from trainer.catalogue import Model
    from trainer.weigh import Weighed

PAIR, TASK = "en-zh", "sense"
_WAITING = ("queued", "running", "paused")
_NO_FREE_ROWS = {"rows": 0, "seed": 1, "free": 0}


class Desk:
    """A desk over the models. Looking is open to everybody; the rest only at home."""

    def __init__(self, services: Services):
        self._access, self._store = services.access, services.store
        self._settings, self._lookup = services.settings, services.lookup
        self._jobs: Any = services.jobs

    async def weigh(self, asked: Reply) -> Reply:
        """What stands against a model, and how it compares with what readers have."""
        name = text_of(asked, "name")

        def act() -> Reply:
            from trainer.promote import consider

            model, now, weighed = consider(name, self._store, self._settings)
            return {
                "model": to_model(model),
                "present": to_model(now),
                **to_weighed(weighed),
                "comparing": self._comparing(model, now),
            }

        return await self._at_home(act)

    async def promote(self, asked: Reply) -> Reply:
        """Gives readers a model; where something stands against it, only with a reason."""
        name, reason, who = (text_of(asked, key) for key in ("name", "reason", "who"))

        def act() -> Reply:
            from trainer.promote import PromotionRefused, promote

            try:
                made = promote(name, self._store, self._settings, who, reason)
            except PromotionRefused as error:
                weighed = to_weighed(error.weighed) if error.weighed else {}
                raise Bad(error.code, **weighed) from error
            return {"promoted": to_promotion(made)}

        return await self._at_home(act)

    async def back(self, asked: Reply) -> Reply:
        """Gives readers what they had before for a pair and task."""
        who = text_of(asked, "who")
        pair = check_pair(text_of(asked, "pair") or PAIR)
        task = check_choice("task", text_of(asked, "task") or TASK, TASKS)

        def act() -> Reply:
            from trainer.promote import back

            return {"promoted": to_promotion(back(self._store, self._settings, who, pair, task))}

        return await self._at_home(act)

    async def evaluate(self, asked: Reply) -> Reply:
        """Starts the comparison with what readers have, on test rows; or tells of the one that is
        on its way."""
        name, who = text_of(asked, "name"), text_of(asked, "who")

        def act() -> Reply:
            from trainer.promote import consider

            model, now, _ = consider(name, self._store, self._settings)
            if not (job := self._comparing(model, now)):
                dataset = self._words_of(model.pair) if model.task == TASK else "translations"
                recipe = {
                    "models": [now.name, model.name], "dataset": dataset, "split": "test",
                    "pair": model.pair, "task": model.task, **_NO_FREE_ROWS,
                }  # fmt: skip
                job = to_job(self._jobs.add("evaluate", recipe, who))
            return {"comparing": job}

        return await self._at_home(act)

    def _words_of(self, pair: str) -> str:
        """The dataset whose test rows words of a pair are compared on: what ships, else the last
        that was frozen; Bad where none has any."""
        if pair == PAIR:
            return GOLD
        for one in self._store.datasets.list_datasets():
            if one.pair == pair and one.splits["test"]:
                return one.name
        raise Bad("no_dataset")

    def _comparing(self, model: Model, now: Model) -> Reply | None:
        """The comparison of the two that waits or is at work, if any; the last that failed."""
        self._jobs.look()
        wanted = {model.name, now.name}
        for job in self._jobs.list_jobs((*_WAITING, "done", "failed", "interrupted"), limit=200):
            names = job.recipe.get("models")
            if job.kind != "evaluate" or not isinstance(names, list | tuple):
                continue
            if wanted <= set(map(str, names)) and job.recipe.get("split") == "test":
                return to_job(job) if job.state != "done" else None
        return None

    async def _at_home(self, act: Callable[[], Reply]) -> Reply:
        self._access.check_write()
        return await self._look(act)

    async def _look(self, act: Callable[[], Reply]) -> Reply:
        return await asyncio.to_thread(named, act, False)


def to_promotion(promotion: Promotion) -> Reply:
    """A line of the history."""
    told = promotion.promoted
    newest = told.figures.get("compared") or [None]
    return {
        "id": promotion.id,
        "pair": told.pair,
        "task": told.task,
        "when": promotion.created,
        "name": told.model,
        "title": visible(told.title),
        "version": told.version,
        "who": visible(told.who),
        "reason": visible(told.reason),
        "undoes": told.undoes,
        "against": told.figures.get("against", []),
        "compared": newest[0],
    }


def to_weighed(weighed: Weighed) -> Reply:
    """What stands against a model and its comparisons, one in which it is worse first."""
    compared = sorted((one.told() for one in weighed.compared), key=lambda one: not one["worse"])
    return {
        "against": list(weighed.against),
        "fitReason": visible(weighed.fit_reason),
        "compared": compared,
    }


def to_job(job: Job) -> Reply:
    """A comparison on its way."""
    return {
        "id": job.id,
        "state": job.state,
        "place": job.place,
        "done": job.done,
        "total": job.total,
        "error": job.error,
        "detail": visible(job.detail)[:300],
    }
