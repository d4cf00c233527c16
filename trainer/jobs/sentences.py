"""The kind `sentences`: a teacher writes sentences that show a word or phrase in a given sense, or
its words meant literally. They come in under an import that calls them synthetic, with a query for
each word that is shown; answers are asked for afterwards, like any others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from db.store import Brought, Outcome, Request
from engine.passage import split_words
from engine.sense import MAX_WORD, Query
from engine.showing import MOST_SENTENCES, SENTENCES_SCHEMA, Show, Written, read_sentences
from engine.teaching import load_template
from trainer.jobs.kinds import JobError, Kind, Prepared
from trainer.jobs.recipes import described, parse
from trainer.jobs.server import ServerRecipe
from trainer.jobs.work import Work
from trainer.jobs.writing import origin_of, write

_MOST = 1000  # words and phrases of one job


@dataclass(frozen=True)
class SentencesRecipe(ServerRecipe):
    """Which words and phrases are to be shown."""

    wanted: list = described("what to show: text, meaning, literal and count of each", None)
    template: str = described("how it is asked: a template in assets/teacher", "sentences-1")

    def checks(self) -> dict[str, bool]:
        good = isinstance(self.wanted, list) and 0 < len(self.wanted) <= _MOST
        return super().checks() | {"wanted": good}


def prepare(recipe: Mapping[str, Any]) -> Prepared:
    """The recipe made whole; JobError, TeacherError or TemplateError says what is wrong."""
    found = parse(SentencesRecipe, recipe)
    load_template(found.template)
    shows = [asdict(_show(one)) for one in found.wanted]
    return Prepared({**found.whole(), "wanted": shows}, "network")


def run(work: Work) -> bool:
    """Have the sentences written; whether all of them are."""
    recipe = parse(SentencesRecipe, work.job.recipe)
    origin, table = origin_of(recipe, recipe.template), work.store.synthetic

    def keep(request: Request, written: tuple[Written, ...], outcome: Outcome) -> None:
        show = _show(request.asked)
        lines = [_line(n, one, show, recipe, outcome) for n, one in enumerate(written)]
        table.bring(work.job.id, work.process, request, origin, lines, outcome)

    done = write(
        work,
        recipe,
        recipe.template,
        recipe.wanted,
        SENTENCES_SCHEMA,
        lambda request: _show(request.asked).question(),
        lambda request, text: read_sentences(_show(request.asked), text),
        keep,
    )
    if done:
        table.finish(work.job.id)
    return done


def _show(data: Any) -> Show:
    """What is to be shown, from anywhere."""
    if not isinstance(data, Mapping):
        raise JobError("bad_recipe", f"wanted cannot hold {data!r}")
    show = parse(Show, data)
    words = len(split_words(show.text))
    good = (
        1 <= words <= 12
        and len(show.text) <= MAX_WORD
        and len(show.meaning) <= MAX_WORD
        and 1 <= show.count <= MOST_SENTENCES
        and (words > 1 or not show.literal)
    )
    if not good or not (show.text + show.meaning).isprintable():
        raise JobError("bad_recipe", f"wanted cannot hold {data!r}")
    return show


def _line(
    part: int, one: Written, show: Show, recipe: SentencesRecipe, outcome: Outcome
) -> Brought:
    raw = outcome.answers[-1] if part == 0 else ""
    if one.reason:
        return Brought(0, part, raw, reason="not_as_asked", detail=f"{one.reason}: {one.text}")
    sense = "literally" if show.literal else show.meaning
    said = f"written by {recipe.model} to show {show.text}{sense and f' ({sense})'}"
    queries = tuple(Query(one.text, i, recipe.pair) for i in one.members)
    return Brought(0, part, raw, context=one.text, attribution=said, queries=queries)


KIND = Kind(SentencesRecipe, prepare, run)
