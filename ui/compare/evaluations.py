"""Evaluations that were stored by jobs: which there are, their figures, their rows in any order.

Reads the files of the jobs' folders, the newest few kept in memory. Knows no gradio.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.dataset.visible import visible
from db.store import Job
from engine.sense import Query, context_words
from trainer.jobs.queue import Jobs
from ui.compare.texts import to_texts
from ui.desk import Bad, Reply
from ui.label.shape import to_pieces

KIND = "evaluate"
FIGURES, ANSWERS = "evaluation.json", "answers.jsonl"
SHOWN = ("all", "differ", "left", "right", "wrong")
ORDERS = ("worst", "best", "file")
PAGE = 50
_KEPT = 3  # evaluations in memory
_SAID = ("class", "zh", "members", "phrase_zh", "text")  # what makes two answers the same


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: what the job is, its figures, and each row with every model's answer."""

    job: Job
    told: Reply
    rows: Sequence[Reply]

    @property
    def pair(self) -> str:
        return str(self.told["split"].get("pair", "en-zh"))

    @property
    def task(self) -> str:
        return str(self.told["split"].get("task", "sense"))

    @property
    def models(self) -> list[Reply]:
        return self.told["models"]

    @property
    def shown(self) -> tuple[str, ...]:
        """What rows can be filtered by: a sentence has more than one right translation."""
        return SHOWN[:2] if self.task == "translation" else SHOWN


class Evaluations:
    """The evaluations of one home, over its jobs."""

    def __init__(self, jobs: Jobs):
        self._jobs = jobs
        self._lock = threading.Lock()
        self._read: OrderedDict[int, tuple[int, Evaluation]] = OrderedDict()

    def find(self, job_id: int) -> Job:
        """The job; Bad where it is none that evaluates."""
        job = self._jobs.get(job_id)
        if job.kind != KIND:
            raise Bad("unknown_value")
        return job

    def list_jobs(self, most: int = 500) -> list[Job]:
        """All jobs that evaluate, the newest first."""
        found: list[Job] = []
        before: int | None = None
        while len(found) < most and (page := self._jobs.list_jobs(before=before, limit=200)):
            found += [job for job in page if job.kind == KIND]
            before = page[-1].id
        return found[:most]

    def get(self, job_id: int) -> Evaluation:
        """What the job came to; Bad where it is not done or its files are not there."""
        job = self.find(job_id)
        file = self._jobs.folder(job.id) / FIGURES
        try:
            version = file.stat().st_mtime_ns
            with self._lock:
                kept = self._read.get(job.id)
                if kept is None or kept[0] != version:
                    kept = version, _read(job, file)
                    self._read[job.id] = kept
                self._read.move_to_end(job.id)
                while len(self._read) > _KEPT:
                    self._read.popitem(last=False)
                return kept[1]
        except (OSError, ValueError, KeyError, TypeError):
            raise Bad("no_evaluation") from None

    def figures(self, job: Job) -> Reply:
        """The job's figures alone, without its rows; {} where they are not there."""
        try:
            file = self._jobs.folder(job.id) / FIGURES
            return json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}


def choose_rows(rows: Sequence[Reply], left: int, right: int, shown: str, order: str) -> list[int]:
    """The numbers of the rows that are wanted, in the order that is wanted: the worst regressions
    from left to right first, the best gains first, or as they stand in the file."""
    chosen = [n for n, row in enumerate(rows) if _is_shown(row["answers"], left, right, shown)]
    if order == "file":
        return chosen
    sign = 1 if order == "worst" else -1
    return sorted(chosen, key=lambda n: sign * gain(rows[n], left, right))


def gain(row: Reply, left: int, right: int) -> float:
    """How much better the right model's answer to the row is, -1 to 1."""
    return row["answers"][right].get("worth", 0.0) - row["answers"][left].get("worth", 0.0)


def same(one: Reply, other: Reply) -> bool:
    """Whether two answers say the same."""
    return all(one.get(name) == other.get(name) for name in _SAID)


def count_rows(found: Evaluation, left: int, right: int) -> dict[str, int]:
    """How many rows each of the filters has."""
    return {
        name: sum(_is_shown(row["answers"], left, right, name) for row in found.rows)
        for name in found.shown
    }


def to_row(row: Reply, number: int, pair: str, models: Sequence[int]) -> Reply:
    """A row as the page gets it, with the answers of these models."""
    query = Query(row["context"], row["position"] or 0, pair)
    words = context_words(query.context, pair)
    return {
        "number": number,
        "context": row["context"],
        "position": row["position"],
        "pieces": to_pieces(query) if words else [visible(row["context"])],
        "reference": _shown_answer(row.get("reference") or {}),
        "fields": row.get("fields", []),
        "split_phrase": bool(row.get("split_phrase")),
        "answers": _beside([_shown_answer(row["answers"][i]) for i in models]),
    }


def _beside(answers: list[Reply]) -> list[Reply]:
    """Two translations, with what differs."""
    texts = [one.get("text") for one in answers]
    if len(texts) != 2 or None in texts:
        return answers
    return [one | told for one, told in zip(answers, to_texts(*texts))]


def _shown_answer(answer: Reply) -> Reply:
    texts = {key: visible(value) for key, value in answer.items() if isinstance(value, str)}
    return {**answer, **texts}


def _is_shown(answers: Sequence[Reply], left: int, right: int, shown: str) -> bool:
    one, other = answers[left], answers[right]
    if shown == "all":
        return True
    if shown == "differ":
        return not same(one, other)
    good = bool(one.get("right")), bool(other.get("right"))
    return good == {"left": (True, False), "right": (False, True), "wrong": (False, False)}[shown]


def _read(job: Job, file: Path) -> Evaluation:
    told: Any = json.loads(file.read_text(encoding="utf-8"))
    with (file.parent / ANSWERS).open(encoding="utf-8") as lines:
        rows = tuple(json.loads(line) for line in lines)
    count = len(told["models"])
    if any(len(row["answers"]) != count for row in rows):
        raise ValueError("a row has answers of other models")
    return Evaluation(job, told, rows)
