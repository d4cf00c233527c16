"""What a teacher writes itself: new sentences that show a word or phrase, and translations. Asked
for as jobs; what came is shown as what it is, synthetic. Every argument comes from a stranger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from db.dataset.visible import visible
from db.store.synthetic import Came
from engine.passage import split_words
from engine.sense import Query, QueryError
from engine.showing import MOST_SENTENCES
from engine.teacher import TeacherError
from trainer.jobs.kinds import JobError
from trainer.jobs.queue import Jobs
from ui.desk import Bad, Reply, Served, guarded, number_of, text_of
from ui.label.jobs import import_of, server_of, to_job
from ui.label.shape import to_pieces
from ui.pairs import work_pair
from ui.services import Services

MOST_SHOWN = 200  # words and phrases that one form can ask for
_PAGE = 30  # sentences
_IMPORTS = 100  # to choose from


class WritingDesk:
    """One method for each thing the Teacher view's page may ask about what is written."""

    def __init__(self, services: Services):
        self._access = services.access
        self._synthetic = services.store.synthetic
        self._imports = services.store.imports
        self._jobs: Jobs = services.jobs

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (self.write, self.translate, self.untranslated, self.sources, self.came)
        return {method.__name__: guarded(method) for method in methods}

    async def write(self, asked: Reply) -> Reply:
        """A new job that writes sentences; Bad where what is wanted cannot be."""
        count = number_of(asked, "count")
        wanted = read_wanted(text_of(asked, "show"), count, asked.get("twins") is True)
        return await self._add("sentences", asked, {"wanted": wanted})

    async def translate(self, asked: Reply) -> Reply:
        """A new job that translates sentences."""
        recipe = {"import_id": import_of(asked), "limit": number_of(asked, "limit")}
        return await self._add("translations", asked, recipe)

    async def untranslated(self, asked: Reply) -> Reply:
        """How many sentences would be translated."""
        model, import_id = text_of(asked, "model"), import_of(asked)
        count, pair = self._synthetic.count_untranslated, work_pair(asked)
        return await self._run(lambda: {"count": count(pair, model, import_id)})

    async def sources(self, asked: Reply) -> Reply:
        """The imports whose sentences could be translated, the newest first."""

        def run() -> Reply:
            alive = [one for one in self._imports.list_imports() if not one.undone]
            told = [{"number": one.id, "name": visible(one.name)} for one in alive[:_IMPORTS]]
            return {"imports": told}

        return await self._run(run)

    async def came(self, asked: Reply) -> Reply:
        """What a job wrote, a page of it, and the import that holds it."""
        job_id, pair = number_of(asked, "id"), work_pair(asked)
        after = (number_of(asked, "after"), int(number_of(asked, "part")) - 1)

        def run() -> Reply:
            made = self._synthetic.import_of(job_id)
            found = self._synthetic.came(job_id, after, _PAGE + 1)
            return {
                "import": made[0] if made else None,
                "undone": bool(made and made[1]),
                "lines": [to_came(one, pair) for one in found[:_PAGE]],
                "more": len(found) > _PAGE,
            }

        return await self._run(run)

    async def _add(self, kind: str, asked: Reply, more: dict[str, Any]) -> Reply:
        recipe, who = {**server_of(asked), **more}, text_of(asked, "who")
        return await self._run(lambda: {"job": to_job(self._jobs.add(kind, recipe, who))})

    async def _run(self, work: Callable[[], Reply]) -> Reply:
        """`work` in a thread, at home only."""
        self._access.check_write()
        try:
            return await asyncio.to_thread(work)
        except (JobError, TeacherError) as error:
            raise Bad(error.code, detail=visible(str(error))[:300]) from None


def read_wanted(show: str, count: int, twins: bool) -> list[dict[str, Any]]:
    """What is to be shown, a line each: text, or text | meaning; with `twins` each phrase once more
    with its words meant literally. Bad where there is nothing, or too much."""
    if not 1 <= count <= MOST_SENTENCES:
        raise Bad("bad_count", most=MOST_SENTENCES)
    lines = [line for line in show.splitlines() if line.strip()]
    if not lines:
        raise Bad("nothing_to_show")
    if len(lines) > MOST_SHOWN:
        raise Bad("too_many_to_show", most=MOST_SHOWN)
    wanted = []
    for line in lines:
        text, _, meaning = (part.strip() for part in line.partition("|"))
        one = {"text": text, "meaning": meaning, "literal": False, "count": count}
        wanted.append(one)
        if twins and len(split_words(text)) > 1:
            wanted.append(one | {"meaning": "", "literal": True})
    return wanted


def to_came(one: Came, pair: str) -> Reply:
    """A sentence with the words that it shows, or with its translation; or why it was refused."""
    number, part = one.at
    told: Reply = {
        "number": number, "part": part, "translation": visible(one.translation),
        "reason": visible(one.reason), "pieces": [], "shown": [],
    }  # fmt: skip
    if one.context:
        try:
            told["pieces"] = to_pieces(Query(one.context, 0, pair))
        except (QueryError, IndexError):  # a sentence without words
            told["pieces"] = [visible(one.context)]
        told["shown"] = list(one.positions)
    return told
