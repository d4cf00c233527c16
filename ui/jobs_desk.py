"""What the desks over jobs share: who may ask, work on threads, errors by their code.
Knows no gradio.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from trainer.jobs.queue import Jobs
from ui.desk import Reply, named, text_of
from ui.services import Services
from ui.works import Work, Works


class JobsDesk:
    """A desk over jobs, at home only; `works` are pieces that take some seconds."""

    def __init__(self, services: Services):
        self._access, self._store = services.access, services.store
        self._settings = services.settings
        self._jobs: Jobs = services.jobs
        self._works = Works()

    async def work(self, asked: Reply) -> Reply:
        """How far something is that was begun here, or what came of it."""
        self._access.check_write()
        return self._works.ask(text_of(asked, "work"))

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
