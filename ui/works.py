"""Work that a page starts and then asks about: it runs on a thread, however long the page stays.

Knows no gradio and no store; what a piece of work returns is plain JSON.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ui.desk import Bad, Reply

_AT_ONCE = 3
_KEPT = 50  # pieces that can still be asked about
_PATIENCE = 0.8  # seconds that a first answer waits: most pieces are done by then


@dataclass
class Work:
    """One piece: `done` of `total` rows, and at the end what it gave or why it failed."""

    id: str
    total: int
    done: int = 0
    reply: Reply | None = None
    error: Exception | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def tick(self, done: int) -> None:
        self.done = done


class Works:
    """All pieces by id; the newest are kept."""

    def __init__(self) -> None:
        self._works: dict[str, Work] = {}

    async def start(self, act: Callable[[Work], Reply], total: int = 0) -> Reply:
        """Begin a piece; its reply where it is quick, else how far it is. Bad("busy") where there
        is as much at work as there may be."""
        if sum(not work.ended.is_set() for work in self._works.values()) >= _AT_ONCE:
            raise Bad("busy")
        work = Work(secrets.token_hex(8), total)
        self._works[work.id] = work
        while len(self._works) > _KEPT:
            self._works.pop(next(iter(self._works)))
        threading.Thread(target=_run, args=(work, act), daemon=True).start()
        await asyncio.to_thread(work.ended.wait, _PATIENCE)
        return told(work)

    def ask(self, work_id: str) -> Reply:
        """How far a piece is, or its reply; raises what it raised. Bad where it is not known."""
        work = self._works.get(work_id)
        if work is None:
            raise Bad("work_gone")
        return told(work)


def told(work: Work) -> Reply:
    """The work's reply, or how far it is; raises what it raised."""
    if not work.ended.is_set():
        return {"work": work.id, "done": work.done, "total": work.total}
    if work.error:
        raise work.error
    return work.reply or {}


def _run(work: Work, act: Callable[[Work], Reply]) -> None:
    try:
        work.reply = act(work)
    except Exception as error:  # told to whoever asks, by the desk's guard
        work.error = error
    finally:
        work.ended.set()
