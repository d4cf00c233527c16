"""The last gate of a distilled student: how much of its teacher's score it holds on test sentences.

What falls through is not for readers, whatever reason somebody gives. Knows evaluations and cards.
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.checking import CARD
from engine.files import write_whole
from engine.translation import TranslationPrompt
from trainer.retention import sentence_scores
from trainer.splits import of_source, yardstick
from trainer.translated import first_of_each, text_scores, translate_rows, translated
from trainer.watch import choose_rows

if TYPE_CHECKING:
    from engine.decoding import SenseDecoder
    from trainer.card import Finished

FAILED, OTHER_BASE = "failed_gate", "other_base"
_DRAWS = 1000


@dataclass(frozen=True)
class Held:
    """What a student holds of its teacher's score on the test split: the share with its 95 %
    interval over sentences (drawn in pairs), and what was asked of share and lower end."""

    teacher: str
    sentences: int
    rows: int
    score: float
    teacher_score: float
    kept: float
    low: float
    high: float
    least: float
    least_low: float

    @property
    def passed(self) -> bool:
        return self.kept >= self.least and self.low >= self.least_low

    def told(self) -> dict[str, Any]:
        """The figures and the verdict, as plain data."""
        numbers = {k: round(v, 4) if isinstance(v, float) else v for k, v in vars(self).items()}
        return numbers | {"passed": self.passed}


def share_interval(
    mine: Sequence[float], theirs: Sequence[float], seed: int = 1
) -> tuple[float, float]:
    """The 95 % bootstrap interval of the share of the teacher's mean score that a student holds;
    sentences are drawn with both scores."""
    draw, pairs = random.Random(seed), list(zip(mine, theirs, strict=True))
    shares = []
    for _ in range(_DRAWS):
        drawn = draw.choices(pairs, k=len(pairs))
        standard = sum(b for _, b in drawn)
        shares.append(sum(a for a, _ in drawn) / standard if standard else 1.0)
    shares.sort()
    return shares[round(0.025 * (_DRAWS - 1))], shares[round(0.975 * (_DRAWS - 1))]


def held(
    name: str,
    mine: Sequence[float],
    theirs: Sequence[float],
    rows: int,
    least: float,
    least_low: float,
) -> Held:
    """What these sentences' scores say. Without sentences nothing is shown, and the gate closed."""
    if not mine:
        return Held(name, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, least, least_low)
    score, standard = statistics.fmean(mine), statistics.fmean(theirs)
    low, high = share_interval(mine, theirs)
    kept = score / standard if standard else 1.0
    return Held(
        name, len(mine), rows, score, standard, kept, low, high, least, least_low
    )  # fmt: skip


def judge_student(run: Finished, decoder: SenseDecoder) -> Held:
    """Compare a run's result, as it answers, with its teacher on test rows, those of the
    first of the run's sources that has some."""
    teacher, recipe = run.teacher, run.recipe
    assert teacher is not None
    test = of_source(run.splits["test"], yardstick(recipe, run.splits["test"]))
    rows = choose_rows(test, recipe.scored_rows, 1)
    if not rows:
        return held(teacher.name, (), (), 0, recipe.retention, recipe.distil.least_low)
    mine = sentence_scores(decoder, rows)
    theirs = sentence_scores(teacher.decoder(), rows)
    return held(teacher.name, mine, theirs, len(rows), recipe.retention, recipe.distil.least_low)


def judge_translator(run: Finished) -> Held:
    """The same of sentences, which both translate."""
    teacher, recipe = run.teacher, run.recipe
    assert teacher is not None
    test = of_source(run.splits["test"], yardstick(recipe, run.splits["test"]))
    rows = first_of_each(test, recipe.scored_rows)
    least, least_low = recipe.retention, recipe.distil.least_low
    if not rows:
        return held(teacher.name, (), (), 0, least, least_low)
    mine = translated(run, rows)
    prompt = TranslationPrompt(teacher.base.tokenizer, recipe.style)
    theirs = translate_rows(teacher.base.model, prompt, rows)
    scores, standards = (
        text_scores([(one.text, one.reference) for one in told]) for told in (mine, theirs)
    )
    return held(teacher.name, scores, standards, len(rows), least, least_low)


def verdict(found: Held, run: Finished, full: bool) -> dict[str, Any]:
    """What a card says of it: readers' base takes adapters of its own kind alone."""
    reason = "" if found.passed else FAILED
    if found.passed and (full or run.recipe.distil.is_cut):
        reason = OTHER_BASE
    shown = {
        "reference": found.teacher, "sentences": found.sentences, "score": round(found.score, 4),
        "reference_score": round(found.teacher_score, 4), "kept": round(found.kept, 4),
        "low": round(found.low, 4), "high": round(found.high, 4),
    }  # fmt: skip
    return {"fit": not reason, "reason": reason, "reference": shown, "gate": found.told()}


def note(run: Finished, told: dict[str, Any]) -> None:
    """Write a verdict into the run's card."""
    file = run.folder / CARD
    card = json.loads(file.read_text(encoding="utf-8")) | told
    write_whole(file, json.dumps(card, indent=2, ensure_ascii=False) + "\n")
