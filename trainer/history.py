"""A run's events as what people look at: curves, marks on them, plan and result. Pure.

A run that was killed goes on from its checkpoint and takes some steps again: of a step that was
taken twice, the second time counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Event = Mapping[str, Any]
# What events of steps and of dev evaluations may tell, in the order in which it is shown.
STEP_FIGURES = ("loss", "rate", "rows_per_second", "memory_gb", "kept_share")
DEV_FIGURES = (
    "dev_loss", "score", "meaning_match", "class_accuracy", "phrase_f1", "phrase_precision",
    "phrase_recall", "rouge_1", "rouge_2", "rouge_l", "base_embedding_f1", "valid", "ended",
)  # fmt: skip
SPEED_FIGURES = ("answer_ms",)  # of dev evaluations, too, but no shares
TRANSLATION_FIGURES = ("chrf", "bleu", "ter")  # the same, of sentences: 0 to 100
EVALUATED = (*DEV_FIGURES, *TRANSLATION_FIGURES, *SPEED_FIGURES)
LOWER_IS_BETTER = ("dev_loss", "ter", *SPEED_FIGURES)
MADE = ("taught", "layers", "student")  # what a distillation tells before its first step
MARKS = ("rollback", "given_up", "resumed", "stopped", "early")


@dataclass
class History:
    """What a run has told so far; `add` takes its events in order."""

    plan: Event = field(default_factory=dict)
    result: Event = field(default_factory=dict)
    steps: list[Event] = field(default_factory=list)
    devs: list[Event] = field(default_factory=list)
    marks: list[Event] = field(default_factory=list)
    errors: list[Event] = field(default_factory=list)
    made: dict[str, Event] = field(default_factory=dict)  # of a student, by the kind of event
    left_out: Event = field(default_factory=dict)  # a figure that could not be had, and why

    def add(self, event: Event) -> None:
        """Take in the run's next event; what is not known is passed over."""
        kind = event.get("event")
        if kind == "resumed":
            step = event.get("step", 0)
            self.steps = [one for one in self.steps if one.get("step", 0) <= step]
            self.devs = [one for one in self.devs if one.get("step", 0) <= step]
            self.errors = [one for one in self.errors if one.get("step", 0) <= step]
        if kind == "step":
            self.steps.append(event)
        elif kind == "dev":
            self.devs.append(event)
        elif kind == "errors":
            self.errors.append(event)
        elif kind in MADE:
            self.made[kind] = event
        elif kind == "left_out":
            self.left_out = event
        elif kind in MARKS:
            self.marks.append(event)
        elif kind == "plan":
            self.plan = event
        elif kind == "result":
            self.result = event

    @property
    def best(self) -> Event | None:
        """The evaluation whose weights the run keeps; None before the first."""
        return next((one for one in reversed(self.devs) if one.get("best")), None)

    @property
    def rows_per_second(self) -> float | None:
        """The median over the steps that were told; None before the first."""
        speeds = sorted(y for _, y in self.curve("rows_per_second"))
        return speeds[len(speeds) // 2] if speeds else None

    def curve(self, name: str) -> list[tuple[int, float]]:
        """Step and value wherever this figure was taken."""
        events = self.steps if name in STEP_FIGURES else self.devs
        return [(e["step"], e[name]) for e in events if is_number(e.get(name)) and "step" in e]


@dataclass(frozen=True)
class Change:
    """A figure of one evaluation, and how far it is from the one before and from the best until
    then; None at the first."""

    step: int
    figure: str
    value: float
    previous: float | None
    best: float | None


def changes(history: History, figure: str, lower_is_better: bool = False) -> list[Change]:
    """A figure of every evaluation beside the evaluation before it and the best before it."""
    found: list[Change] = []
    seen: list[float] = []
    for step, value in history.curve(figure):
        best = (min if lower_is_better else max)(seen) if seen else None
        found.append(Change(
            step, figure, value,
            value - seen[-1] if seen else None, value - best if best is not None else None,
        ))  # fmt: skip
        seen.append(value)
    return found


def trend(history: History, figure: str, last: int = 5) -> float | None:
    """By how much a figure changes from one evaluation to the next, on a line through the last few;
    None before the third."""
    points = [y for _, y in history.curve(figure)][-last:]
    if len(points) < 3:
        return None
    middle, mean = (len(points) - 1) / 2, sum(points) / len(points)
    spread = sum((x - middle) ** 2 for x in range(len(points)))
    return sum((x - middle) * (y - mean) for x, y in enumerate(points)) / spread


def read_history(events: Iterable[Event]) -> History:
    """The history that these events tell."""
    history = History()
    for event in events:
        history.add(event)
    return history


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def thinned(points: list[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """At most about `most` of the points: of each stretch its lowest and its highest, so that no
    spike is lost, and the first and last of all."""
    if len(points) <= most:
        return points
    size = -(-len(points) // max(1, most // 2 - 1))
    kept = [points[0]]
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        ends = {min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])}
        kept += sorted(ends - set(kept[-1:]))
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]
