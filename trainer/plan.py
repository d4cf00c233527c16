"""Before a run: what it will be, whether it can fit, and rows as the model sees them.

Memory and time are estimates from the counts below, measured on the embedded base; a run says
itself how much it takes. Loads a tokenizer, never a model.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import psutil
from huggingface_hub import snapshot_download
from transformers import PreTrainedTokenizerBase

from db.store import Store
from engine.models import BaseError, check_here, choose, embedded_folder, load_tokenizer
from engine.settings import Settings
from trainer.distil.costs import Costs, costs_of
from trainer.evaluation.during import holds_base, is_scored
from trainer.evaluation.embedding import kept_layers
from trainer.jobs.frozen import place
from trainer.order import Order
from trainer.recipe import FULL, Recipe, RecipeError, on_base
from trainer.rows import Pack, pieces
from trainer.run import make_order, start_folder
from trainer.shape import Shape, read_shape
from trainer.splits import Splits, load_splits
from trainer.tasks import task_of

_PROGRAM_GB = 0.9  # python, torch and the rows
_CHECKPOINTS = 4  # states kept at a time, and the one being written
_ROW_BYTES = 20_000  # an example with its tokens
_SAMPLED = 200  # packs whose length stands for all


@dataclass(frozen=True)
class Plan:
    """What a run will be. Memory is of the whole process at its peak; `seconds` is None where
    nothing was measured on such a machine; `refusal` names why it cannot be run, with `detail`;
    `teacher` is what of memory and time a KD teacher takes, and its disk."""

    rows: int
    sentences: int
    tokens: int
    steps: int
    parameters: int
    memory_gb: float
    free_gb: float
    seconds: float | None
    refusal: str
    detail: str
    teacher: Costs | None = None


@dataclass(frozen=True)
class Shown:
    """A row as the model sees it: its tokens, and which of them count in the loss."""

    tokens: tuple[str, ...]
    counts: tuple[bool, ...]


def plan(recipe: Recipe, folder: Path, settings: Settings, store: Store) -> Plan:
    """What a job of this recipe will be; RecipeError or Refused where it cannot be one. Paths are
    relative to `folder`."""
    splits, _ = load_splits(place(recipe, store, settings.home)[0], folder, settings)
    if not recipe.start.endswith(".json"):
        start_folder(recipe, folder, settings)
    return estimate(recipe, splits, settings, base_folder(on_base(recipe, settings)), folder)


def preview(
    recipe: Recipe, folder: Path, settings: Settings, store: Store, count: int = 10
) -> tuple[Shown, ...]:
    """The first rows of a job's first epoch as the model sees them."""
    splits, _ = load_splits(place(recipe, store, settings.home)[0], folder, settings)
    return show_rows(recipe, splits, base_folder(on_base(recipe, settings)), count)


def base_folder(settings: Settings) -> Path:
    """Where the base's config and tokenizer are; BaseError where it is not here."""
    if settings.base == "embedded":
        return embedded_folder(settings.home)
    folder = Path(settings.base).expanduser()
    if folder.is_dir():
        return folder
    return Path(snapshot_download(settings.base, allow_patterns="*.json"))


def estimate(
    recipe: Recipe, splits: Splits, settings: Settings, base: Path, home: Path = Path()
) -> Plan:
    """What the recipe's run on these examples will be, on the base in the folder `base`; the path
    of its teacher is relative to `home`. RecipeError where there is nothing to train on, or no such
    teacher."""
    prompt = task_of(recipe).prompt(load_tokenizer(str(base)), recipe)
    order = make_order(recipe, splits["train"], prompt)
    shape = read_shape(base)
    if recipe.distil.layers_out >= shape.layers:
        raise RecipeError(f"distil.layers_out: the base has {shape.layers} layers")
    teacher = None
    if recipe.distil.teacher:
        found = costs_of(recipe, order, prompt, base, home, settings)
        teacher = replace(found, seconds=_time(found.work, settings))
    shape = replace(shape, layers=shape.layers - recipe.distil.layers_out)
    longest, mean = _lengths(order, recipe.tokens_at_once)
    trained = shape.trained(recipe)
    loaded = sum(map(len, splits.values()))
    memory = memory_gb(recipe, shape, longest, loaded, quantised=recipe.quantised)
    memory += scoring_gb(recipe, settings) + (teacher.memory_gb if teacher else 0)
    free = psutil.virtual_memory().available / 1e9
    refusal, detail = _lacking(memory, free, _CHECKPOINTS * trained * 12, teacher, settings)
    batches = order.steps * recipe.accumulation
    seconds = _seconds(recipe, shape, mean * batches, settings)
    if seconds is not None and teacher:
        seconds += teacher.seconds or 0
    return Plan(
        order.rows, len({pack.prefix for pack in order.packs_of(0)}), round(mean * batches),
        order.steps, trained, round(memory, 2), round(free, 2), seconds, refusal, detail, teacher,
    )  # fmt: skip


def _lacking(
    memory: float, free: float, checkpoints: float, teacher: Costs | None, settings: Settings
) -> tuple[str, str]:
    """What the machine has too little of, and how much is needed: GB of memory, bytes of disk."""
    room, disk = shutil.disk_usage(settings.home).free / 1e9, checkpoints / 1e9
    said = teacher.left_bytes / 1e9 if teacher else 0.0
    if memory > free:
        return "memory", f"{memory:.1f} GB are needed and {free:.1f} GB are free"
    if disk > room:
        return "disk", f"{disk:.1f} GB are needed for checkpoints and {room:.1f} GB are free"
    if teacher and disk + said > room:
        needed = f"{teacher.top} tokens at {teacher.positions:,} positions: {said:.1f} GB"
        return "cache", (
            f"what the teacher says, {needed}, and {disk:.1f} GB for checkpoints are needed and"
            f" {room:.1f} GB are free"
        )
    return "", ""


def scoring_gb(recipe: Recipe, settings: Settings) -> float:
    """What the base that the embedding score needs takes beside a run, where it is not the run's
    own; 0 where it is not here, and is left out."""
    if not is_scored(recipe) or holds_base(recipe, settings):
        return 0.0
    try:
        check_here(settings)
    except BaseError:
        return 0.0
    shape = read_shape(base_folder(settings))
    lower = replace(shape, layers=kept_layers(shape.layers))
    return lower.whole * choose(settings).dtype.itemsize / 1e9


def _lengths(order: Order, most: int) -> tuple[int, float]:
    """Tokens, padded, of the largest piece that goes through the model at once, and of an average
    batch."""
    batches = list(islice(order.batches_of(0), _SAMPLED))
    cut = [[max(map(len, p)) * len(p) for p in pieces(batch, most)] for batch in batches]
    return max(map(max, cut)), sum(map(sum, cut)) / len(cut)


def memory_gb(
    recipe: Recipe, shape: Shape, tokens: int, rows: int = 0, quantised: bool = False
) -> float:
    """What a run takes at its peak with this many tokens in a batch and rows in all, in GB."""
    full = recipe.matrices == FULL
    bytes_each = 4 if full else 2
    base: float = shape.vocabulary * shape.width * bytes_each
    base += shape.body * (0.6 if quantised else bytes_each)
    states = shape.trained(recipe) * (12 if full else 16)  # gradient, two moments; LoRA's weights
    kept = tokens * (shape.width * 8 + shape.inner * 4 + 2 * shape.queries) * 4
    activations = kept * (shape.layers * (0.15 if recipe.checkpointing else 1.0) + 2)
    answers = 64 * min(shape.vocabulary, 40_000) * 4 * 6
    # An evaluation merges a copy and lays it out once more; the head's chosen rows are a copy, too.
    copied = 40_000 * shape.width * 4 + (0 if full or quantised else shape.body * 4)
    parts = base + states + activations + answers + copied + rows * _ROW_BYTES
    return _PROGRAM_GB + parts / 1e9


# Multiply-adds a second of a core in training, as seen on two AVX-512 cores.
_PER_CORE = {"bfloat16": 3.0e10, "float32": 1.2e10}


def _seconds(recipe: Recipe, shape: Shape, tokens: float, settings: Settings) -> float | None:
    """About how long the steps take on a CPU; None on other devices."""
    time = _time(tokens * shape.body * (3 if recipe.matrices == FULL else 2.2), settings)
    if time is None:
        return None
    return time * (1.4 if recipe.quantised else 1.0) * (1.3 if recipe.checkpointing else 1)


def _time(work: float, settings: Settings) -> float | None:
    """Seconds that so many multiply-adds take on a CPU; None on other devices."""
    if settings.device not in ("auto", "cpu"):
        return None
    choice = choose(settings)
    if choice.device != "cpu":
        return None
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    speed: float = cores * _PER_CORE.get(choice.dtype_name, 1e10)
    return work / speed


def show_rows(recipe: Recipe, splits: Splits, base: Path, count: int) -> tuple[Shown, ...]:
    """The first rows of an epoch as the model sees them."""
    tokenizer = load_tokenizer(str(base))
    prompt = task_of(recipe).prompt(tokenizer, recipe)
    order = make_order(recipe, splits["train"], prompt)
    rows = (
        _shown(tokenizer, pack, number)
        for batch in order.batches_of(0)
        for pack in batch
        for number in range(len(pack.rows))
    )
    return tuple(islice(rows, count))


def _shown(tokenizer: PreTrainedTokenizerBase, pack: Pack, number: int) -> Shown:
    row = pack.rows[number]
    asked = (*pack.prefix, *row.question)
    tokens = [str(tokenizer.decode([token])) for token in (*asked, *row.answer)]
    counts = [False] * len(asked) + [weight > 0 for weight in row.weights]
    return Shown(tuple(tokens), tuple(counts))
