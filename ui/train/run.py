"""A run's page: how far it is, its curves, what can be asked of it, and what it came to.

Every argument comes from a stranger. The desk knows no gradio and does none of the work; it reads
what the job tells.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from db.dataset.visible import visible
from db.store import Job
from db.store.checks import MAX_NOTE
from ui.desk import Bad, Reply, Served, guarded, number_of, text_of
from ui.page import read_page, read_script
from ui.services import Services
from ui.strings import STRINGS
from ui.train.kinds import (
    CORPUS,
    QUANTISE,
    TOKENIZER,
    TRAIN,
    kind_of,
    own_command,
    result_folder,
    started_from,
    tokenizer_costs,
)
from ui.train.part import Desk
from ui.train.quantised import quantised_details
from ui.train.recipes import told_start
from ui.train.shape import (
    to_checkpoints,
    to_data,
    to_own_data,
    to_own_recipe,
    to_recipe,
    to_run,
)
from ui.train.smaller import to_forms

_SCRIPTS = (
    "language", "part", "pair", "work", "train/part", "train/history", "train/axes", "train/curves",
    "scatter", "table", "smaller", "train/run/head", "train/run/errors", "train/run/plots",
    "train/run/details", "train/run/student", "train/run/start",
)  # fmt: skip
_AT_ONCE = 1000  # events of one answer
_MOST_LOG = 8000  # characters of a log's end
_OWN_REPORTS = {CORPUS: f"{CORPUS}/report", QUANTISE: "forms"}  # written by the run itself
_WISHES = ("pause", "resume", "stop", "cancel")


def build_run(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("train/run"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="train-run",
        elem_classes="ctx-view",
        server_functions=list(RunDesk(services).served().values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted, "note": MAX_NOTE},
    )


class RunDesk(Desk):
    """One method for each thing a run's page may ask."""

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (
            self.watch, self.details, self.verify, self.wish, self.note, self.remove, self.report,
            self.work,
        )  # fmt: skip
        return {method.__name__: guarded(method) for method in methods}

    async def watch(self, asked: Reply) -> Reply:
        """The run as it stands, what it told behind the event `after`, its log's end if wanted."""
        after, with_log = number_of(asked, "after"), asked.get("log") is True

        def act() -> Reply:
            self._jobs.look()
            job = self._find(asked)
            told = self._jobs.events(job.id, after, _AT_ONCE)
            reply = {
                "run": to_run(job),
                "events": [one.data for one in told],
                "after": told[-1].number if told else after,
                "more": len(told) == _AT_ONCE,
            }
            if with_log:
                reply["log"] = visible(self._jobs.log(job.id).text[-_MOST_LOG:])
            return reply

        return await self._run(act)

    async def details(self, asked: Reply) -> Reply:
        """The recipe, the data, the checkpoints, the command, the scores, its smaller forms."""

        def act() -> Reply:
            from trainer.report import read_card, run_command

            job = self._find(asked)
            folder = self._jobs.folder(job.id)
            if job.kind == QUANTISE:
                return quantised_details(job, folder)
            if job.kind != TRAIN:
                return self._own_details(job, folder)
            card = read_card(folder)
            start = told_start(str(job.recipe.get("start", "")), self._jobs)
            return {
                "recipe": to_recipe(job.recipe, start),
                "data": to_data(job.recipe, card, self._store),
                "checkpoints": to_checkpoints(folder),
                "command": run_command(folder),
                "scores": card.get("scores", {}),
                "forms": self._forms(folder / "adapter"),
            }

        return await self._run(act)

    def _forms(self, adapter: Path) -> Reply | None:
        """The forms that were made of the run's adapter; None where there are none."""
        from engine.catalogue import read_unchanged
        from engine.checking import AdapterError
        from trainer.smaller import forms_of

        try:
            found = forms_of(read_unchanged(adapter).version, self._settings)
        except AdapterError:
            return None
        return to_forms(found) if found else None

    def _own_details(self, job: Job, folder: Path) -> Reply:
        """The same of a run from nothing."""
        return {
            "recipe": to_own_recipe(job, started_from(job)),
            "data": to_own_data(job, folder),
            "checkpoints": to_checkpoints(result_folder(job, folder)),
            "command": own_command(job, folder),
            "scores": tokenizer_costs(folder) if kind_of(job) == TOKENIZER else {},
        }

    async def verify(self, asked: Reply) -> Reply:
        """Which of the run's checkpoints are, file by file, what was written."""

        def act() -> Reply:
            from trainer.checkpoints import is_whole

            job = self._find(asked)
            folder = result_folder(job, self._jobs.folder(job.id))
            found = [one["name"] for one in to_checkpoints(folder)]
            return {"whole": {name: is_whole(folder / name) for name in found}}

        return await self._begin(act)

    async def wish(self, asked: Reply) -> Reply:
        """Asks something of the run: pause, resume, stop or cancel."""
        wish = text_of(asked, "wish")
        if wish not in _WISHES:
            raise Bad("not_understood")

        def act() -> Reply:
            job = self._find(asked)
            return {"run": to_run(getattr(self._jobs, wish)(job.id))}

        return await self._run(act)

    async def note(self, asked: Reply) -> Reply:
        """Keeps what somebody notes on the run."""
        text = text_of(asked, "note")

        def act() -> Reply:
            job = self._find(asked)
            self._jobs.write_note(job.id, text)
            return {"run": to_run(self._jobs.get(job.id))}

        return await self._run(act)

    async def remove(self, asked: Reply) -> Reply:
        """Deletes the run with all its files."""

        def act() -> Reply:
            job = self._find(asked)
            self._jobs.remove(job.id)
            return {"removed": job.id}

        return await self._run(act)

    async def report(self, asked: Reply) -> Reply:
        """The run's report, written anew, as text: the page opens or keeps it."""
        form = text_of(asked, "form")
        if form not in ("html", "md", "json"):
            raise Bad("not_understood")

        def act() -> Reply:
            from trainer.report import read_events, write_report

            job = self._find(asked)
            folder = self._jobs.folder(job.id)
            if job.kind in _OWN_REPORTS:
                file = folder / f"{_OWN_REPORTS[job.kind]}.{form}"
                if not file.is_file():
                    raise Bad("no_report")
            else:
                files = write_report(job, read_events(self._jobs, job.id), folder)
                file = next(one for one in files if one.suffix == f".{form}")
            return {"text": file.read_text(encoding="utf-8"), "name": f"run-{job.id}.{form}"}

        return await self._begin(act)
