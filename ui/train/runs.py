"""The Runs view: all training runs in a table, the queue's order, curves of several in one plot.

Every argument comes from a stranger. The desk knows no gradio; what runs told is read once and
then read on.
"""

from __future__ import annotations

import threading

import gradio as gr

from db.store import Job
from trainer.history import (
    DEV_FIGURES,
    STEP_FIGURES,
    TRANSLATION_FIGURES,
    History,
    thinned,
)
from ui.desk import Bad, Reply, Served, guarded, number_of
from ui.page import read_page, read_script
from ui.services import Services
from ui.strings import STRINGS
from ui.train.part import Desk
from ui.train.recipes import list_runs
from ui.train.shape import to_run

_SCRIPTS = (
    "language", "part", "pair", "work", "train/part", "train/axes", "train/curves",
    "train/runs/table", "train/runs/compare", "train/runs/start",
)  # fmt: skip
MOST_COMPARED = 5
_OF_DEV = (*DEV_FIGURES, *TRANSLATION_FIGURES)
_MOST_POINTS = 300  # of a curve


def build_runs(services: Services) -> None:
    """The view, inside the Blocks at hand. Jobs whose process is gone are noticed now."""
    if not services.access.hosted and services.jobs is not None:
        services.jobs.look()
    gr.HTML(
        html_template=read_page("train/runs"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="train-runs",
        elem_classes="ctx-view",
        server_functions=list(RunsDesk(services).served().values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted, "compared": MOST_COMPARED},
        figures=["dev_loss", "loss", *(x for x in _OF_DEV if x != "dev_loss"), "kept_share"],
    )


class RunsDesk(Desk):
    """One method for each thing the Runs view's page may ask."""

    def __init__(self, services: Services):
        super().__init__(services)
        self._lock = threading.Lock()
        # By job: up to which event it was read, and what it told.
        self._read: dict[int, tuple[int, History]] = {}

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (self.runs, self.curves, self.move, self.remove)
        return {method.__name__: guarded(method) for method in methods}

    async def runs(self, asked: Reply) -> Reply:
        """All training runs, the newest first."""

        def act() -> Reply:
            self._jobs.look()
            return {"runs": [self._row(job) for job in list_runs(self._jobs)]}

        return await self._run(act)

    def _row(self, job: Job) -> Reply:
        history = self._history(job.id)
        best = history.best or {}
        figures = {"score": best.get("score"), "loss": best.get("dev_loss")}
        fit = history.result.get("fit") if job.state == "done" else None
        return {**to_run(job), **figures, "speed": history.rows_per_second, "fit": fit}

    async def curves(self, asked: Reply) -> Reply:
        """A figure's curve of each of a few runs."""
        figure, ids = asked.get("figure"), _ids(asked)
        if figure not in (*STEP_FIGURES, *_OF_DEV) or len(ids) > MOST_COMPARED:
            raise Bad("not_understood")

        def act() -> Reply:
            jobs = [self._find({"id": one}) for one in ids]
            return {
                "curves": [
                    {
                        "id": job.id,
                        "name": to_run(job)["name"],
                        "points": thinned(self._history(job.id).curve(figure), _MOST_POINTS),
                    }
                    for job in jobs
                ]
            }

        return await self._run(act)

    async def move(self, asked: Reply) -> Reply:
        """Puts a queued run at another place of the queue."""
        place = number_of(asked, "place")

        def act() -> Reply:
            return {"run": to_run(self._jobs.move(self._find(asked).id, place))}

        return await self._run(act)

    async def remove(self, asked: Reply) -> Reply:
        """Deletes runs with all their files; those that are at work or queued stay."""
        ids = _ids(asked)

        def act() -> Reply:
            over = [job for job in map(self._find, ({"id": one} for one in ids)) if _is_over(job)]
            for job in over:
                self._jobs.remove(job.id)
            return {"removed": [job.id for job in over]}

        return await self._run(act)

    def _history(self, job_id: int) -> History:
        """What the job told until now; only what is new is read."""
        with self._lock:
            after, history = self._read.get(job_id, (0, History()))
            while found := self._jobs.events(job_id, after):
                for one in found:
                    history.add(one.data)
                after = found[-1].number
            self._read[job_id] = after, history
            return history


def _is_over(job: Job) -> bool:
    return job.state not in ("queued", "running", "paused")


def _ids(asked: Reply) -> list[int]:
    ids = asked.get("ids")
    if not isinstance(ids, list) or len(ids) > 1000:
        raise Bad("not_understood")
    return list(dict.fromkeys(number_of({"id": one}, "id") for one in ids))
