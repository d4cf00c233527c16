"""The kind `corpus`: raw text becomes a clean corpus in the job's folder. What it tells is an
event a piece; stop ends it, and resumed it goes on with the pieces that are not done.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any

from engine.files import write_whole
from trainer.fields import RecipeError
from trainer.jobs.frozen import place_corpus
from trainer.jobs.kinds import JobError, Kind, Prepared
from trainer.jobs.watched import Watched
from trainer.jobs.work import Work
from trainer.scratch.corpus.checks import prepare as make_ready
from trainer.scratch.corpus.recipe import CorpusRecipe, parse_corpus, plain
from trainer.scratch.corpus.run import make_corpus, placed

FOLDER, RECIPE = "corpus", "recipe.json"


def prepare(recipe: Mapping[str, Any]) -> Prepared:
    """The recipe made whole; JobError says what is wrong with it."""
    try:
        found = parse_corpus(recipe)
    except RecipeError as error:
        raise JobError("bad_recipe", str(error)) from error
    if not found.sources:
        raise JobError("no_source", "sources: a corpus needs at least one")
    return Prepared(plain(found), "compute")


def run(work: Work) -> bool:
    """Make the corpus; whether all of it is done."""
    write_whole(work.folder / RECIPE, json.dumps(dict(work.job.recipe), indent=2) + "\n")
    recipe = place_corpus(parse_corpus(work.job.recipe), work.store, work.settings.home)
    ready = make_ready(placed(recipe, work.settings.data))
    watched, folder = Watched(work), work.folder / FOLDER
    if make_corpus(ready, folder, watched.report, watched.stopped) is not None:
        return True
    if work.wish() == "cancel":
        shutil.rmtree(folder, ignore_errors=True)
    return False


KIND = Kind(CorpusRecipe, prepare, run)
