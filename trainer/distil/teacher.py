"""The KD teacher: a base, an adapter over it, or a model's folder, of which the logits can be had.

Its tokens must be the student's: a student may lack some of them, never have others. Knows no data
and no student's weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.adapters import lean_copy, open_adapter
from engine.books import books_for
from engine.branches import Runner
from engine.catalogue import readers_folder
from engine.checking import CARD, WEIGHTS, Card, read_adapter, read_card
from engine.decoding import SenseDecoder
from engine.models import Base, load_base
from engine.prompt import SensePrompt
from engine.settings import Settings
from trainer.distil.losses import Said
from trainer.distil.recipe import BASE
from trainer.losses import CHUNK, Chosen, answer_states, logits_of
from trainer.recipe import PRESENT, Recipe, RecipeError, on_base
from trainer.rows import Batch

# Texts whose tokens must be the same: marks, gaps, case, numbers, scripts.
_PROBES = (
    " I'll call Tom back tomorrow.\n", " call back:", " verb call back|回|回电话\n", "naïve £5",
    " Supercalifragilistic 3.14-inch", "打电话…睡觉", "\t  x", "🙂",
)  # fmt: skip


@dataclass(frozen=True)
class Teacher:
    """A teacher. `base` holds its whole model, the adapter merged in; `name` is for people,
    `version` changes with anything that changes its logits; `plain` says on which base, `adapter`
    with which adapter's version ("": none), `folder` where that lies."""

    name: str
    version: str
    base: Base
    card: Card
    plain: str
    adapter: str = ""
    folder: Path | None = None

    def decoder(self) -> SenseDecoder:
        """The teacher as it answers readers."""
        card, runner = self.card, Runner(lean_copy(self.base))
        prompt = SensePrompt(self.base.tokenizer, card.style, card.pair.partition("-")[2])
        books = books_for(card.pair)
        return SenseDecoder(runner, prompt, books, card.phrase_threshold, card.phrase_favour)


def load_teacher(recipe: Recipe, home: Path, settings: Settings) -> Teacher:
    """The recipe's teacher, with its adapter merged in; its paths are relative to `home`.
    RecipeError, AdapterError or BaseError where there is none such."""
    settings, name = on_base(recipe, settings), recipe.distil.teacher
    folder = teacher_folder(recipe, home, settings)
    if folder is None or (folder / WEIGHTS).is_file():
        base = load_base(settings)
    else:
        base, card = load_base(replace(settings, base=str(folder))), read_card(folder / CARD)
        folder = None
        card = replace(card, pair=recipe.pair, style=recipe.style)
        return _as_told(base, card, f"{base.name}@{base.revision}")
    plain = f"{base.name}@{base.revision}"
    if folder is None:
        return _as_told(base, Card(BASE, pair=recipe.pair, style=recipe.style), plain)
    adapter = read_adapter(folder)
    card = adapter.card
    if (card.pair, card.task, card.style) != (recipe.pair, recipe.task, recipe.style):
        raise RecipeError(f"distil.teacher = {name!r}: it is of another pair, task or style")
    with torch.no_grad():
        merged = open_adapter(base.model, adapter, base, "default").merge_and_unload()
    whole = replace(base, model=merged.eval().requires_grad_(False))
    return replace(_as_told(whole, card, plain, adapter.version), folder=folder)


def teacher_folder(recipe: Recipe, home: Path, settings: Settings) -> Path | None:
    """Where the recipe's teacher lies, an adapter or a model; None: it is the base alone.
    RecipeError where there is none such."""
    name = recipe.distil.teacher
    if name == BASE:
        return None
    place: Path | None = home / name
    if name == PRESENT:
        place = readers_folder(settings, recipe.pair, recipe.task)
    if place is None or not place.is_dir():
        raise RecipeError(f"distil.teacher = {name!r}: there is no such adapter or model")
    return place


def _as_told(base: Base, card: Card, plain: str, adapter: str = "") -> Teacher:
    version = version_of(plain, adapter, base.choice.dtype_name)
    return Teacher(card.name, version, base, card, plain, adapter)


def version_of(plain: str, adapter: str, dtype: str) -> str:
    """What changes with anything that changes a teacher's logits."""
    return f"{plain}/{adapter or BASE}/{dtype}"


def shared_tokens(
    teacher: PreTrainedTokenizerBase, student: PreTrainedTokenizerBase
) -> torch.Tensor | None:
    """The teacher's id of each of the student's tokens, None where they have the same ids.
    RecipeError says why the two cannot be compared."""
    theirs, mine = teacher.get_vocab(), student.get_vocab()
    strange = sorted(set(mine) - set(theirs))
    if strange:
        raise RecipeError(
            f"distil.teacher: another tokenizer ({len(strange)} of the student's {len(mine)} tokens"
            f" are not the teacher's, {strange[0]!r} for one): learn from its answers instead, as a"
            " source of rows"
        )
    ids = [theirs[token] for token, _ in sorted(mine.items(), key=lambda one: one[1])]
    if sorted(mine.values()) != list(range(len(mine))):
        raise RecipeError("distil.teacher: the student's token ids have gaps")
    if len(mine) == len(theirs):
        _check_same(teacher, student, _PROBES)
    return None if ids == list(range(len(theirs))) else torch.tensor(ids)


def _check_same(
    teacher: PreTrainedTokenizerBase, student: PreTrainedTokenizerBase, texts: Sequence[str]
) -> None:
    for text in texts:
        both = [
            one.convert_ids_to_tokens(one(text, add_special_tokens=False).input_ids)
            for one in (teacher, student)
        ]
        if both[0] != both[1]:
            raise RecipeError(
                f"distil.teacher: its tokenizer has the student's tokens, but cuts {text!r} in"
                " other ones: learn from its answers instead, as a source of rows"
            )


class Asked:
    """A teacher that is asked about batches of the student's tokens. `shared`: its ids of these;
    `scored`: the student's ids, ascending, over which its probabilities are taken (None: all)."""

    def __init__(
        self,
        model: PreTrainedModel,
        shared: torch.Tensor | None,
        scored: torch.Tensor | None,
        top: int,
    ):
        self.model, self.shared, self.scored, self.top = model, shared, scored, top

    @torch.no_grad()
    def __call__(self, batch: Batch, chosen: Chosen | None = None) -> Said:
        """What it says at each answer token; over `chosen` ids, where these are given, with what
        some of them stand for."""
        ids = chosen.ids if chosen else self.scored
        theirs = batch.input_ids if self.shared is None else self.shared[batch.input_ids]
        picked, head, cap = answer_states(self.model, replace(batch, input_ids=theirs))
        rows = ids if self.shared is None else self.shared if ids is None else self.shared[ids]
        head = head if rows is None else head[rows]
        shift = 0.0 if chosen is None or chosen.shift is None else chosen.shift
        found = [
            _likeliest(logits_of(picked[start : start + CHUNK], head, cap) + shift, self.top)
            for start in range(0, len(picked), CHUNK)
        ]
        columns, logs, rest = (torch.cat(one) for one in zip(*found))
        return Said(columns if ids is None else ids[columns], logs, rest)


def _likeliest(logits: torch.Tensor, top: int) -> Said:
    """The `top` likeliest of some tokens' logits (tokens, ids), by their columns."""
    count = min(top, logits.shape[-1])
    logs, columns = logits.log_softmax(-1).topk(count)
    if count == logits.shape[-1]:
        return Said(columns, logs, torch.full_like(logs[:, 0], float("-inf")))
    others = logits.log_softmax(-1).scatter(-1, columns, float("-inf")).logsumexp(-1)
    return Said(columns, logs, others)


Ask = Callable[[Batch], Said]
