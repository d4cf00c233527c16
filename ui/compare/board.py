"""The Board: every model that was evaluated on a split, best first, quality against time; and what
was made smaller, students and forms.

Every argument comes from a stranger. The desk knows no gradio.
"""

from __future__ import annotations

import gradio as gr

from db.dataset.visible import visible
from db.store import Job
from ui.compare.evaluations import Evaluations
from ui.compare.part import CompareDesk
from ui.desk import Reply, Served, guarded
from ui.page import read_page, read_script
from ui.pairs import USUAL
from ui.services import Services
from ui.strings import STRINGS
from ui.train.recipes import list_runs
from ui.train.smaller import is_distilled, to_forms, to_smaller

_SCRIPTS = (
    "language", "part", "pair", "work", "train/axes", "scatter", "table", "smaller", "compare/part",
    "compare/board/start",
)  # fmt: skip
_MOST_STUDENTS = 30


def build_board(services: Services, evaluations: Evaluations) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("compare/board"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="compare-board",
        elem_classes="ctx-view",
        server_functions=list(BoardDesk(services, evaluations).served().values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted},
    )


class BoardDesk(CompareDesk):
    """One method for each thing the Board's page may ask."""

    def __init__(self, services: Services, evaluations: Evaluations):
        super().__init__(services)
        self._evaluations = evaluations

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        return {self.board.__name__: guarded(self.board)}

    async def board(self, asked: Reply) -> Reply:
        """For each split that models were evaluated on, the latest evaluation of each model; all
        smaller models."""

        def act() -> Reply:
            splits: dict[tuple[str, ...], dict[str, Reply]] = {}
            for job in self._evaluations.list_jobs():
                if job.state != "done" or not job.figures.get("models"):
                    continue
                figures = self._evaluations.figures(job)
                rows = splits.setdefault(_key(job), {})
                for number, version in enumerate(job.figures.get("versions", [])):
                    row = to_line(job, number, figures)
                    if row and str(version) not in rows:
                        rows[str(version)] = row
            return {
                "splits": [
                    {
                        "dataset": visible(dataset),
                        "split": visible(split),
                        "sha256": sha256,
                        "task": visible(task),
                        "pair": visible(pair),
                        "models": sorted(rows.values(), key=lambda row: -row["score"]),
                    }
                    for (dataset, split, sha256, task, pair), rows in splits.items()
                    if rows
                ],
                "smaller": {"forms": self._forms(), "students": self._students()},
            }

        return await self._run(act)

    def _forms(self) -> list[Reply]:
        from trainer.smaller import list_forms

        return [to_forms(found) for found in list_forms(self._settings)]

    def _students(self) -> list[Reply]:
        """The students of distillation runs, the newest first."""
        from trainer.history import read_history
        from trainer.report import read_events
        from trainer.smaller import student_of

        distilled = [job for job in list_runs(self._jobs) if is_distilled(job)]
        found = []
        for job in distilled[:_MOST_STUDENTS]:
            student = student_of(job, read_history(read_events(self._jobs, job.id)))
            title, pair = job.recipe.get("name", ""), job.recipe.get("pair") or USUAL
            told = {"title": visible(str(title)), "pair": visible(str(pair)), "state": job.state}
            found.append(to_smaller(student) | told)
        return found


def _key(job: Job) -> tuple[str, ...]:
    """What two evaluations must share to stand on one board."""
    figures, recipe = job.figures, job.recipe
    named = (figures.get("dataset"), figures.get("split"), figures.get("sha256"))
    told = recipe.get("task") or "sense", recipe.get("pair") or "en-zh"
    return tuple(str(one or "") for one in (*named, *told))


def to_line(job: Job, number: int, figures: Reply) -> Reply | None:
    """One model's line; None where the job has no score for it."""
    told = job.figures
    try:
        name, score = str(told["models"][number]), float(told["scores"][number])
        ms, version = float(told["ms"][number]), str(told["versions"][number])
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    more = dict(enumerate(figures.get("models") or [])).get(number) or {}
    measured = more.get("figures") or {}
    decides = measured.get("right") or measured.get("chrf") or {}
    interval, scale = decides.get("interval"), 1 if "right" in measured else 100
    return {
        "name": visible(name),
        "title": visible(str(more.get("title", ""))),
        "version": visible(version),
        "score": score,
        "interval": [bound / scale for bound in interval] if interval else None,
        "rows": (figures.get("split") or {}).get("rows"),
        "bytes": more.get("bytes"),
        "ms": ms,
        "made": more.get("made"),
        "evaluated": job.ended,
        "job": job.id,
    }
