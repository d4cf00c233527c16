"""A job whose requests are no queries: each is asked with a template, read, and stored. What cannot
be read is asked for once more and then set aside with its reason, as with answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from db.store import Origin, Outcome, Request
from engine.teacher import TeacherError
from engine.teaching import BadAnswer, load_template
from trainer.jobs.answerers import Talk
from trainer.jobs.asking import Asking, store_end
from trainer.jobs.line import Line
from trainer.jobs.server import ServerRecipe
from trainer.jobs.work import Work

T = TypeVar("T")


def origin_of(recipe: ServerRecipe, template: str) -> Origin:
    """What is said of everything that this model writes by this template."""
    text = f"synthetic: {recipe.model}, template {template}"
    return Origin("", "synthetic", recipe.pair, text, recipe.model)


def write(
    work: Work,
    recipe: ServerRecipe,
    template_name: str,
    wanted: Sequence[Mapping[str, Any]],
    schema: Mapping[str, Any],
    question: Callable[[Request], str],
    read: Callable[[Request, str], T],
    keep: Callable[[Request, T, Outcome], Any],
    blanks: Mapping[str, str] = MappingProxyType({}),
) -> bool:
    """Ask all of it; whether it is done. `blanks`: what the template's others are filled with."""
    template, table = load_template(template_name), work.store.requests
    table.fill_asked(work.job.id, work.process, wanted)

    async def ask_all() -> bool:
        teacher = recipe.teacher()

        async def ask(request: Request, line: Line) -> None:
            talk = Talk(teacher, template, line, recipe.max_tokens)

            def aside(reason: str) -> None:
                table.set_aside(work.job.id, work.process, request, reason, talk.outcome)

            messages = template.messages(question=question(request), **blanks)
            try:
                found = await talk.until_read(
                    messages, dict(schema), lambda text: read(request, text)
                )
            except BadAnswer as error:
                work.say(f"request {request.number} set aside: {error}")
                aside(str(error))
            except TeacherError as error:
                if error.fatal:
                    raise
                aside(f"{error.code}: {error}")
            else:
                store_end(work, request, lambda: keep(request, found, talk.outcome), aside)

        try:
            return await Asking(work, ask, recipe.concurrency, recipe.rate).run()
        finally:
            await teacher.close()

    return asyncio.run(ask_all())
