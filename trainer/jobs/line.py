"""A line to something that may be slow, busy or away: requests are spaced, and repeated for as long
as it takes. While it is away one request at a time looks whether it is back.

Knows no HTTP and no jobs. The clock is given, so that hours can be tested in no time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from engine.teacher import TeacherError

T = TypeVar("T")
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0  # seconds between tries while nothing comes back
MOST_FAILURES = 8  # of one request, while others come back


@dataclass(frozen=True)
class Clock:
    """Seconds that pass, and how to wait for some."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


REAL = Clock()


@dataclass
class Trouble:
    """How often the other end was busy, away, slow or failing, and why it is waited for now."""

    busy: int = 0
    down: int = 0
    timeout: int = 0
    failed: int = 0
    waiting: str = ""  # a code of these, or "" while all goes well
    detail: str = ""


class Line:
    """One line for all requests of a job. `alone` says that no other request is left to be tried;
    `rate` is the most requests a second, 0 for as many as can be."""

    def __init__(
        self,
        rate: float = 0.0,
        alone: Callable[[], bool] = lambda: False,
        clock: Clock = REAL,
        trouble: Trouble | None = None,
    ):
        self._gap = 1.0 / rate if rate else 0.0
        self._alone, self._clock = alone, clock
        self.trouble = trouble or Trouble()
        self._next = 0.0  # when the next request may leave
        self._held_until = self._held_at = float("-inf")
        self._wait = 0.0  # how long the last hold was
        self._successes = 0
        self._open = asyncio.Event()
        self._open.set()
        self._probe = asyncio.Lock()

    def pause(self) -> None:
        """Let no further request leave; those under way come back."""
        self._open.clear()

    def resume(self) -> None:
        self._open.set()

    @property
    def wait_left(self) -> float:
        """Seconds until something is tried again, 0 while all goes well."""
        return max(0.0, self._held_until - self._clock.now()) if self.trouble.waiting else 0.0

    async def call(self, act: Callable[[], Awaitable[T]]) -> T:
        """What `act` gives, tried again while it fails for a reason that may pass. TeacherError
        where it is at fault itself: refused, or failing again and again while others do not."""
        failures, seen = 0, self._successes
        while True:
            try:
                return await self._try(act)
            except TeacherError as error:
                if error.fatal or error.code == "refused":
                    raise
                others, seen = self._successes > seen or self._alone(), self._successes
                if error.code in ("failed", "timeout") and others:
                    failures += 1
                    if failures >= MOST_FAILURES:
                        raise

    async def _try(self, act: Callable[[], Awaitable[T]]) -> T:
        async with _Held(self._probe) as probe:
            await self._leave(probe)
            left = self._clock.now()
            try:
                found = await act()
            except TeacherError as error:
                self._fail(error, left)
                raise
            self._succeed(left)
            return found

    async def _leave(self, probe: _Held) -> None:
        """Wait until this request may leave: not paused, not held back, spaced from the last; and
        while the other end is away, alone."""
        while True:
            await self._open.wait()
            now = self._clock.now()
            if now < self._held_until:
                await self._clock.sleep(self._held_until - now)
            elif self.trouble.waiting and not probe.held:
                await probe.hold()
            elif now < self._next:
                await self._clock.sleep(self._next - now)
            else:
                if not self.trouble.waiting:
                    probe.release()
                self._next = now + self._gap
                return

    def _succeed(self, left: float) -> None:
        self._successes += 1
        if left >= self._held_at:
            self.trouble.waiting = self.trouble.detail = ""
            self._wait = 0.0

    def _fail(self, error: TeacherError, left: float) -> None:
        if error.code in ("busy", "down", "timeout", "failed"):
            setattr(self.trouble, error.code, getattr(self.trouble, error.code) + 1)
            self._hold(error, left)

    def _hold(self, error: TeacherError, left: float) -> None:
        """Hold all requests back: as long as is asked for, or twice as long as last time. Of those
        that were under way together only the first counts."""
        now = self._clock.now()
        if left >= self._held_at:
            self._wait = min(LONGEST_WAIT, self._wait * 2 or FIRST_WAIT)
            self._held_at = now
        # Some say "after 0 seconds" again and again.
        wait = self._wait if error.wait is None else max(error.wait, FIRST_WAIT)
        self._held_until = max(self._held_until, now + wait)
        self.trouble.waiting, self.trouble.detail = error.code, str(error)


class _Held:
    """A lock that is held for a part of a block, and given back at its end."""

    def __init__(self, lock: asyncio.Lock):
        self._lock = lock
        self.held = False

    async def hold(self) -> None:
        await self._lock.acquire()
        self.held = True

    def release(self) -> None:
        if self.held:
            self._lock.release()
            self.held = False

    async def __aenter__(self) -> _Held:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()
