"""The On a dataset view: models evaluated on a split, words or whole sentences, their figures and
their rows side by side.

Every argument comes from a stranger. The desk knows no gradio; the work is a job's, which is only
started and watched from here.
"""

from __future__ import annotations

import gradio as gr

from db.dataset.visible import visible
from db.store import Job
from db.store.checks import MAX_NAME, check_text
from engine.catalogue import in_order
from ui.compare.evaluations import (
    FIGURES,
    KIND,
    ORDERS,
    PAGE,
    SHOWN,
    Evaluation,
    Evaluations,
    choose_rows,
    count_rows,
    to_row,
)
from ui.compare.part import SENSE, TRANSLATION, CompareDesk, task_of
from ui.desk import Bad, Reply, Served, guarded, is_index, number_of, text_of
from ui.page import read_page, read_script
from ui.pairs import USUAL, work_pair
from ui.services import Services
from ui.strings import STRINGS

_SCRIPTS = (
    "language", "part", "pair", "work", "train/part", "compare/part", "compare/split/task",
    "compare/split/ask", "compare/split/figures", "compare/split/rows", "compare/split/start",
)  # fmt: skip
SPLITS = ("dev", "test", "train")
MOST_MODELS = 4
_LISTED = 30  # earlier evaluations
_WISHES = ("pause", "resume", "stop", "cancel")
_REPORTS = {"html": "report.html", "md": "report.md", "json": FIGURES}
_SENTENCES = "translations"  # what evaluations of whole sentences call their data
_ROWS = (200, 500, 1000, 0)  # choices; 0: all


def build_split(services: Services, evaluations: Evaluations) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("compare/split"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="compare-split",
        elem_classes="ctx-view",
        server_functions=list(SplitDesk(services, evaluations).served().values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted, "models": MOST_MODELS, "page": PAGE},
        choices={"splits": SPLITS, "rows": _ROWS, "shown": SHOWN, "orders": ORDERS},
    )


class SplitDesk(CompareDesk):
    """One method for each thing the On a dataset view's page may ask."""

    def __init__(self, services: Services, evaluations: Evaluations):
        super().__init__(services)
        self._evaluations = evaluations

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (
            self.choices, self.sources, self.begin, self.watch, self.wish, self.remove, self.result,
            self.rows, self.report,
        )  # fmt: skip
        return {method.__name__: guarded(method) for method in methods}

    async def choices(self, asked: Reply) -> Reply:
        """The models, the pairs whose sentences can be evaluated, the datasets with their splits,
        the evaluations there are."""

        def act() -> Reply:
            self._jobs.look()
            models = self._models()
            translated = {one["pair"] for one in models if one["task"] == TRANSLATION}
            pairs = translated | set(self._store.synthetic.referenced_pairs())
            return {
                "models": models,
                "pairs": sorted(pairs, key=in_order),
                "datasets": [
                    {
                        "name": one.name,
                        "pair": one.pair,
                        "splits": {name: one.splits.get(name, 0) for name in SPLITS},
                    }
                    for one in self._store.datasets.list_datasets()
                ],
                "evaluations": [to_evaluation(job) for job in self._list()],
            }

        return await self._run(act)

    async def sources(self, asked: Reply) -> Reply:
        """For a task and pair: who answered as a teacher before, with how many answers; and how
        many sentences of each split came with a translation."""

        def act() -> Reply:
            from trainer.jobs.translating import count_sentences

            pair, task = work_pair(asked), task_of(asked)
            words = task == SENSE
            table = self._store.labels if words else self._store.synthetic
            told = table.teachers(pair)
            return {
                "teachers": [{"name": name, "count": count} for name, count in told.items()],
                "splits": {} if words else count_sentences(self._store, pair),
            }

        return await self._run(act)

    def _list(self) -> list[Job]:
        return self._evaluations.list_jobs(_LISTED)

    async def begin(self, asked: Reply) -> Reply:
        """A new job that evaluates, started at once where nothing else computes."""
        who = text_of(asked, "who")

        def act() -> Reply:
            return {"evaluation": to_evaluation(self._jobs.add(KIND, self._recipe(asked), who))}

        return await self._run(act)

    def _recipe(self, asked: Reply) -> Reply:
        """What the page's form states; Bad where it states something that is not there."""
        names, rows = asked.get("models"), asked.get("rows", 0)
        if not isinstance(names, list) or not 0 < len(names) <= MOST_MODELS:
            raise Bad("not_understood")
        if not all(isinstance(name, str) for name in names) or not is_index(rows, 10**9):
            raise Bad("not_understood")
        task = task_of(asked)
        pair = work_pair(asked)
        here = [name for name in names if not _is_elsewhere(name)]
        versions = [self._model(name, pair, task).version for name in here]
        if len(set(versions)) < len(here) or len(set(names)) < len(names):
            raise Bad("same_model")
        dataset, split = text_of(asked, "dataset"), text_of(asked, "split")
        if split not in SPLITS:
            raise Bad("not_understood")
        if task == TRANSLATION:
            dataset = _SENTENCES
        elif (dataset, pair) not in {
            (one.name, one.pair) for one in self._store.datasets.list_datasets()
        }:
            raise Bad("no_dataset")
        return {
            "models": names, "dataset": dataset, "split": split, "rows": rows, "pair": pair,
            "task": task, **({"url": url} if (url := text_of(asked, "url")) else {}),
        }  # fmt: skip

    async def watch(self, asked: Reply) -> Reply:
        """How far an evaluation is."""

        def act() -> Reply:
            self._jobs.look()
            return {"evaluation": to_evaluation(self._evaluations.find(number_of(asked, "id")))}

        return await self._run(act)

    async def wish(self, asked: Reply) -> Reply:
        """Asks something of the job: pause, resume, stop or cancel."""
        wish = text_of(asked, "wish")
        if wish not in _WISHES:
            raise Bad("not_understood")

        def act() -> Reply:
            job = self._evaluations.find(number_of(asked, "id"))
            return {"evaluation": to_evaluation(getattr(self._jobs, wish)(job.id))}

        return await self._run(act)

    async def remove(self, asked: Reply) -> Reply:
        """Deletes an evaluation with its files."""

        def act() -> Reply:
            job = self._evaluations.find(number_of(asked, "id"))
            self._jobs.remove(job.id)
            return {"removed": job.id}

        return await self._run(act)

    async def result(self, asked: Reply) -> Reply:
        """The figures, the slices, and how many rows each filter has for two of the models."""

        def act() -> Reply:
            found, left, right = self._found(asked)
            folder = self._jobs.folder(found.job.id)
            return {
                "evaluation": to_evaluation(found.job),
                "result": found.told,
                "counts": count_rows(found, left, right),
                "reports": [form for form, file in _REPORTS.items() if (folder / file).is_file()],
            }

        return await self._run(act)

    async def rows(self, asked: Reply) -> Reply:
        """One page of the rows that are wanted, and how many there are."""
        shown, order = text_of(asked, "shown"), text_of(asked, "order")
        page = number_of(asked, "page")
        if shown not in SHOWN or order not in ORDERS:
            raise Bad("not_understood")

        def act() -> Reply:
            found, left, right = self._found(asked)
            if shown not in found.shown:
                raise Bad("not_understood")
            chosen = choose_rows(found.rows, left, right, shown, order)
            mine = chosen[page * PAGE : (page + 1) * PAGE]
            return {
                "rows": [to_row(found.rows[n], n, found.pair, (left, right)) for n in mine],
                "count": len(chosen),
            }

        return await self._run(act)

    def _found(self, asked: Reply) -> tuple[Evaluation, int, int]:
        """The evaluation and the two of its models that are meant; of one model that one twice."""
        found = self._evaluations.get(number_of(asked, "id"))
        return found, *two_of(asked, len(found.models))

    async def report(self, asked: Reply) -> Reply:
        """The evaluation's report as text: the page opens or keeps it."""
        form = text_of(asked, "form")
        if form not in _REPORTS:
            raise Bad("not_understood")

        def act() -> Reply:
            job = self._evaluations.find(number_of(asked, "id"))
            file = self._jobs.folder(job.id) / _REPORTS[form]
            if not file.is_file():
                raise Bad("no_evaluation")
            return {"text": file.read_text(encoding="utf-8"), "name": f"comparison-{job.id}.{form}"}

        return await self._run(act)


def _is_elsewhere(name: str) -> bool:
    """Whether it names what a teacher answered before, or a model behind a server."""
    kind, _, rest = name.partition(":")
    return kind in ("teacher", "server") and bool(check_text("model", rest, MAX_NAME))


def two_of(asked: Reply, count: int) -> tuple[int, int]:
    """The numbers of the two models that a page means, of `count`."""
    left, right = asked.get("left", 0), asked.get("right", min(1, count - 1))
    if not is_index(left, count) or not is_index(right, count):
        raise Bad("not_understood")
    return left, right


def to_evaluation(job: Job) -> Reply:
    """A job that evaluates, as the page shows it."""
    recipe = job.recipe
    return {
        "id": job.id,
        "state": job.state,
        "asked": job.asked,
        "place": job.place,
        "done": job.done,
        "total": job.total,
        "error": job.error,
        "detail": visible(job.detail),
        "who": visible(job.who),
        "created": job.created,
        "ended": job.ended,
        "models": [visible(str(name)) for name in recipe.get("models", [])],
        "task": visible(str(recipe.get("task") or SENSE)),
        "pair": visible(str(recipe.get("pair") or USUAL)),
        "dataset": visible(str(recipe.get("dataset", ""))),
        "split": visible(str(recipe.get("split", ""))),
        "scores": job.figures.get("scores", []),
    }
