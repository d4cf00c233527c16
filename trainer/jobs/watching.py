"""A job live in a terminal, whoever started it: what it tells as lines, and below them one line
that says how far it is; where no terminal reads, only what the job has become.

Ctrl-C ends the watching, never the job; one that is over is shown to its end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from trainer.history import DEV_FIGURES, TRANSLATION_FIGURES, Event, is_number
from trainer.jobs.commands import progress_of, state_of

if TYPE_CHECKING:
    from db.store import Job
    from trainer.jobs.queue import Jobs

_SECONDS = 0.5  # between looks
_BARS, _CURVE = "▁▂▃▄▅▆▇█", 32  # a curve of so many last losses
_GOING = ("queued", "running", "paused")
_QUIET = ("event", "step", "steps", "best", "low", "high")  # figures that have no name of their own


def watch_job(jobs: Jobs, job_id: int, out: TextIO = sys.stdout) -> int:
    """Show the job until no process has it and none will; 0 where it is done, 1 where it ended in
    another way, 130 where somebody stopped watching. Refused where there is no such job."""
    screen, after = _Screen(out), 0
    job = jobs.get(job_id)
    screen.say(f"job {job.id}: {job.kind} {job.recipe.get('name', '')}".rstrip())
    try:
        while True:
            jobs.look()
            job = jobs.get(job_id)  # before its events: what it tells at its end is not missed
            while told := jobs.events(job_id, after):
                screen.take(one.data for one in told)
                after = told[-1].number
            screen.show(job)
            if job.state not in _GOING:
                return screen.end(0 if job.state == "done" else 1)
            time.sleep(_SECONDS)
    except KeyboardInterrupt:
        screen.end(130)
        print(f"job {job_id} goes on; python -m trainer stop {job_id} stops it", file=sys.stderr)
        return 130


@dataclass
class _Screen:
    """Lines, and on a terminal one below them that is written over."""

    out: TextIO
    losses: list[float] = field(default_factory=list)
    _status: str = ""

    def say(self, text: str) -> None:
        self._wipe()
        print(text, file=self.out, flush=True)
        if self.out.isatty():
            self._status = ""

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.get("event") == "step" and is_number(event.get("loss")):
                self.losses = [*self.losses, event["loss"]][-_CURVE:]
            if text := line_of(event):
                self.say(text)

    def show(self, job: Job) -> None:
        """Say how the job stands, where that has changed."""
        if self.out.isatty():
            parts = [state_of(job), progress_of(job), curve_of(self.losses)]
            text = " · ".join(part for part in parts if part)
        else:
            text = state_of(job)
        if text != self._status:
            self._wipe()
            print(text, file=self.out, end="" if self.out.isatty() else "\n", flush=True)
            self._status = text

    def end(self, code: int) -> int:
        if self._status and self.out.isatty():
            print(file=self.out, flush=True)
        return code

    def _wipe(self) -> None:
        if self._status and self.out.isatty():
            print("\r\x1b[2K", file=self.out, end="")


def line_of(event: Event) -> str:
    """One thing that a job told, in a line; "" where there is nothing to show."""
    kind = str(event.get("event", ""))
    at = f"step {event['step']}" if "step" in event else ""
    if kind == "step":
        of = f"{at} of {event.get('steps', '?')}"
        return _joined(of, _figures(event, ("loss", "rate", "rows_per_second", "memory_gb")))
    if kind == "dev":
        best = "best so far" if event.get("best") else ""
        return _joined(
            f"{at}: evaluated", _figures(event, (*DEV_FIGURES, *TRANSLATION_FIGURES)), best
        )
    if kind == "said":
        return str(event.get("text", ""))
    if kind == "form":
        return f"{event.get('done', 0) + 1} of {event.get('of', '?')}, {event.get('form', '')}"
    if kind == "scores":
        return _joined(f"scores, {event.get('scores')}", _figures(_values(event), None))
    plain = {k: v for k, v in event.items() if isinstance(v, str | int | float | bool)}
    return _joined(_joined(at, kind.replace("_", " ")), _figures(plain, None)) if kind else ""


def curve_of(values: Iterable[float]) -> str:
    """Numbers as a curve of eight heights; "" where there are fewer than two."""
    told = list(values)
    if len(told) < 2:
        return ""
    low, high = min(told), max(told)
    top = len(_BARS) - 1
    return "".join(_BARS[round((one - low) / ((high - low) or 1) * top)] for one in told)


def _values(event: Event) -> dict[str, Any]:
    """Each figure of an evaluation without its interval."""
    return {k: v["value"] for k, v in event.items() if isinstance(v, Mapping) and "value" in v}


def _figures(event: Event, names: Iterable[str] | None) -> str:
    """`loss 1.23, …` of these figures, of all where there are no names."""
    chosen = [name for name in event if name not in _QUIET] if names is None else names
    told = {name: event[name] for name in chosen if event.get(name) is not None}
    return ", ".join(
        f"{name.replace('_', ' ')} {_short(value)}" for name, value in told.items() if value != ""
    )


def _short(value: Any) -> str:
    return f"{value:.4g}" if is_number(value) else str(value)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
