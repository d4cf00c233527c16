"""A job's requests on their way, with a clock of its own: what is told of its speed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from db.store import Totals
from tests.unit.test_line import FakeTime
from trainer.jobs.asking import Asking


def test_speed_and_what_is_left_are_told():
    """Ten of forty requests, one a second."""
    time, told = FakeTime(), []
    requests = [SimpleNamespace(number=n) for n in range(1, 11)]
    table = SimpleNamespace(
        waiting=lambda job_id, after, limit: requests[after:],
        totals=lambda job_id: Totals(30, 10, 0, 0, 0, 0, 0, 0.0),
    )
    work = SimpleNamespace(
        job=SimpleNamespace(id=1, figures={"elapsed": 5.0}),
        store=SimpleNamespace(requests=table),
        wish=lambda: "",
        set_paused=lambda paused: None,
        report=lambda done, total, figures: told.append(figures),
    )

    async def ask(request, line):
        async def answer():
            return request

        await line.call(answer)

    asking = Asking(work, ask, concurrency=4, rate=1.0, clock=time.clock)
    assert asyncio.run(time.run(asking.run())) == [True]
    assert told[0]["left_seconds"] is None and told[0]["per_minute"] == 0
    assert told[-1]["per_minute"] == 60 and told[-1]["left_seconds"] == 30
    assert told[-1]["elapsed"] == pytest.approx(5 + 9), "it counts on"
