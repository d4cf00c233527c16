"""A run as its job tells of it: each event kept in the database and the log, and of some of them
what the job's row shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.bench.run import machine_of
from trainer.jobs.work import Work, is_over

# What a job's row shows of an event.
_SHOWN = {
    "plan": ("rows", "parameters"),
    "step": ("loss", "kept", "rows_per_second", "left_seconds", "memory_gb"),
    "dev": ("dev_loss", "score"),
    "scoring": ("scoring", "of"),
    "result": ("fit", "reason"),
}


class Watched:
    """A run as its job tells of it."""

    def __init__(self, work: Work):
        self._work = work
        self._figures: dict[str, Any] = dict(work.job.figures)
        self._done, self._total = work.job.done, work.job.total

    def stopped(self) -> bool:
        """Whether the job is asked to end; waits while it is asked to wait."""
        return is_over(self._work)

    def report(self, event: Mapping[str, Any]) -> None:
        """Keep an event, and what the job's row shows of it; with a plan, on what machine it is."""
        work, kind = self._work, str(event.get("event"))
        if kind == "plan":
            event = {**event, "environment": machine_of()}
        work.store.events.tell(work.job.id, work.process, event)
        work.say(json.dumps(event, ensure_ascii=False))
        if kind in ("step", "plan"):
            self._done, self._total = event.get("step", self._done), event["steps"]
        self._figures |= {name: event[name] for name in _SHOWN.get(kind, ()) if name in event}
        if kind == "dev" and event.get("best"):
            best = {"best": event.get("score"), "best_loss": event["dev_loss"]}
            self._figures |= best | {"best_step": event["step"]}
        if kind in _SHOWN:
            work.report(self._done, self._total, self._figures)
