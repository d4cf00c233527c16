"""Whether a model may take the place of the one that readers have: what its run found, and how the
two differ on rows that no training saw. Reads what evaluations came to; loads no weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from db.store import Job, Store
from engine.settings import Settings
from trainer.catalogue import Model
from trainer.jobs.process import job_folder

EVALUATE, FILE = "evaluate", "evaluation.json"
_MOST_LOOKED_AT = 2000  # jobs, the newest first
# What decides, by task: the first of these that was measured.
_DECIDES = {"sense": ("right",), "translation": ("chrf", "chrfpp", "bleu")}
_NOR_WORSE = ("class_accuracy", "meaning_match", "phrase_f1")  # in which it may not be worse either
_SHOWN = {
    "sense": ("right", "class_accuracy", "meaning_match", "phrase_f1", "phrase_exact"),
    "translation": ("chrf", "chrfpp", "bleu", "ter"),
}


@dataclass(frozen=True)
class Difference:
    """One figure of both; `value` is the new one's less the present one's, with its interval."""

    figure: str
    present: float
    new: float
    value: float
    low: float
    high: float
    lower_is_better: bool = False

    @property
    def worse(self) -> bool:
        """Beyond the interval."""
        return self.low > 0 if self.lower_is_better else self.high < 0

    @property
    def better(self) -> bool:
        return self.high < 0 if self.lower_is_better else self.low > 0


@dataclass(frozen=True)
class Compared:
    """What one evaluation says of the two, on the test rows of a dataset. The first difference
    decides; none of those that make it up may be worse."""

    job: int
    dataset: str
    rows: int
    sentences: int
    differences: tuple[Difference, ...]

    @property
    def losses(self) -> tuple[Difference, ...]:
        """What makes the new one worse."""
        first, *more = self.differences
        return tuple(
            one for one in (first, *(d for d in more if d.figure in _NOR_WORSE)) if one.worse
        )

    @property
    def worse(self) -> bool:
        return bool(self.losses)

    def told(self) -> dict[str, Any]:
        return {
            "job": self.job, "dataset": self.dataset, "rows": self.rows,
            "sentences": self.sentences, "worse": self.worse,
            "differences": [
                vars(one) | {"worse": one.worse, "better": one.better} for one in self.differences
            ],
        }  # fmt: skip


@dataclass(frozen=True)
class Weighed:
    """What stands against a model (not_fit, worse, not_compared), and the comparisons with the one
    that readers have, the newest first: of each dataset the newest, and before it each in which the
    model is worse, on more rows than any later one had."""

    against: tuple[str, ...]
    compared: tuple[Compared, ...]
    fit_reason: str = ""

    @property
    def newest(self) -> Compared | None:
        """The comparison to be shown first: one in which the model is worse, if any."""
        worse = [one for one in self.compared if one.worse]
        return next(iter(worse or self.compared), None)

    def told(self) -> dict[str, Any]:
        return {
            "against": list(self.against), "fit_reason": self.fit_reason,
            "compared": [one.told() for one in self.compared],
        }  # fmt: skip


def weigh(model: Model, present: Model, store: Store, settings: Settings) -> Weighed:
    """What is known of `model` beside `present`, which readers have."""
    compared: list[Compared] = []
    most: dict[str, int] = {}  # rows of the largest so far, by dataset
    for job in _evaluations(store, model, present):
        found = read_compared(job, model, present, settings)
        if found is None:
            continue
        if found.dataset not in most or (found.worse and found.rows > most[found.dataset]):
            compared.append(found)
        most[found.dataset] = max(found.rows, most.get(found.dataset, 0))
    against = []
    if model.fit is False:
        against.append("not_fit")
    if any(one.worse for one in compared):
        against.append("worse")
    if not compared:
        against.append("not_compared")
    reason = model.reason if model.fit is False else ""
    return Weighed(tuple(against), tuple(compared), reason)


def _evaluations(store: Store, model: Model, present: Model) -> Iterator[Job]:
    """Evaluations on test rows that had both versions, the newest first."""
    seen, before = 0, None
    while seen < _MOST_LOOKED_AT and (page := store.jobs.list_jobs(("done",), before, 200)):
        for job in page:
            versions = job.figures.get("versions")
            named = isinstance(versions, list) and {model.version, present.version} <= set(
                map(str, versions)
            )
            if job.kind == EVALUATE and job.figures.get("split") == "test" and named:
                yield job
        seen, before = seen + len(page), page[-1].id


def read_compared(job: Job, model: Model, present: Model, settings: Settings) -> Compared | None:
    """What the evaluation says of the two; None where it does not, or its files are gone."""
    file = job_folder(settings.home, job.id) / FILE
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return _compared(job.id, data, model, present)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None


def _compared(job: int, data: Mapping[str, Any], model: Model, present: Model) -> Compared | None:
    split, models = data["split"], data["models"]
    mine = (split["split"], split["task"], split["pair"]) == ("test", model.task, model.pair)
    versions = [one["version"] for one in models]
    at, here = versions.index(model.version), versions.index(present.version)
    lower = set(data.get("lower_is_better", ()))
    for pair in data["pairs"]:
        if not mine or {pair["left"], pair["right"]} != {at, here}:
            continue
        sign = 1 if pair["right"] == at else -1
        told = pair["differences"]
        names = [name for name in _ordered(model.task) if name in told]
        found = [_difference(n, told[n], sign, models[here], models[at], n in lower) for n in names]
        if found and found[0].figure in _DECIDES[model.task]:
            rows, sentences = int(split["rows"]), int(split["sentences"])
            return Compared(job, str(split["dataset"]), rows, sentences, tuple(found))
    return None


def _ordered(task: str) -> list[str]:
    return list(dict.fromkeys((*_DECIDES[task], *_SHOWN[task])))


def _difference(
    name: str, told: Mapping[str, Any], sign: int, present: Any, new: Any, lower: bool
) -> Difference:
    value, (low, high) = sign * float(told["value"]), sorted(sign * x for x in told["interval"])
    here, at = (float(one["figures"][name]["value"]) for one in (present, new))
    if not all(map(math.isfinite, (value, low, high, here, at))):
        raise ValueError(f"{name} is no number")
    return Difference(name, here, at, value, low, high, lower)
