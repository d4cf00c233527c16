"""The kind `evaluate`: one model or several answer the rows of a split and are scored side by side.

Answers are kept as they come, so that a stopped or killed evaluation goes on where it was. Each
model answers as readers would get it; some rows are also written with nothing to hold the models.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from engine.memory import give_back
from engine.script import is_written
from engine.teacher import check_url
from engine.workbench import Workbench
from trainer.catalogue import ALSO_SHIPPED, BASE, KEPT, RUN, SETTING, SHIPPED, Model
from trainer.evaluation.answering import Answerer, find_answerer, is_remote, titled
from trainer.evaluation.figures import (
    LOWER_IS_BETTER,
    Sums,
    Terms,
    count_gains,
    free_terms,
    gain_of,
    slices,
    terms_of,
)
from trainer.evaluation.report import write_report
from trainer.evaluation.rows import SPLITS, Rows, find_rows, sorts_of
from trainer.evaluation.stored import Kept, row_of, write_result
from trainer.jobs.kinds import JobError, Kind, Prepared
from trainer.jobs.recipes import described, parse, require
from trainer.jobs.work import Work, is_over
from trainer.recipe import TRANSLATION, is_translated

MOST_MODELS = 4
_TIDY = 2  # times that contexts are answered between two returns of freed memory
_FREE_AT_ONCE = 32  # rows that are written with nothing to hold the models
_NAMES = (BASE, SHIPPED, SETTING)


@dataclass(frozen=True)
class EvaluateRecipe:
    """Which models answer which rows."""

    models: list = described("base, shipped, run:7, kept:VERSION, teacher:WHO or server:M", None)
    dataset: str = described("a frozen dataset's name, or one that ships with the app", "")
    split: str = described("train, dev or test", "dev")
    rows: int = described("about how many rows, whole sentences; 0: all", 0)
    seed: int = described("which rows, where not all", 1)
    pair: str = described("source and target language", "en-zh")
    task: str = described("sense, or translation: sentences that came with one", "sense")
    free: int = described("rows that are also written with nothing to hold the models", 32)
    url: str = described("address of the server of server:M", "")

    def __post_init__(self) -> None:
        named = isinstance(self.models, list) and all(isinstance(n, str) for n in self.models)
        require(self, {
            "models": named and 0 < len(set(self.models)) == len(self.models) <= MOST_MODELS,
            "dataset": 0 < len(self.dataset) <= 200 and self.dataset.isprintable(),
            "split": self.split in SPLITS,
            "rows": 0 <= self.rows <= 10**6,
            "seed": abs(self.seed) < 2**31,
            "pair": (is_translated if self.task == TRANSLATION else is_written)(self.pair),
            "task": self.task in ("sense", "translation"),
            "free": 0 <= self.free <= 1000,
        })  # fmt: skip


def prepare(recipe: Mapping[str, Any]) -> Prepared:
    """The recipe made whole; JobError or TeacherError says what is wrong."""
    found = parse(EvaluateRecipe, recipe)
    for name in found.models:
        if not (name in _NAMES or is_remote(name) or name.startswith((RUN, KEPT, ALSO_SHIPPED))):
            raise JobError("unknown_model", f"there is no model {name!r}")
    url = check_url(found.url) if found.url else ""
    waits = all(map(is_remote, found.models)) and found.task != TRANSLATION  # no base is loaded
    slot = "network" if waits else "compute"
    return Prepared(asdict(found) | {"url": url}, slot)


def run(work: Work) -> bool:
    """Answer, score and report; whether all of it is done."""
    recipe, settings, store = parse(EvaluateRecipe, work.job.recipe), work.settings, work.store
    if recipe.task == "translation":
        from trainer.jobs.translating import evaluate_sentences

        return evaluate_sentences(work, recipe)
    rows = find_rows(
        recipe.dataset, recipe.split, recipe.rows, recipe.seed, recipe.pair, store, settings
    )
    bench = Workbench(settings, busy=True)
    try:
        found = [
            find_answerer(name, recipe.pair, recipe.url, bench, store, settings)
            for name in recipe.models
        ]
        return Evaluating(work, recipe, rows, found, bench).run()
    finally:
        bench.close()


class Evaluating:
    """One evaluation at work."""

    def __init__(
        self,
        work: Work,
        recipe: EvaluateRecipe,
        rows: Rows,
        answerers: Sequence[Answerer],
        bench: Workbench,
    ):
        self._work, self._recipe, self._rows = work, recipe, rows
        self._answerers, self._bench = answerers, bench
        self._models = titled([one.model for one in answerers])
        self._written = [m for m in self._models if not is_remote(m.name)]
        self._free_rows = rows.examples[: recipe.free] if self._written else ()
        self._total = len(rows.examples) * len(answerers) + len(self._free_rows)
        self._done = self._before = 0  # rows; those that were kept before this start
        self._began = time.monotonic()

    def run(self) -> bool:
        kept = [
            Kept(self._work.folder, number, one.model.version)
            for number, one in enumerate(self._answerers)
        ]
        sizes = [len(wanted) for _, wanted in self._rows.contexts]
        self._done = self._before = sum(sum(sizes[: len(mine.answers)]) for mine in kept)
        self._report()
        if not all(map(self._answer, self._answerers, kept)):
            return False
        free = self._write_freely()
        if free is None:
            return False
        self._finish(kept, free)
        return True

    def _answer(self, answerer: Answerer, kept: Kept) -> bool:
        """Have a model answer what it has not answered yet; False where the job is to end."""
        contexts = self._rows.contexts
        for turn, start in enumerate(range(len(kept.answers), len(contexts), answerer.at_once)):
            if is_over(self._work):
                return False
            if turn % _TIDY == 0:
                give_back()
            some = contexts[start : start + answerer.at_once]
            kept.add(some, answerer.answer(some))
            self._report(sum(len(wanted) for _, wanted in some))
        return True

    def _write_freely(self) -> list[list[Terms]] | None:
        """What each written model adds to the figures of form, row by row; None where the job is
        to end."""
        found: list[list[Terms]] = [[] for _ in self._written]
        for start in range(0, len(self._free_rows), _FREE_AT_ONCE):
            if is_over(self._work):
                return None
            some = self._free_rows[start : start + _FREE_AT_ONCE]
            written = self._bench.write([m.folder for m in self._written], [e.query for e in some])
            for mine, texts in zip(found, written, strict=True):
                mine += [free_terms(t.valid, t.ended, t.tokens, t.over, t.text) for t in texts]
            self._report(len(some))
        return found

    def _finish(self, kept: Sequence[Kept], free: Sequence[Sequence[Terms]]) -> None:
        examples, folder = self._rows.examples, self._work.folder
        contexts = [context for context, _ in self._rows.contexts]
        told = []
        for mine in kept:
            answers = dict(zip(contexts, mine.answers, strict=True))
            told.append([answers[e.query.context].get(e.query.position) for e in examples])
        terms = [
            [
                terms_of(e, one.sense, one.ms, one.tokens) if one else terms_of(e, None, 0.0)
                for e, one in zip(examples, mine)
            ]
            for mine in told
        ]
        for model, more in zip(self._written, free):
            rows = terms[self._models.index(model)]
            rows[: len(more)] = [row | form for row, form in zip(rows, more)]
        lines = [row_of(e, one) for e, one in zip(examples, zip(*told))]
        figures = make_figures(self._recipe, self._rows, self._models, terms, lines)
        write_result(folder, figures, lines)
        write_report(folder)
        self._work.report(self._total, self._total, summary(figures))

    def _report(self, rows: int = 0) -> None:
        self._done += rows
        fresh, left = self._done - self._before, None
        if fresh:
            each = (time.monotonic() - self._began) / fresh
            left = round(each * (self._total - self._done))
        self._work.report(self._done, self._total, {"left_seconds": left})


def make_figures(
    recipe: EvaluateRecipe,
    rows: Rows,
    models: Sequence[Model],
    terms: Sequence[Sequence[Terms]],
    lines: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """All figures of an evaluation, as its file has them; `lines`: its rows as theirs has them."""
    sentences, sorts = [e.query.context for e in rows.examples], sorts_of(rows.examples)
    sums = Sums(sentences, terms)
    told = []
    for number, model in enumerate(models):
        found = sums.figures(number)
        told.append({
            "name": model.name, "title": model.title, "version": model.version,
            "detail": f"{model.title}@{model.version}", "bytes": model.bytes, "made": model.made,
            "figures": found, "slices": slices(sentences, sorts, terms[number]),
            "ms": found["ms"]["value"] if "ms" in found else None,
        })  # fmt: skip
    return {
        "split": {
            "dataset": recipe.dataset, "sha256": rows.sha256, "split": recipe.split,
            "task": recipe.task, "pair": recipe.pair, "rows": len(rows.examples),
            "sentences": len(rows.contexts), "seed": recipe.seed,
        },
        "models": told,
        "pairs": [
            {"left": left, "right": right, "differences": sums.differences(left, right)}
            | count_gains([gain_of(line, left, right) for line in lines])
            for right in range(len(models))
            for left in range(right)
        ],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "lower_is_better": list(LOWER_IS_BETTER),
    }  # fmt: skip


def summary(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What a board needs to know, for the job's row."""
    split, models = figures["split"], figures["models"]
    return {
        "models": [one["name"] for one in models],
        "versions": [one["version"] for one in models],
        "scores": [(one["figures"].get("right") or {"value": None})["value"] for one in models],
        "ms": [one["ms"] for one in models],
        **{name: split[name] for name in ("dataset", "split", "sha256")},
    }


KIND = Kind(EvaluateRecipe, prepare, run)
