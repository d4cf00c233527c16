"""What a run's evaluations look at: the loss of dev rows, and answers to some dev sentences as
readers would get them, each row scored from 0 to 1. The same rows every time.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.books import Books
from engine.branches import Runner
from engine.decoding import SenseDecoder
from engine.memory import give_back
from engine.prompt import FIELDS, SensePrompt
from trainer.evaluate import Evaluation, by_context, evaluate
from trainer.evaluation.errors import Judged, analyse, form_of, joined
from trainer.examples import Example
from trainer.free import Written, write_freely
from trainer.losses import AnswerLoss
from trainer.metrics import Scored, score, summarise
from trainer.model import readers_copy
from trainer.recipe import WIRE
from trainer.rows import Pack, make_batch
from trainer.training import Watched

_EVALUATION_BATCH = 32
_WRITTEN = 16  # rows that are answered with nothing to hold the model
_LONGEST_WIRE = 96  # tokens of an answer in JSON


@dataclass(frozen=True)
class Watch:
    """Evaluates a model in training. `guard`: examples that are answered, () for none."""

    dev: Sequence[Pack]
    guard: Sequence[Example]
    prompt: SensePrompt
    books: Books
    threshold: float
    favour: float
    compute: torch.dtype

    @torch.no_grad()
    def __call__(self, model: nn.Module) -> Watched:
        figures = dev_scores(model, self.dev, self.compute)
        if not self.guard:
            return Watched(figures)
        clock = time.monotonic()
        judged = self._free(model) if self.prompt.style == WIRE else self._bounded(model)
        rows = [row for mine in judged for row in mine]
        figures["answer_ms"] = 1000 * (time.monotonic() - clock) / len(rows)
        form, written = self._form(model)
        figures |= summarise([row.scored for row in rows]) | form
        return Watched(
            figures,
            tuple(statistics.fmean(worth(row.scored) for row in mine) for mine in judged),
            joined(analyse(rows), written),
        )

    def _bounded(self, model: nn.Module) -> list[list[Judged]]:
        runner = Runner(readers_copy(model))
        decoder = SenseDecoder(runner, self.prompt, self.books, self.threshold, self.favour)
        found = evaluate(decoder, self.guard)
        del runner, decoder
        give_back()
        judged: dict[str, list[Judged]] = {}
        for e, answer, scored in zip(found.examples, found.answers, found.scored):
            row = Judged(e.query, e.sense, answer.sense, scored)
            judged.setdefault(e.query.context, []).append(row)
        return list(judged.values())

    def _free(self, model: nn.Module) -> list[list[Judged]]:
        found = []
        for mine in by_context(self.guard).values():
            written = write_freely(model, self.prompt, [e.query for e in mine], _LONGEST_WIRE)
            found.append([_judged(e, one) for e, one in zip(mine, written)])
        return found

    def _form(self, model: nn.Module) -> tuple[dict[str, float], dict[str, Any]]:
        """What the model writes when nothing holds it: whether it is an answer and ends, of how
        many rows, and those that do not."""
        most = _LONGEST_WIRE if self.prompt.style == WIRE else 32
        rows = self.guard[:_WRITTEN]
        with torch.autocast(
            next(model.parameters()).device.type,
            self.compute,
            enabled=self.compute != torch.float32,
        ):
            written = write_freely(model, self.prompt, [e.query for e in rows], most)
        figures = {
            "valid": statistics.fmean(one.sense is not None for one in written),
            "ended": statistics.fmean(one.ended for one in written),
            "written": len(written),
        }
        judged = [_judged(e, one) for e, one in zip(rows, written)]
        return figures, analyse(judged, form_of)


def _judged(example: Example, written: Written) -> Judged:
    """What was written freely, as an answer or as none."""
    sense, query = written.sense, example.query
    scored = score(query, example.sense, sense, example.fields) if sense else missing(example)
    return Judged(query, example.sense, sense, scored, written.text, not written.ended)


def worth(row: Scored) -> float:
    """A row's score: the share of its known fields that are right, 0 to 1."""
    phrase = row.hit if row.wanted else not row.found
    right = {"class": row.word_class, "meaning": row.meaning, "phrase": phrase}
    return statistics.fmean(good for name, good in right.items() if name in row.known)


def missing(example: Example) -> Scored:
    """The score of what is no answer at all."""
    wanted = example.sense.phrase is not None
    return Scored(False, False, wanted, not wanted, False, False, 0.0, example.fields)


def by_sentence(evaluation: Evaluation) -> list[list[Scored]]:
    """The scored rows of each sentence."""
    groups: dict[str, list[Scored]] = {}
    for example, scored in zip(evaluation.examples, evaluation.scored):
        groups.setdefault(example.query.context, []).append(scored)
    return list(groups.values())


def choose_rows(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    """About `count` examples, all of a sentence or none; the same ones always."""
    groups = sorted(by_context(examples).items())
    random.Random(seed).shuffle(groups)
    chosen: list[Example] = []
    for _, mine in groups:
        if len(chosen) >= count:
            break
        chosen += [e for e in mine if set(e.fields) & {"class", "meaning", "phrase"}]
    return chosen


@torch.no_grad()
def dev_scores(
    model: nn.Module, packs: Sequence[Pack], compute: torch.dtype = torch.float32
) -> dict[str, float]:
    """Loss a token, and for each field the share of rows whose every token is the likeliest
    given the right ones before it. An upper bound on decoding, cheap enough to watch."""
    loss = AnswerLoss(model, compute)
    device = next(model.parameters()).device
    total, tokens = 0.0, 0
    right = dict.fromkeys(FIELDS, 0)
    count = dict.fromkeys(FIELDS, 0)
    ordered = sorted(packs, key=len)
    for start in range(0, len(ordered), _EVALUATION_BATCH):
        batch = make_batch(ordered[start : start + _EVALUATION_BATCH]).to(device)
        losses, hits = loss(batch)
        known = batch.weight > 0
        total, tokens = total + losses[known].sum().item(), tokens + int(known.sum())
        for number, name in enumerate(FIELDS):
            mine = known & (batch.field == number)
            wrong = set(batch.row[mine & ~hits].tolist())
            asked = set(batch.row[mine].tolist())
            count[name] += len(asked)
            right[name] += len(asked - wrong)
    shares = {name: right[name] / count[name] for name in FIELDS if count[name]}
    return {"dev_loss": total / max(1, tokens), **shares}
