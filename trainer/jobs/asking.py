"""Ask all of a job's requests: so many at once, at a chosen rate, until none waits or the job is
asked to end. Each end is stored at once, so only what is in flight can be lost.

Knows no server and no model: what answers is given.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from db.store import Refused, Request, Totals
from engine.sense import QueryError
from trainer.jobs.line import REAL, Clock, Line, Trouble
from trainer.jobs.work import Work

LOOK = 0.25  # seconds between looks at what is asked of the job
_REPORT = 1.0  # seconds between reports
_BATCH = 200  # requests read at once
_RECENT = 50  # ends that the speed is measured over

Ask = Callable[[Request, Line], Awaitable[None]]
"""Asks one request and stores its end; Refused where it cannot be stored."""


class Asking:
    """The requests of one job on their way."""

    def __init__(
        self,
        work: Work,
        ask: Ask,
        concurrency: int,
        rate: float = 0.0,
        clock: Clock = REAL,
    ):
        self._work, self._ask, self._concurrency = work, ask, concurrency
        self._clock = clock
        before = work.job.figures
        self.line = Line(rate, self._alone, clock, _trouble(before))
        self._left: deque[Request] = deque()
        self._after = 0  # requests up to this number were begun
        self._dry = False
        self._elapsed = float(before.get("elapsed", 0.0))
        self._looked = self._reported = clock.now()
        self._ends: deque[float] = deque(maxlen=_RECENT)
        self._report_every = _REPORT

    async def run(self) -> bool:
        """Whether all is asked; False where the job was asked to end before. What a worker raises
        ends all of them."""
        self._report()
        workers = [asyncio.create_task(self._work_off()) for _ in range(self._concurrency)]
        try:
            while not all(worker.done() for worker in workers):
                await asyncio.wait(workers, timeout=LOOK, return_when=asyncio.FIRST_EXCEPTION)
                for worker in workers:
                    if worker.done():
                        worker.result()
                if not self._look():
                    return False
            return True
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            with suppress(Refused):  # the job may be another process's now
                self._report()

    def _look(self) -> bool:
        """Do what is asked of the job; whether it goes on."""
        wish, now = self._work.wish(), self._clock.now()
        if wish in ("stop", "cancel"):
            return False
        if wish == "pause":
            self.line.pause()
        else:
            self.line.resume()
            self._elapsed += now - self._looked
        self._work.set_paused(wish == "pause")
        self._looked = now
        if now - self._reported >= self._report_every:
            self._report()
        return True

    async def _work_off(self) -> None:
        while (request := self._next()) is not None:
            try:
                await self._ask(request, self.line)
            except Refused as error:
                if error.code != "request_over":
                    raise
            self._ends.append(self._clock.now())

    def _next(self) -> Request | None:
        if not self._left and not self._dry:
            store, job_id = self._work.store, self._work.job.id
            self._left.extend(store.requests.waiting(job_id, self._after, _BATCH))
            self._dry = not self._left
        if not self._left:
            return None
        request = self._left.popleft()
        self._after = request.number
        return request

    def _alone(self) -> bool:
        """Whether none is left to begin: then no other can show that the server is well."""
        return not self._left and self._dry

    def _report(self) -> None:
        start = self._clock.now()
        totals = self._work.store.requests.totals(self._work.job.id)
        self._reported = self._clock.now()
        # Of a million requests counting takes a while.
        self._report_every = max(_REPORT, 20 * (self._reported - start))
        figures = self._figures(totals)
        self._work.report(totals.total - totals.waiting, totals.total, figures)

    def _figures(self, totals: Totals) -> Mapping[str, Any]:
        """What is shown of the job. `seconds` is what all answers took, `elapsed` how long the job
        was at work."""
        speed = self._speed()
        return {
            **asdict(totals),
            "elapsed": round(self._elapsed, 1),
            "per_minute": round(60 * speed, 1),
            "left_seconds": round(totals.waiting / speed) if speed else None,
            "trouble": asdict(self.line.trouble),
            "again_in_seconds": round(self.line.wait_left, 1),
        }

    def _speed(self) -> float:
        """Requests a second, over the last ones that ended; 0.0 where too few did."""
        if len(self._ends) < 2:
            return 0.0
        span = self._clock.now() - self._ends[0]
        return (len(self._ends) - 1) / span if span > 0 else 0.0


def store_end(work: Work, request: Request, keep: Callable[[], Any], aside: Callable[[str], Any]):
    """Keep an answer; what the store refuses of it is set aside with the reason."""
    try:
        keep()
    except (Refused, QueryError) as error:
        if error.code in ("job_lost", "request_over"):
            raise
        work.say(f"request {request.number} set aside: {error}")
        aside(str(error))


def _trouble(figures: Mapping[str, Any]) -> Trouble:
    """What went wrong before a job was resumed counts on."""
    known = figures.get("trouble", {})
    return Trouble(**{name: known.get(name, 0) for name in ("busy", "down", "timeout", "failed")})
