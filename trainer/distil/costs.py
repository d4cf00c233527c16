"""What a KD teacher takes of a run, before it starts: memory beside the student, what it says on
disk, and the work to ask it. Reads configs, tokenizers and an adapter, never loads a model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from engine.checking import WEIGHTS, read_adapter
from engine.models import choose, find_base, load_tokenizer
from engine.settings import Settings
from trainer.distil.cache import (
    Lesson,
    bytes_of,
    bytes_there,
    lesson_hash,
    make_lesson,
    taught_folder,
    tokens_read,
)
from trainer.distil.setting import scored_ids
from trainer.distil.teacher import shared_tokens, teacher_folder, version_of
from trainer.order import Order
from trainer.recipe import Recipe, on_base
from trainer.shape import read_shape
from trainer.tasks import task_of

# In multiply-adds of training, as seen on two AVX-512 cores: one that no gradient goes through, and
# a logit's way through softmax and sorting.
_FORWARD, _LOGIT = 0.5, 870


@dataclass(frozen=True)
class Costs:
    """A teacher's share of a run. `positions`: answer tokens that it is asked about, of each of
    which `top` tokens are kept; `cache_bytes` of them on disk (0: it is asked at every step),
    `left_bytes` of these not there yet; `work`: multiply-adds of what is still to be asked;
    `seconds`: how long that takes, None where it is not known."""

    memory_gb: float
    top: int
    positions: int
    cache_bytes: int
    left_bytes: int
    work: float
    seconds: float | None = None


def costs_of(
    recipe: Recipe, order: Order, prompt: Any, base: Path, home: Path, settings: Settings
) -> Costs:
    """What the recipe's teacher takes of a run of this order on the base in the folder `base`;
    RecipeError where there is no such teacher, or its tokens are not the student's."""
    folder = teacher_folder(recipe, home, settings)
    own = folder is not None and not (folder / WEIGHTS).is_file()  # a model's, no adapter's
    shape = read_shape(folder if folder and own else base)
    lesson, distil = make_lesson(order.packs()), recipe.distil
    size = len(prompt.tokenizer)
    candidates = task_of(recipe).candidates(recipe, prompt, size, order.packs_of(0))
    scored = scored_ids(candidates, order.packs())
    ids = shape.vocabulary if scored is None else len(scored)
    once = _FORWARD * (tokens_read(lesson) * shape.body + lesson.tokens * ids * shape.width)
    once += _LOGIT * lesson.tokens * ids
    model = shape.whole * choose(settings).dtype.itemsize
    top = min(distil.top, ids)
    if not distil.cached:
        passes = order.steps * recipe.accumulation / len(order.batches_of(0))
        return Costs(round(model / 1e9, 2), top, lesson.tokens, 0, 0, passes * once)
    whole = bytes_of(lesson.tokens, top)
    there = 0
    if not distil.cut_vocabulary:  # which tokens a student of few has is known when it is made
        shared = _shared(folder, prompt.tokenizer) if folder and own else None
        there = _there(recipe, lesson, folder, own, scored, shared, settings)
    left = max(0, whole - there)
    memory = model + 2 * whole  # parts of it are joined
    share = left / whole if whole else 0.0
    return Costs(round(memory / 1e9, 2), top, lesson.tokens, whole, left, share * once)


def _shared(folder: Path, mine: PreTrainedTokenizerBase) -> torch.Tensor | None:
    return shared_tokens(load_tokenizer(str(folder)), mine)


def _there(
    recipe: Recipe,
    lesson: Lesson,
    folder: Path | None,
    own: bool,
    scored: torch.Tensor | None,
    shared: torch.Tensor | None,
    settings: Settings,
) -> int:
    """Bytes of what the teacher said of the same rows before; 0 where only the hub knows which base
    it is."""
    mine = replace(settings, base=str(folder)) if own else on_base(recipe, settings)
    _, name, revision = find_base(mine)
    if not revision:
        return 0
    adapter = read_adapter(folder).version if folder and not own else ""
    version = version_of(f"{name}@{revision}", adapter, choose(mine).dtype_name)
    top = recipe.distil.top
    digest = lesson_hash(lesson, version, top, scored, shared)
    return bytes_there(taught_folder(settings.home, digest))
