"""The kind `scratch`: one step of a model from nothing, its tokenizer, its pre-training or its
fine-tuning, in the job's folder. What it tells is events, as of any training run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.files import write_whole
from trainer.fields import RecipeError
from trainer.jobs.kinds import JobError, Kind, Prepared
from trainer.jobs.recipes import described, parse, require
from trainer.jobs.watched import Watched
from trainer.jobs.work import Work

if TYPE_CHECKING:
    from trainer.scratch.recipe import ScratchRecipe

TOKENIZER, PRETRAIN, FINETUNE = PHASES = ("tokenizer", "pretrain", "finetune")
RANDOM = "random"
ADAPTER = "adapter"  # in the job's folder: as what any training run makes
_TOKENIZER = "tokenizer.json"


@dataclass(frozen=True)
class ScratchJob:
    """Which step, and what it begins with."""

    phase: str = described("the step: tokenizer, pretrain or finetune", TOKENIZER)
    start: str = described(
        "of a fine-tuning: the folder of the weights it goes on from, or random", RANDOM
    )
    tokenizer: str = described("the folder of the tokenizer; empty: it is made of the texts", "")
    recipe: dict = described("the recipe of the model: data, shape, steps", None)

    def __post_init__(self) -> None:
        require(self, {"phase": self.phase in PHASES, "start": bool(self.start),
                       "recipe": isinstance(self.recipe, Mapping)})  # fmt: skip


def prepare(recipe: Mapping[str, Any]) -> Prepared:
    """The recipe made whole; JobError says what is wrong with it."""
    found = parse(ScratchJob, recipe)
    whole = {**asdict(found), "recipe": asdict(_recipe(found))}
    return Prepared(json.loads(json.dumps(whole)), "compute")


def run(work: Work) -> bool:
    """Do the step; whether all of it is done."""
    from trainer.checkpoints import discard
    from trainer.scratch.frozen import place_frozen
    from trainer.scratch.recipe import FILE, save_scratch
    from trainer.scratch.run import Place, finetune, make_tokenizer, pretrain

    job, watched = parse(ScratchJob, work.job.recipe), Watched(work)
    save_scratch(_recipe(job), work.folder / FILE)
    recipe = place_frozen(_recipe(job), work.store, work.settings.home)
    place = Place(recipe, work.folder, work.folder, work.settings, watched.report, watched.stopped)
    _bring_tokenizer(job, work.folder)
    if job.phase == TOKENIZER:
        make_tokenizer(place)
        return True
    made = pretrain(place) if job.phase == PRETRAIN else finetune(place, job.start)
    if made is None and work.wish() == "cancel":
        discard(result_folder(work.folder, job.phase, job.start))
    if made and job.phase == FINETUNE:
        _offer(made, work.folder / ADAPTER)
    return made is not None


def _offer(made: Path, folder: Path) -> None:
    """Write the translator where the catalogue of models finds what runs made."""
    from trainer.scratch.export import export
    from trainer.scratch.folder import load_model

    if not folder.is_dir():
        model = load_model(made)
        export(model.net, model.codec, model.card, folder, both_ways=True)


def result_folder(folder: Path, phase: str, start: str = RANDOM) -> Path:
    """Where in a job's folder a step leaves its checkpoints, and its model in `model`."""
    return folder / (RANDOM if phase == FINETUNE and start == RANDOM else phase)


def _recipe(job: ScratchJob) -> ScratchRecipe:
    from trainer.scratch.recipe import parse_scratch

    try:
        return parse_scratch(dict(job.recipe))
    except RecipeError as error:
        raise JobError("bad_recipe", str(error)) from error


def _bring_tokenizer(job: ScratchJob, folder: Path) -> None:
    """Put the tokenizer that is asked for, or that of the weights it goes on from, into the folder:
    another's tokens mean something else. ScratchError where there is none, or not whole."""
    from trainer.scratch.tokenizer import load_codec

    there = folder / _TOKENIZER
    wanted = job.tokenizer or (job.start if job.phase == FINETUNE and job.start != RANDOM else "")
    if not wanted or there.exists():
        return
    write_whole(there, load_codec(Path(wanted)).tokenizer.to_str(pretty=True))


KIND = Kind(ScratchJob, prepare, run)
