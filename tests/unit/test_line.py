"""A line to a server that is slow, busy or away, hours long, with a clock of its own."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

import pytest

from engine.teacher import TeacherError
from trainer.jobs.line import FIRST_WAIT, LONGEST_WAIT, MOST_FAILURES, Clock, Line


class FakeTime:
    """Seconds that pass only while everybody sleeps."""

    def __init__(self):
        self.at = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future]] = []
        self._order = count()
        self.clock = Clock(lambda: self.at, self.sleep)

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.at + seconds, next(self._order), future))
        await future

    async def run(self, *tasks):
        """The tasks' results, once all are done."""
        made = [asyncio.ensure_future(task) for task in tasks]
        while not all(task.done() for task in made):
            for _ in range(20):
                await asyncio.sleep(0)
            if self._sleepers and not all(task.done() for task in made):
                moment, _, future = heapq.heappop(self._sleepers)
                self.at = max(self.at, moment)
                if not future.done():
                    future.set_result(None)
        return await asyncio.gather(*made, return_exceptions=True)


class Server:
    """Fails as `fails(name, n)` says, a TeacherError or None; keeps when it was asked for what."""

    def __init__(self, time: FakeTime, fails, takes: float = 0.0):
        self.time, self.fails, self.takes = time, fails, takes
        self.asked: list[tuple[float, str]] = []

    def act(self, name: str = ""):
        async def ask():
            number = len(self.asked)
            self.asked.append((self.time.at, name))
            if self.takes:
                await self.time.sleep(self.takes)
            error = self.fails(name, number)
            if error:
                raise error
            return name

        return ask

    @property
    def moments(self) -> list[float]:
        return [moment for moment, _ in self.asked]


def run(fails, calls=1, takes=0.0, **settings):
    time = FakeTime()
    server = Server(time, fails, takes)
    line = Line(clock=time.clock, **settings)
    acts = [line.call(server.act(f"q{n}")) for n in range(calls)]
    return asyncio.run(time.run(*acts)), server, line


def test_requests_are_spaced():
    found, server, _ = run(lambda name, n: None, calls=5, rate=2.0)
    assert found == ["q0", "q1", "q2", "q3", "q4"]
    assert server.moments == pytest.approx([0, 0.5, 1, 1.5, 2])


def test_without_a_rate_all_leave_at_once():
    assert run(lambda name, n: None, calls=5)[1].moments == [0] * 5


def test_as_long_as_the_server_asks_for_nothing_is_sent():
    busy = TeacherError("busy", "slow down", 429, wait=12.0)
    found, server, line = run(lambda name, n: busy if n == 0 else None, calls=4, takes=1.0)
    assert found == ["q0", "q1", "q2", "q3"]
    assert sorted(server.moments)[4:] == [1 + 12], "three others were under way, one is repeated"
    assert line.trouble.busy == 1 and line.trouble.waiting == ""


def test_a_server_that_says_zero_seconds_again_and_again_is_not_hammered():
    busy = TeacherError("busy", "", 429, wait=0.0)
    _, server, _ = run(lambda name, n: busy if n < 100 else None)
    assert server.moments[-1] >= 100 * FIRST_WAIT


@pytest.mark.parametrize("code", ["down", "busy", "failed", "timeout"])
def test_hours_without_the_server_are_waited_for_one_look_at_a_time(code):
    hours = 8 * 3600
    time = FakeTime()
    away = TeacherError(code, "")
    server = Server(time, lambda name, n: away if time.at < hours else None, takes=0.1)
    line = Line(clock=time.clock)
    found = asyncio.run(time.run(*(line.call(server.act(f"q{n}")) for n in range(4))))
    assert sorted(found) == ["q0", "q1", "q2", "q3"], "none was given up"
    assert hours <= server.moments[-1] <= hours + LONGEST_WAIT + 1
    waits = [b - a - 0.1 for a, b in zip(server.moments[3:-4], server.moments[4:-3])]
    assert server.moments[:4] == [0] * 4
    assert waits[:6] == pytest.approx([1, 2, 4, 8, 16, 30])
    assert waits[6:] == pytest.approx([LONGEST_WAIT] * (len(waits) - 6)), "one at a time looks"
    assert getattr(line.trouble, code) > 900


def test_it_says_what_it_waits_for():
    time = FakeTime()
    line = Line(clock=time.clock)
    seen = []

    async def ask():
        seen.append((line.trouble.waiting, line.trouble.detail))
        if len(seen) < 3:
            raise TeacherError("down", "refused")
        return 1

    assert asyncio.run(time.run(line.call(ask))) == [1]
    assert seen == [("", ""), ("down", "refused"), ("down", "refused")]
    assert (line.trouble.waiting, line.wait_left) == ("", 0)


def test_one_that_always_fails_is_given_up_while_others_come_back():
    bad = TeacherError("failed", "crash", 500)
    time = FakeTime()
    server = Server(time, lambda name, n: bad if name == "bad" else None, takes=1.0)
    line = Line(clock=time.clock)

    async def others():
        for _ in range(60):
            await line.call(server.act("good"))

    first, second = asyncio.run(time.run(line.call(server.act("bad")), others()))
    assert first is bad and second is None
    assert sum(name == "bad" for _, name in server.asked) <= MOST_FAILURES + 1


def test_one_that_always_fails_alone_is_given_up_too():
    bad = TeacherError("timeout", "slow")
    found, server, _ = run(lambda name, n: bad, alone=lambda: True)
    assert found == [bad] and len(server.asked) == MOST_FAILURES


@pytest.mark.parametrize("code", ["refused", "unauthorized", "no_model", "moved"])
def test_what_cannot_get_better_is_not_repeated(code):
    bad = TeacherError(code, "")
    found, server, line = run(lambda name, n: bad)
    assert found == [bad] and len(server.asked) == 1 and line.trouble.waiting == ""


def test_while_paused_nothing_leaves():
    async def paused():
        time = FakeTime()
        server = Server(time, lambda name, n: None)
        line = Line(clock=time.clock)
        line.pause()
        task = asyncio.create_task(line.call(server.act("x")))
        for _ in range(50):
            await asyncio.sleep(0)
        assert server.asked == []
        line.resume()
        return await task

    assert asyncio.run(paused()) == "x"


def test_a_request_that_is_cancelled_while_it_looks_lets_another_look():
    async def cancelled():
        time = FakeTime()
        line = Line(clock=time.clock)
        line.trouble.waiting = "down"
        stuck = asyncio.create_task(line.call(asyncio.Event().wait))
        other = asyncio.create_task(line.call(Server(time, lambda name, n: None).act("x")))
        await asyncio.sleep(0.01)
        assert not other.done()
        stuck.cancel()
        return await asyncio.wait_for(other, 1)

    assert asyncio.run(cancelled()) == "x"
