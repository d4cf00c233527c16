"""An adapter's card: thresholds and calibration chosen on dev, scores on dev and test, failures.

Scores are those of decoding, the way readers get answers. `card.json` is for the engine and for
screens, `SCORES.md` says the same to people.
"""

from __future__ import annotations

import json
import platform
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from engine.adapters import merged_copy
from engine.books import Books, books_for
from engine.branches import Runner
from engine.checking import CARD, read_adapter
from engine.decoding import SenseDecoder
from engine.files import write_whole
from engine.lean import lean
from engine.models import Base
from engine.prompt import PROMPT_VERSION, SensePrompt
from engine.sense import to_wire
from trainer.evaluate import (
    Evaluation,
    calibrate_phrases,
    calibration_report,
    evaluate,
    fit_calibration,
    second_best_right,
    vote_on,
)
from trainer.examples import Example
from trainer.recipe import FULL, Recipe
from trainer.splits import Splits, of_source, yardstick
from trainer.unknown import in_unknown, known_phrases

if TYPE_CHECKING:
    from trainer.distil.teacher import Teacher

SCORES = "SCORES.md"
_MOST_ROWS = 200  # scored of a source beside the first
_FAILURES = 20
# Formats that know of each word asked, where they know it at all, whether it is in a phrase.
_WHOLE = {"flat", "sentences", "streusle"}

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Finished:
    """What a run came to: the adapter's or model's folder, the base without it, the recipe, its
    examples and what each source gave, the adapter it went on from, and its KD teacher."""

    folder: Path
    base: Base
    recipe: Recipe
    splits: Splits
    data: list[dict[str, Any]]
    start: Path | None = None
    teacher: Teacher | None = None


@dataclass(frozen=True)
class Scorer:
    """Answers and scores examples with one model, and with whatever books it is given."""

    runner: Runner
    prompt: SensePrompt
    threshold: float = 0.5
    favour: float = 0.0

    def __call__(self, books: Books, examples: list[Example]) -> Evaluation:
        return evaluate(self.decoder(books), examples)

    def decoder(self, books: Books) -> SenseDecoder:
        return SenseDecoder(self.runner, self.prompt, books, self.threshold, self.favour)


def write_card(run: Finished, tell: Report, most: int = 0) -> dict[str, Evaluation]:
    """Choose thresholds on dev, score, and write card.json and SCORES.md beside the adapter; what
    was scored. `most`: score so many rows of a source's split and no more; 0: all there is to know
    of the first source that has dev rows."""
    folder, base, recipe, splits = run.folder, run.base, run.recipe, run.splits
    runner = runner_of(run)
    prompt = SensePrompt(base.tokenizer, recipe.style, recipe.pair.partition("-")[2])
    first = yardstick(recipe, splits["dev"])  # the source that knows all fields
    books = books_for(recipe.pair)
    if most and run.start:
        begun = read_adapter(run.start).card
        threshold, favour = begun.phrase_threshold, begun.phrase_favour
    elif most and run.teacher:
        threshold, favour = run.teacher.card.phrase_threshold, run.teacher.card.phrase_favour
    else:
        threshold, favour = _thresholds(Scorer(runner, prompt), books, recipe, splits, most)
    tell({"event": "thresholds", "phrase_threshold": threshold, "phrase_favour": favour})
    score = Scorer(runner, prompt, threshold, favour)
    evaluations = {}
    sets = list(_brief_sets(recipe, splits, books, most) if most else _sets(recipe, splits, books))
    for done, (name, chosen, rows) in enumerate(sets):
        tell({"event": "scoring", "done": done, "of": len(sets)})
        if rows:
            evaluations[name] = score(chosen, rows)
            tell({"event": "scores", "scores": name, **evaluations[name].figures()})
    calibration = fit_calibration(evaluations[f"dev {first}"])
    held_out = evaluations.get(f"test {first}", evaluations[f"dev {first}"])
    card = {
        "name": recipe.name,
        "pair": recipe.pair,
        "task": recipe.task,
        "style": recipe.style,
        "prompt_version": PROMPT_VERSION,
        "base": f"{base.name}@{base.revision}",
        "phrase_threshold": threshold,
        "phrase_favour": favour,
        "books": books.version,
        "calibration": [round(calibration.slope, 4), round(calibration.shift, 4)],
        "calibration_on_test": calibration_report(held_out, calibration),
        "second_best_right": round(second_best_right(held_out), 4),
        "scores": {name: evaluation.figures() for name, evaluation in evaluations.items()},
        "failures": failures(held_out),
        "data": run.data,
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    write_whole(folder / SCORES, scores_page(card))
    write_whole(folder / CARD, json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    return evaluations


def runner_of(run: Finished) -> Runner:
    """What answers with a run's result: the base with the adapter, or the model itself."""
    if run.recipe.matrices == FULL:
        return Runner(lean(run.base.model))
    return Runner(merged_copy(run.base, read_adapter(run.folder)))


def _thresholds(
    score: Scorer, books: Books, recipe: Recipe, splits: Splits, most: int
) -> tuple[float, float]:
    """Threshold and favour that serve both phrases of the book and others: those that training
    never saw, and those of the other sources that know all of a sentence's phrases."""
    first = yardstick(recipe, splits["dev"])
    known = score.decoder(Books(known_phrases()) if recipe.pair == "en-zh" else books)
    few = partial(_some, most=most) if most else list[Example]
    in_book = vote_on(score.decoder(books), few(of_source(splits["dev"], first)))
    others = vote_on(known, few(unknown_rows(splits, first)))
    for source in recipe.sources:
        if source.name != first and source.format in _WHOLE:
            others += vote_on(known, few(of_source(splits["dev"], source.name)))
    return calibrate_phrases([voted for voted in (in_book, others) if voted])


def _brief_sets(
    recipe: Recipe, splits: Splits, books: Books, most: int
) -> Iterator[tuple[str, Books, list[Example]]]:
    """Dev and test rows of each source, `most` of each."""
    for source in recipe.sources:
        for split in ("dev", "test"):
            rows = _some(of_source(splits[split], source.name), most)
            yield f"{split} {source.name}", books, rows


def _sets(
    recipe: Recipe, splits: Splits, books: Books
) -> Iterator[tuple[str, Books, list[Example]]]:
    """What is scored: name, the books that are open there, rows."""
    first = yardstick(recipe, splits["dev"])
    mine = of_source(splits["test"], first)
    yield f"dev {first}", books, of_source(splits["dev"], first)
    yield f"test {first}", books, mine
    yield f"test {first}, no phrasebook", Books(words=books.words), mine
    yield f"test {first}, no wordbook", Books(phrases=books.phrases), mine
    yield f"test {first}, no books", Books(), mine
    for source in recipe.sources:
        if source.name != first:
            yield f"test {source.name}", books, _some(of_source(splits["test"], source.name))
    unknown = unknown_rows(splits, first)
    yield "unknown phrases and literal twins", Books(known_phrases(), books.words), unknown


def unknown_rows(splits: Splits, source: str) -> list[Example]:
    """The source's rows for words of phrases that training never saw, meant or literal."""
    return [e for e in of_source(splits["unknown"], source) if in_unknown(e.query)]


def _some(examples: list[Example], most: int = _MOST_ROWS) -> list[Example]:
    """Few enough rows to score, always the same ones."""
    return random.Random(1).sample(examples, min(len(examples), most))


def failures(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Answers that are wrong, drawn at random but always the same: what to expect of it."""
    wrong = [
        {
            "context": example.query.context,
            "target": example.query.target,
            "expected": to_wire(example.query, example.sense),
            "answered": to_wire(example.query, answer.sense),
        }
        for example, answer, scored in zip(
            evaluation.examples, evaluation.answers, evaluation.scored
        )
        if not scored.right
    ]
    return random.Random(1).sample(wrong, min(len(wrong), _FAILURES))


def scores_page(card: dict[str, Any]) -> str:
    """The card's scores and failures as Markdown."""
    lines = [
        f"# Scores of {card['name']}",
        "",
        "Written by `python -m trainer fit`. Value and 95 % bootstrap interval over sentences.",
        "Nothing was chosen by `test`. Meaning match: equal to the label.",
        "",
    ]
    for name, figures in card["scores"].items():
        lines += [
            f"## {name}",
            "",
            f"n = {figures['n']} rows, {figures['sentences']} sentences",
            "",
        ]
        lines += ["| figure | value | interval |", "|---|---|---|"]
        for figure, found in figures.items():
            if isinstance(found, dict):
                low, high = found["interval"]
                lines.append(f"| {figure} | {found['value']:.3f} | {low:.3f} to {high:.3f} |")
        lines.append("")
    report = card["calibration_on_test"]
    lines += [
        "## How sure it is",
        "",
        f"Expected calibration error: {report['error_before']:.3f} before scaling, "
        f"{report['error_after']:.3f} after. Right: this meaning, and this phrase or none.",
        "",
        "| level | share of answers | right |",
        "|---|---|---|",
    ]
    for level, found in report["levels"].items():
        lines.append(f"| {level} | {found['share']:.2f} | {found['right']:.2f} |")
    lines += ["", f"## {len(card['failures'])} failures, drawn at random", ""]
    lines += ["| sentence | word | expected | answered |", "|---|---|---|---|"]
    for row in card["failures"]:
        expected, answered = (_short(row[key]) for key in ("expected", "answered"))
        lines.append(f"| {row['context']} | {row['target']} | {expected} | {answered} |")
    return "\n".join(lines) + "\n"


def _short(answer: dict[str, str]) -> str:
    phrase = answer["phrase"].replace("|", " = ")
    return " · ".join(part for part in (answer["class"], answer["zh"], phrase) if part)
