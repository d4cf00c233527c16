"""What distillation changes about a run: its base where the student is one of its own, its rows,
what a step's softmax sees, its loss. Everything else is the run's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.models import Base
from engine.settings import Settings
from engine.wordbook import shipped_wordbook
from trainer.distil.cache import keep, lesson_hash, make_lesson, taught_folder
from trainer.distil.layers import Measured, layers_of, measure
from trainer.distil.losses import DistilLoss, Say, WithSaid
from trainer.distil.student import FILE, FOLDER, Cut, build, bytes_of, read_cut
from trainer.distil.teacher import Asked, Teacher, load_teacher, shared_tokens
from trainer.distil.vocabulary import cut, task_tokens, word_tokens
from trainer.losses import AnswerLoss, Candidates, Chosen, Weighed, Whole
from trainer.order import Order
from trainer.recipe import SENSE, Recipe, RecipeError
from trainer.rows import Pack
from trainer.splits import Splits
from trainer.tasks import task_of
from trainer.translated import first_of_each
from trainer.watch import choose_rows

MEASURED_ROWS = 100  # dev rows that layers are measured on

Report = Callable[[dict[str, Any]], None]
MakeLoss = Callable[[nn.Module, torch.dtype], AnswerLoss]


@dataclass(frozen=True)
class Taught:
    """A run's order of batches, what its steps' softmax sees, and its loss."""

    order: Order
    candidates: Candidates
    make_loss: MakeLoss


class Distillation:
    """A run with its teacher. `settings` name the base that the student is trained on."""

    def __init__(
        self,
        recipe: Recipe,
        splits: Splits,
        home: Path,
        folder: Path,
        settings: Settings,
        report: Report,
    ):
        self.recipe, self.folder, self.report = recipe, folder, report
        self.home = settings.home
        self.teacher = load_teacher(recipe, home, settings)
        self.settings = settings
        if recipe.distil.is_cut:
            place = make_student(recipe, splits, self.teacher, folder / FOLDER, report)
            self.settings = replace(settings, base=str(place))

    def teach(self, base: Base, untaught: Taught, stopped: Callable[[], bool]) -> Taught | None:
        """The run's rows with what the teacher says of them; None where it was asked to stop."""
        order, candidates = untaught.order, untaught.candidates
        distil, teacher = self.recipe.distil, self.teacher
        shared = shared_tokens(teacher.base.tokenizer, base.tokenizer)
        packs = order.packs()
        device = base.model.device
        scored = scored_ids(candidates, packs)
        ask = Asked(teacher.base.model, _on(shared, device), _on(scored, device), distil.top)
        lesson = make_lesson(packs)
        say: Say = ask
        if distil.cached:
            digest = lesson_hash(lesson, teacher.version, distil.top, scored, shared)
            place = taught_folder(self.home, digest)
            kept = keep(lesson, ask, place, distil.top, self.report, stopped, device)
            if kept is None:
                return None
            say = kept
            candidates = WithSaid(candidates, kept)

        def make_loss(model: nn.Module, compute: torch.dtype) -> AnswerLoss:
            return DistilLoss(model, compute, distil, say)

        return Taught(order.changed(lesson.taught), candidates, make_loss)


def _on(ids: torch.Tensor | None, device: torch.device) -> torch.Tensor | None:
    return None if ids is None else ids.to(device)


def scored_ids(candidates: Candidates, packs: list[Pack]) -> torch.Tensor | None:
    """The ids over which the teacher's probabilities are taken: those that the task can write, and
    those that the rows are made of. None: all, as in the steps of a run that sees all, or where
    some stand for all."""
    if isinstance(candidates, (Whole, Weighed)):
        return None
    seen = set(candidates.task.tolist())
    for pack in packs:
        seen.update(pack.prefix)
        for row in pack.rows:
            seen.update(row.question, row.answer)
    return torch.tensor(sorted(seen))


def make_student(
    recipe: Recipe, splits: Splits, teacher: Teacher, folder: Path, report: Report
) -> Path:
    """The folder of the recipe's student, cut from its teacher; it is made where it is not there.
    Tells which layers went, by what measure, and how many parameters stay."""
    if (folder / FILE).is_file():
        read_cut(folder / FILE)
        return folder
    distil, base = recipe.distil, teacher.base
    whole = len(layers_of(base.model))
    tokens: tuple[int, ...] = ()
    layers = tuple(range(whole))
    if distil.cut_vocabulary:
        tokens = _tokens(recipe, splits, base)
    if distil.layers_out:
        measured = _measured(recipe, splits, base)
        report({"event": "layers", "by": distil.importance, **measured.told()})
        layers = measured.kept
    made = build(Cut(teacher.plain, teacher.adapter, whole, layers, tokens), teacher, folder)
    report({
        "event": "student", "layers": len(layers), "of_layers": whole,
        "tokens": len(tokens) or len(base.tokenizer), "of_tokens": len(base.tokenizer),
        "teacher_bytes": bytes_of(base.model), "bytes": bytes_on_disk(made),
    })  # fmt: skip
    return made


def _tokens(recipe: Recipe, splits: Splits, base: Base) -> tuple[int, ...]:
    """The ids that a student of words keeps."""
    task = task_of(recipe)
    prompt = task.prompt(base.tokenizer, recipe)
    seen = task.packs(recipe, splits["train"], prompt)  # no other split may choose tokens
    words = frozenset(shipped_wordbook().words if recipe.pair.startswith("en-") else ())
    used = task_tokens(prompt, seen, (f" {word}" for word in sorted(words)))
    return cut(base.tokenizer, used | word_tokens(base.tokenizer, words)).kept


def _measured(recipe: Recipe, splits: Splits, base: Base) -> Measured:
    """What each layer is worth for dev rows, and which go."""
    distil, task = recipe.distil, task_of(recipe)
    count = len(layers_of(base.model))
    if distil.layers_out >= count:
        raise RecipeError(f"distil.layers_out: the teacher has {count} layers")
    prompt, chosen = task.prompt(base.tokenizer, recipe), None
    if recipe.task == SENSE:
        dev = task.packs(recipe, choose_rows(splits["dev"], MEASURED_ROWS, recipe.seed), prompt)
        seen = task.packs(recipe, splits["train"], prompt)
        ids = sorted(task_tokens(prompt, seen + dev, ()))
        chosen = Chosen(torch.tensor(ids).to(base.model.device))
    else:
        rows = first_of_each(splits["dev"], MEASURED_ROWS, recipe.seed)
        dev = task.packs(recipe, rows, prompt)
    return measure(base.model, dev, distil.layers_out, distil.importance, chosen)


def bytes_on_disk(folder: Path) -> int:
    """Bytes of a model's weights in its folder."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))
