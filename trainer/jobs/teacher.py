"""The kind `teacher`: queries without an answer get one, from a model behind a server or from one
of ours. Every answer is a proposed label; people decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from db.store import Request, Wanted
from engine.names import is_translated
from engine.script import is_written
from engine.settings import Settings
from engine.teaching import load_template, usual_template
from trainer.jobs.answerers import Answerer, EngineAnswerer, Found, TeacherAnswerer
from trainer.jobs.asking import Asking, store_end
from trainer.jobs.kinds import JobError, Kind, Prepared
from trainer.jobs.line import Line
from trainer.jobs.recipes import described, parse
from trainer.jobs.server import ServerRecipe
from trainer.jobs.work import Work

_ENGINE_AT_ONCE = 64  # queries that wait for an engine of ours together


@dataclass(frozen=True)
class TeacherRecipe(ServerRecipe):
    """Who is asked about which queries."""

    engine: str = described("instead of a server: base, shipped, or an adapter's folder", "")
    import_id: int | None = described("only queries of this import", None)
    only_open: bool = described("only queries that nobody has decided", False)
    limit: int = described("how many queries, the first of the review queue; 0: all", 0)
    template: str = described(
        "how it is asked: a template in assets/teacher; empty: the pair's", ""
    )

    def checks(self) -> dict[str, bool]:
        checks = super().checks()
        if self.engine:
            checks |= {"url": not self.url, "model": not self.model}
        else:  # engines of ours answer the first pair alone
            checks["pair"] = is_written(self.pair) and is_translated(self.pair)
        return checks | {"limit": self.limit >= 0}

    def wanted(self, source: str, who: str) -> Wanted:
        """The queries that this answerer is asked about."""
        return Wanted(self.pair, source, who, self.import_id, self.only_open, self.limit)


def prepare(recipe: Mapping[str, Any]) -> Prepared:
    """The recipe made whole; JobError, TeacherError or TemplateError says what is wrong."""
    found = parse(TeacherRecipe, recipe)
    if not found.template:
        found = replace(found, template=usual_template("sense", found.pair))
    load_template(found.template)
    if found.url:
        return Prepared(found.whole(), "network")
    if found.engine not in ("base", "shipped"):
        folder = Path(found.engine).expanduser().resolve()  # the child runs somewhere else
        if not folder.is_dir():
            raise JobError("bad_recipe", f"there is no adapter in {folder}")
        found = replace(found, engine=str(folder))
    return Prepared(found.whole(), "compute")


def run(work: Work) -> bool:
    """Answer the job's queries; whether all of them are."""
    recipe = parse(TeacherRecipe, work.job.recipe)
    answerer = _answerer(recipe, work.settings)
    wanted = recipe.wanted(answerer.source, answerer.who)
    work.store.requests.fill(work.job.id, work.process, wanted)
    at_once = recipe.concurrency if recipe.url else _ENGINE_AT_ONCE

    async def ask(request: Request, line: Line) -> None:
        assert request.query is not None
        _store(work, request, wanted, await answerer.answer(request.query, line))

    async def ask_all() -> bool:
        try:
            return await Asking(work, ask, at_once, recipe.rate).run()
        finally:
            await answerer.close()

    return asyncio.run(ask_all())


def _answerer(recipe: TeacherRecipe, settings: Settings) -> Answerer:
    if recipe.engine:
        return EngineAnswerer(settings, recipe.engine)
    return TeacherAnswerer(recipe.teacher(), load_template(recipe.template), recipe.max_tokens)


def _store(work: Work, request: Request, wanted: Wanted, found: Found) -> None:
    table, job_id, me, sense = work.store.requests, work.job.id, work.process, found.sense

    def aside(reason: str) -> None:
        table.set_aside(job_id, me, request, reason, found.outcome)

    if sense is None:
        work.say(f"request {request.number} set aside: {found.reason}")
        aside(found.reason)
        return
    store_end(
        work,
        request,
        lambda: table.answer(job_id, me, request, sense, wanted, found.outcome, found.confidence),
        aside,
    )


KIND = Kind(TeacherRecipe, prepare, run)
