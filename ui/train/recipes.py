"""From a page's form to a recipe, and back: the form is made of the recipe's fields, whatever they
are. Every value comes from a stranger. Knows no gradio; imports the trainer when it is first asked.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from db.dataset.shipped import GOLD
from db.store import Dataset, Job, Refused, SentenceSet, Store, StoreError
from db.store.checks import MAX_NAME, check_text
from engine.script import is_written
from ui.desk import Bad, Reply, text_of
from ui.pairs import USUAL as USUAL_PAIR
from ui.strings.train_fields import CHINESE_HELP
from ui.train.kinds import KINDS

if TYPE_CHECKING:
    from trainer.jobs.queue import Jobs
    from trainer.recipe import Recipe

# The page has parts of their own for these, or there is nothing to choose.
ELSEWHERE = ("pair", "task", "base", "sources", "start")
USUAL: Reply = {"start": "present", "replay": 0.5, "reference": "present"}
# Whose probabilities a page may name: a path never comes from one.
TEACHERS = ("", "present", "base")
TEACHER = "distil.teacher"
RUN = "run:"
SENSE, TRANSLATION = TASKS = ("sense", "translation")
# Fields that say something of words only; a run of sentences has them as usual.
WORDS_ONLY = (
    "replay", "books", "structure_weight", "class_weight", "phrase_weight", "meaning_weight",
    "phrase_meaning_weight", "reference", "retention", "distil.cut_vocabulary",
)  # fmt: skip
_LARGEST = 2**53  # what pages can say exactly
_WEIGHTS = "adapter/adapter_model.safetensors"


def to_fields() -> list[Reply]:
    """The recipe's fields as the form needs them, in the recipe's order."""
    from trainer.recipe import TRANSLATION_STYLES, named_fields

    found = []
    for name, one in named_fields():
        choices = list(TEACHERS if name == TEACHER else one.metadata["choices"])
        for_sentences = list(TRANSLATION_STYLES) if name == "style" else choices
        if name not in ELSEWHERE:
            found.append({
                "name": name,
                "tasks": [SENSE] if name in WORDS_ONLY else list(TASKS),
                "kind": "choice" if choices else type(one.default).__name__,
                "choices": {SENSE: choices, TRANSLATION: for_sentences},
                "basic": one.metadata["basic"],
                "help": {
                    "en": one.metadata["help"],
                    "zh-CN": CHINESE_HELP.get(name, one.metadata["help"]),
                },
                "usual": USUAL.get(name, one.default),
            })  # fmt: skip
    return found


def to_presets() -> list[Reply]:
    """The presets as the page shows them; `start` stands apart from the form's fields."""
    from trainer.presets import list_presets
    from trainer.recipe import unfolded

    return [
        {
            "name": one.name,
            "title": dict(one.title),
            "for": dict(one.purpose),
            "tasks": [SENSE] if "distil" in one.recipe else list(TASKS),
            "start": one.recipe.get("start", USUAL["start"]),
            "values": {k: v for k, v in unfolded(one.recipe).items() if k not in ELSEWHERE},
        }
        for one in list_presets()
    ]


def read_recipe(asked: Reply, store: Store, jobs: Jobs) -> Recipe:
    """The recipe that a form states; Bad("bad_fields") names the fields that do not fit."""
    from trainer.recipe import RecipeError, folded, parse_recipe

    task = asked.get("task", SENSE)
    if task not in TASKS:
        raise Bad("not_understood")
    dataset = _find_dataset(asked.get("dataset"), task, store)
    values = _values(asked.get("values"))
    if task == TRANSLATION:
        values = {name: value for name, value in values.items() if name not in WORDS_ONLY}
    told: Reply = {"pair": dataset.pair, "task": task}
    if task == SENSE and not is_written(dataset.pair):
        raise Bad("pair_not_trained")
    if wrong := wrong_fields(values, told):
        raise Bad("bad_fields", fields=wrong)
    told["start"] = find_start(text_of(asked, "start"), jobs)
    if not _fits(_usual(told) | values | told):
        raise Bad("bad_fields", fields=["start"])
    told["sources"] = _sources(dataset.name, dataset.pair, task)
    if len(told["sources"]) == 1 and dataset.name != GOLD:
        told["replay"] = 0.0  # there are no older examples of this pair
    try:
        return parse_recipe(folded(values) | told)
    except RecipeError as error:
        raise Bad("bad_recipe", detail=str(error)[:300]) from None


def plain(recipe: Recipe) -> dict[str, Any]:
    """The recipe as the JSON that a job keeps."""
    return json.loads(json.dumps(asdict(recipe)))


def wrong_fields(values: Reply, told: Reply) -> list[str]:
    """The fields that do not fit a recipe of this pair and task: each by itself, or where all do
    those that clash."""
    usual = _usual(told)
    taught = {TEACHER: values[TEACHER]} if _fits(usual | {TEACHER: values.get(TEACHER)}) else {}
    alone = [name for name, value in values.items() if not _fits(usual | taught | {name: value})]
    if alone or _fits(usual | values):
        return alone
    without = [
        name for name in values if _fits(usual | {k: v for k, v in values.items() if k != name})
    ]
    return without or list(values)


def find_start(wanted: str, jobs: Jobs) -> str:
    """What a recipe's `start` says for "", "present" or a finished run ("run:7"): never a path that
    comes from a page."""
    if wanted in ("", "present"):
        return wanted
    number = wanted.removeprefix(RUN)
    if not wanted.startswith(RUN) or not (number.isascii() and number.isdecimal()):
        raise Bad("bad_fields", fields=["start"])
    try:
        job = jobs.get(min(int(number[:18]), _LARGEST))
    except Refused:
        raise Bad("bad_fields", fields=["start"]) from None
    if not has_adapter(job, jobs):
        raise Bad("bad_fields", fields=["start"])
    return str(jobs.folder(job.id) / "adapter")


def has_adapter(job: Job, jobs: Jobs) -> bool:
    """Whether the job is a run that ended with an adapter."""
    if job.kind != "train" or job.state != "done":
        return False
    return (jobs.folder(job.id) / _WEIGHTS).is_file()


def told_start(start: str, jobs: Jobs) -> str:
    """What a recipe goes on from, as pages say it: "", "present", "run:7", or the folder's name."""
    folders = {str(jobs.folder(job.id) / "adapter"): job.id for job in list_runs(jobs)}
    if start in folders:
        return f"{RUN}{folders[start]}"
    return start.replace("\\", "/").rsplit("/", 1)[-1]


def list_runs(jobs: Jobs, most: int = 1000) -> list[Job]:
    """The runs of all kinds, the newest first."""
    found: list[Job] = []
    before: int | None = None
    while page := jobs.list_jobs(before=before, limit=200):
        found += [job for job in page if job.kind in KINDS]
        before = page[-1].id
        if len(found) >= most:
            break
    return found[:most]


def dataset_of(recipe: Any) -> str:
    """The name of the dataset that a run learns: its source that is not older examples."""
    sources = recipe.get("sources") or [{}]
    return next((one for one in sources if not one.get("replay")), sources[0]).get("path", "")


def _find_dataset(name: object, task: str, store: Store) -> Dataset | SentenceSet:
    """The frozen dataset of that name, which must have something to learn."""
    sets = store.sentence_sets.list_sets if task == TRANSLATION else store.datasets.list_datasets
    for dataset in sets():
        if dataset.name == name:
            if not dataset.splits["train"]:
                raise Bad("too_few_rows")
            return dataset
    raise Bad("no_dataset")


def _values(values: object) -> Reply:
    """The form's values under names of fields, each of a kind that a field can have."""
    from trainer.recipe import named_fields

    if not isinstance(values, dict):
        raise Bad("not_understood")
    known = {name for name, _ in named_fields()} - set(ELSEWHERE)
    if set(values) - known:
        raise Bad("not_understood")
    return values


def _usual(told: Reply) -> Reply:
    return {"style": "short"} | told if told["task"] == TRANSLATION else told


def _fits(values: Reply) -> bool:
    from trainer.recipe import RecipeError, folded, parse_recipe

    try:
        if not all(map(_is_plain, values.values())) or values.get(TEACHER, "") not in TEACHERS:
            return False
        parse_recipe(folded(values))
    except (RecipeError, StoreError):
        return False
    return True


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return bool(check_text("field", value, MAX_NAME) or not value)
    return isinstance(value, bool | int | float) and -_LARGEST < value < _LARGEST


def _sources(name: str, pair: str, task: str) -> list[dict[str, Any]]:
    """The chosen dataset, and the older examples that it is mixed with: they ship with the app, of
    English words in Chinese."""
    older = GOLD if name == "gold" else "gold"  # no two sources are called alike
    gold = {"name": older, "path": GOLD, "format": "dataset", "replay": True}
    mine = {"name": name, "path": name, "format": "dataset", "times": 1}
    alone = name == GOLD or (pair, task) != (USUAL_PAIR, SENSE)
    return [mine] if alone else [gold, mine]
