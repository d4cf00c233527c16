"""The Teacher view: a model answers what nobody has answered yet, as a job that goes on by itself.
Every argument comes from a stranger. The desk knows no gradio and no server; the job asks.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import gradio as gr

from db.dataset.visible import visible
from db.store import Wanted
from engine.teacher import KEY, KEY_URL, TeacherError, read_key
from trainer.jobs.kinds import JobError
from trainer.jobs.queue import Jobs
from ui.desk import Bad, Reply, Served, guarded, number_of, text_of
from ui.label.jobs import import_of, pace_of, to_job, to_request
from ui.label.writing import WritingDesk
from ui.page import read_page, read_script
from ui.pairs import work_pair
from ui.services import Services
from ui.strings import STRINGS

KINDS = ("teacher", "sentences", "translations")
_SCRIPTS = (
    "language", "part", "pair", "label/part", "label/teacher/came", "label/teacher/jobs",
    "label/teacher/start",
)  # fmt: skip
_SHOWN = 20  # jobs, and requests that were set aside
_MOST_LOG = 6000  # characters of a log's end
_LONGEST_WAIT = 15.0  # seconds for a server's list of models


def build_teacher(services: Services) -> None:
    """The view, inside the Blocks at hand. Jobs whose process is gone are noticed now."""
    if not services.access.hosted:
        services.jobs.look()
    known = "" if services.access.hosted else os.environ.get(KEY_URL, "").strip()
    served = {**TeacherDesk(services).served(), **WritingDesk(services).served()}
    gr.HTML(
        html_template=read_page("label/teacher"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="label-teacher",
        elem_classes="ctx-view",
        server_functions=list(served.values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted, "url": known, "key": KEY, "key_url": KEY_URL},
    )


class TeacherDesk:
    """One method for each thing the Teacher view's page may ask."""

    def __init__(self, services: Services):
        self._access, self._store = services.access, services.store
        self._jobs: Jobs = services.jobs

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (
            self.jobs,
            self.teach,
            self.wanted,
            self.models,
            self.wish,
            self.aside,
            self.tail,
        )
        return {method.__name__: guarded(method) for method in methods}

    async def jobs(self, asked: Reply) -> Reply:
        """The newest jobs of these kinds as they stand."""
        return await self._run(self._list)

    def _list(self) -> Reply:
        self._jobs.look()
        jobs = [job for job in self._jobs.list_jobs(limit=100) if job.kind in KINDS]
        return {"jobs": [to_job(job) for job in jobs[:_SHOWN]]}

    async def wanted(self, asked: Reply) -> Reply:
        """How many queries would be asked about."""
        who = text_of(asked, "model") or text_of(asked, "engine")
        source = "teacher" if text_of(asked, "model") else "model"
        wanted = Wanted(
            work_pair(asked), source, who, import_of(asked), asked.get("only_open") is True
        )
        return await self._run(lambda: {"count": self._store.requests.count_wanted(wanted)})

    async def teach(self, asked: Reply) -> Reply:
        """A new job; Bad where its recipe does not fit."""
        recipe: dict[str, Any] = {
            "pair": work_pair(asked),
            "only_open": asked.get("only_open") is True,
        }
        for name in ("url", "model", "engine"):
            if value := text_of(asked, name):
                recipe[name] = value
        if recipe.get("engine") not in (None, "shipped", "base"):
            raise Bad("bad_recipe")  # folders are named in the shell, not by strangers
        recipe |= pace_of(asked)
        recipe |= {"limit": number_of(asked, "limit"), "import_id": import_of(asked)}
        who = text_of(asked, "who")
        return await self._run(lambda: {"job": to_job(self._jobs.add("teacher", recipe, who))})

    async def models(self, asked: Reply) -> Reply:
        """The names of the models that a server has."""
        self._access.check_write()
        from engine.teacher import Teacher

        try:
            url = text_of(asked, "url")
            teacher = Teacher(url, "?", read_key(url), _LONGEST_WAIT)
            try:
                return {"models": list(await teacher.models())[:200]}
            finally:
                await teacher.close()
        except TeacherError as error:
            raise Bad(error.code, detail=str(error)[:300]) from None

    async def wish(self, asked: Reply) -> Reply:
        """Asks something of a job: pause, resume, stop, cancel, or to ask again what was set
        aside."""
        wish, job_id = text_of(asked, "wish"), number_of(asked, "id")
        if wish not in ("pause", "resume", "stop", "cancel", "ask_again"):
            raise Bad("not_understood")
        return await self._run(lambda: {"job": to_job(getattr(self._jobs, wish)(job_id))})

    async def aside(self, asked: Reply) -> Reply:
        """Requests of a job that were set aside, with the reason and what came back."""
        job_id, after = number_of(asked, "id"), number_of(asked, "after")

        def run() -> Reply:
            found = self._jobs.requests(job_id, "set_aside", after, _SHOWN)
            return {"requests": [to_request(one) for one in found]}

        return await self._run(run)

    async def tail(self, asked: Reply) -> Reply:
        """The end of a job's log."""
        job_id = number_of(asked, "id")
        return await self._run(lambda: {"text": visible(self._jobs.log(job_id).text[-_MOST_LOG:])})

    async def _run(self, work: Callable[[], Reply]) -> Reply:
        """`work` in a thread, at home only."""
        self._access.check_write()
        try:
            return await asyncio.to_thread(work)
        except (JobError, TeacherError) as error:
            raise Bad(error.code, detail=str(error)[:300]) from None
