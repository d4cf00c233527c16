"""What the desks of the Train tab share: who may ask, which jobs are theirs, errors by their code.
Knows no gradio.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from db.store import Job
from trainer.jobs.queue import Jobs
from ui.desk import Bad, Reply, named, number_of, text_of
from ui.label.works import Work, Works
from ui.services import Services


class Desk:
    """A desk over training jobs; `works` are pieces that take some seconds."""

    def __init__(self, services: Services):
        self._access, self._store = services.access, services.store
        self._settings = services.settings
        self._jobs: Jobs = services.jobs
        self._works = Works()

    async def work(self, asked: Reply) -> Reply:
        """How far something is that was begun here, or what came of it."""
        self._access.check_write()
        return self._works.ask(text_of(asked, "work"))

    def _find(self, asked: Reply) -> Job:
        """The training run that is meant."""
        job = self._jobs.get(number_of(asked, "id"))
        if job.kind != "train":
            raise Bad("unknown_value")
        return job

    async def _run(self, act: Callable[[], Reply]) -> Reply:
        """`act` in a thread, at home only."""
        self._access.check_write()
        return await asyncio.to_thread(named, act)

    async def _begin(self, act: Callable[[], Reply]) -> Reply:
        """`act` on a thread that the page asks about, at home only."""
        self._access.check_write()

        def run(work: Work) -> Reply:
            return named(act)

        return await self._works.start(run)
