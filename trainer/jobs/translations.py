"""The kind `translations`: a teacher translates sentences that came without a translation. Each
stands beside its sentence under an import that calls it synthetic.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.store import Outcome, Request
from engine.showing import TRANSLATION_SCHEMA, read_translation
from engine.teaching import load_template
from trainer.jobs.kinds import Kind, Prepared
from trainer.jobs.recipes import described, parse
from trainer.jobs.server import ServerRecipe
from trainer.jobs.work import Work
from trainer.jobs.writing import origin_of, write


@dataclass(frozen=True)
class TranslationsRecipe(ServerRecipe):
    """Which sentences are to be translated."""

    import_id: int | None = described("only sentences of this import", None)
    limit: int = described("how many sentences; 0: all", 0)
    template: str = described("how it is asked: a template in assets/teacher", "translation-1")

    def checks(self) -> dict[str, bool]:
        return super().checks() | {"limit": self.limit >= 0}


def prepare(recipe: Mapping[str, Any]) -> Prepared:
    """The recipe made whole; JobError, TeacherError or TemplateError says what is wrong."""
    found = parse(TranslationsRecipe, recipe)
    load_template(found.template)
    return Prepared(found.whole(), "network")


def run(work: Work) -> bool:
    """Have the sentences translated; whether all of them are."""
    recipe = parse(TranslationsRecipe, work.job.recipe)
    origin, table = origin_of(recipe, recipe.template), work.store.synthetic
    wanted = table.untranslated(recipe.pair, recipe.model, recipe.import_id, recipe.limit)

    def keep(request: Request, text: str, outcome: Outcome) -> None:
        context = request.asked["context"]
        table.translate(work.job.id, work.process, request, origin, context, text, outcome)

    done = write(
        work,
        recipe,
        recipe.template,
        [{"context": context} for context in wanted],
        TRANSLATION_SCHEMA,
        lambda request: json.dumps(dict(request.asked), ensure_ascii=False),
        lambda request, text: read_translation(request.asked["context"], text),
        keep,
    )
    if done:
        table.finish(work.job.id)
    return done


KIND = Kind(TranslationsRecipe, prepare, run)
