"""The kind `translations`: a teacher translates sentences that came without a translation, in any
pair whose languages have names. Each is looked at as a row of a corpus is, and stands beside its
sentence under an import that calls it synthetic.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from db.store import Outcome, Request
from engine.names import is_translated, languages
from engine.showing import TRANSLATION_SCHEMA, read_translation
from engine.teaching import BadAnswer, load_template, usual_template
from trainer.jobs.kinds import Kind, Prepared
from trainer.jobs.recipes import described, parse
from trainer.jobs.server import ServerRecipe
from trainer.jobs.work import Work
from trainer.jobs.writing import origin_of, write

_ENOUGH = 50  # translated sentences by which it is known how long translations usually are


@dataclass(frozen=True)
class TranslationsRecipe(ServerRecipe):
    """Which sentences are to be translated."""

    import_id: int | None = described("only sentences of this import", None)
    limit: int = described("how many sentences; 0: all", 0)
    template: str = described(
        "how it is asked: a template in assets/teacher; empty: the pair's", ""
    )

    def checks(self) -> dict[str, bool]:
        return super().checks() | {"limit": self.limit >= 0, "pair": is_translated(self.pair)}


def prepare(recipe: Mapping[str, Any]) -> Prepared:
    """The recipe made whole; JobError, TeacherError or TemplateError says what is wrong."""
    found = parse(TranslationsRecipe, recipe)
    if not found.template:
        found = replace(found, template=usual_template("translation", found.pair))
    load_template(found.template)
    return Prepared(found.whole(), "network")


def run(work: Work) -> bool:
    """Have the sentences translated; whether all of them are."""
    recipe = parse(TranslationsRecipe, work.job.recipe)
    origin, table = origin_of(recipe, recipe.template), work.store.synthetic
    wanted = table.untranslated(recipe.pair, recipe.model, recipe.import_id, recipe.limit)
    check = checking(recipe.pair, table.referenced(recipe.pair))

    def keep(request: Request, text: str, outcome: Outcome) -> None:
        context = request.asked["context"]
        table.translate(work.job.id, work.process, request, origin, context, text, outcome)

    def read(request: Request, text: str) -> str:
        context = request.asked["context"]
        return check(context, read_translation(context, text, recipe.pair))

    done = write(
        work,
        recipe,
        recipe.template,
        [{"context": context} for context in wanted],
        TRANSLATION_SCHEMA,
        lambda request: json.dumps(dict(request.asked), ensure_ascii=False),
        read,
        keep,
        dict(zip(("source", "target"), languages(recipe.pair))),
    )
    if done:
        table.finish(work.job.id)
    return done


def checking(pair: str, known: Sequence[tuple[str, str]]) -> Callable[[str, str], str]:
    """Gives a sentence's translation back, mended, where a corpus would keep the two; BadAnswer
    where it would not. `known`: sentences with translations, which say how long these are."""
    from trainer.scratch.corpus.checks import side_stages
    from trainer.scratch.corpus.parallel import comparing, usual_ratio
    from trainer.scratch.corpus.recipe import CorpusRecipe
    from trainer.scratch.corpus.stages import put_through

    # A short sentence is no fault here: somebody chose it.
    recipe = CorpusRecipe(languages=pair, fewest_words=1)
    usual = usual_ratio(known) if len(known) >= _ENOUGH else None
    mine, both = (
        side_stages(replace(recipe, languages=pair.partition("-")[2])),
        comparing(recipe, usual),
    )

    def check(context: str, text: str) -> str:
        (text,), _, dropped = put_through(mine, (text,))
        if dropped is None:
            *_, dropped = put_through(both, (context, text))
        if dropped is not None:
            raise BadAnswer(f"the translation is refused as training data: {dropped.rule}")
        return text

    return check


KIND = Kind(TranslationsRecipe, prepare, run)
