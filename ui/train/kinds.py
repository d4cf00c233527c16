"""What the runs of the Train tab are, whatever their kind: a job's kind, recipe, data and folder as
its page tells them. Knows no gradio.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from db.store import Job

TRAIN, CORPUS, SCRATCH, QUANTISE = KINDS = ("train", "corpus", "scratch", "quantise")
TOKENIZER, PRETRAIN, FINETUNE = PHASES = ("tokenizer", "pretrain", "finetune")
FROM_NOTHING = (CORPUS, *PHASES)
_SHORT = 60  # characters of what a run learns from


def kind_of(job: Job) -> str:
    """train, corpus, tokenizer, pretrain, finetune or quantise."""
    return str(job.recipe.get("phase", SCRATCH)) if job.kind == SCRATCH else job.kind


def recipe_of(job: Job) -> Mapping[str, Any]:
    """The recipe that the form was filled with."""
    found = job.recipe.get("recipe", {}) if job.kind == SCRATCH else job.recipe
    return found if isinstance(found, Mapping) else {}


def pair_of(job: Job) -> str:
    """The run's languages: `de-en`, or `de` of a corpus of lines."""
    recipe = recipe_of(job)
    return str(recipe.get("languages" if job.kind == CORPUS else "pair", ""))


def learns_from(job: Job) -> str:
    """What a run that trains no adapter takes its text or its rows from, in a few words."""
    recipe = recipe_of(job)
    if recipe.get("dataset"):
        return str(recipe["dataset"])
    files = recipe.get("sources") or recipe.get("train") or ()
    told = ", ".join(short_name(str(one)) for one in files)
    return told if len(told) <= _SHORT else f"{told[:_SHORT]}…"


def short_name(source: str) -> str:
    """A source without its folders; of a corpus that a run made with the run's number."""
    path = Path(source.replace("\\", "/"))
    if path.parent.name == CORPUS and path.parent.parent.name.isdecimal():
        return f"{path.parent.parent.name}/{path.name}"
    return path.name if "/" in source and not source.startswith("hub:") else source


def result_folder(job: Job, folder: Path) -> Path:
    """Where in its folder a run leaves its checkpoints."""
    if job.kind != SCRATCH:
        return folder / CORPUS if job.kind == CORPUS else folder
    phase, start = kind_of(job), job.recipe.get("start")
    return folder / ("random" if phase == FINETUNE and start == "random" else phase)


def started_from(job: Job) -> str:
    """What a run from nothing goes on from, as pages say it: "", random, or run:7."""
    start = str(job.recipe.get("start", ""))
    run = Path(start).parent.parent.name
    return f"run:{run}" if run.isdecimal() else start


def own_command(job: Job, folder: Path) -> str:
    """The command that does the same as a run from nothing, for a shell."""
    recipe = shlex.quote(str(folder / "recipe.json"))
    if job.kind == CORPUS:
        made = shlex.quote(str(folder / CORPUS))
        return f"python -m trainer scratch corpus {made} --recipe {recipe}"
    phase, start = kind_of(job), str(job.recipe.get("start", ""))
    told = f" --start {shlex.quote(start)}" if phase == FINETUNE else ""
    return f"python -m trainer scratch {phase} {recipe} --folder {shlex.quote(str(folder))}{told}"


def corpus_report(folder: Path) -> Mapping[str, Any]:
    """The report of the corpus in a job's folder; {} where it is not done."""
    return read_object(folder / CORPUS / "report.json")


def tokenizer_costs(folder: Path) -> dict[str, Any]:
    """What each text costs in tokens of the tokenizer that a job made, as figures of a page."""
    costs = read_object(folder / "tokenizer.costs.json")
    return {
        text: {name: {"value": value} for name, value in found.items()}
        for text, found in costs.items()
    }


def read_object(file: Path) -> dict[str, Any]:
    """The JSON object in a file; {} where there is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
