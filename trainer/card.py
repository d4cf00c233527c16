"""An adapter's card: thresholds and calibration chosen on dev, scores on dev and test, failures.

Scores are those of decoding, the way readers get answers. `card.json` is for the engine and for
screens, `SCORES.md` says the same to people.
"""

from __future__ import annotations

import json
import os
import platform
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from engine.adapters import CARD, merged_copy, read_adapter
from engine.books import Books, shipped_books
from engine.branches import Runner
from engine.decoding import SenseDecoder
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
from trainer.recipe import Recipe
from trainer.unknown import in_unknown, known_phrases

SCORES = "SCORES.md"
_MOST_ROWS = 200  # scored of a source beside the first
_FAILURES = 20
# Formats that know of each word asked, where they know it at all, whether it is in a phrase.
_WHOLE = {"flat", "sentences", "streusle"}

Report = Callable[[dict[str, Any]], None]
Splits = dict[str, list[Example]]


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


def write_card(
    folder: Path,
    base: Base,
    recipe: Recipe,
    splits: Splits,
    data: list[dict[str, Any]],
    tell: Report,
) -> None:
    """Choose thresholds on dev, score, and write card.json and SCORES.md beside the adapter."""
    runner = Runner(merged_copy(base, read_adapter(folder)))
    prompt = SensePrompt(base.tokenizer, recipe.style)
    first = recipe.sources[0].name  # the yardstick: the source that knows all fields
    books = shipped_books()
    threshold, favour = _thresholds(Scorer(runner, prompt), books, recipe, splits)
    tell({"phrase_threshold": threshold, "phrase_favour": favour})
    score = Scorer(runner, prompt, threshold, favour)
    evaluations = {}
    for name, chosen, rows in _sets(recipe, splits, books):
        if rows:
            evaluations[name] = score(chosen, rows)
            tell({"scores": name, **evaluations[name].figures()})
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
        "data": data,
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    _write(folder / SCORES, scores_page(card))
    _write(folder / CARD, json.dumps(card, indent=2, ensure_ascii=False) + "\n")


def _thresholds(score: Scorer, books: Books, recipe: Recipe, splits: Splits) -> tuple[float, float]:
    """Threshold and favour that serve both phrases of the book and others: those that training
    never saw, and those of the other sources that know all of a sentence's phrases."""
    first = recipe.sources[0].name
    known = score.decoder(Books(known_phrases()))
    in_book = vote_on(score.decoder(books), of_source(splits["dev"], first))
    others = vote_on(known, unknown_rows(splits, first))
    for source in recipe.sources[1:]:
        if source.format in _WHOLE:
            others += vote_on(known, of_source(splits["dev"], source.name))
    return calibrate_phrases([voted for voted in (in_book, others) if voted])


def _sets(
    recipe: Recipe, splits: Splits, books: Books
) -> Iterator[tuple[str, Books, list[Example]]]:
    """What is scored: name, the books that are open there, rows."""
    first = recipe.sources[0].name
    mine = of_source(splits["test"], first)
    yield f"dev {first}", books, of_source(splits["dev"], first)
    yield f"test {first}", books, mine
    yield f"test {first}, no phrasebook", Books(words=books.words), mine
    yield f"test {first}, no wordbook", Books(phrases=books.phrases), mine
    yield f"test {first}, no books", Books(), mine
    for source in recipe.sources[1:]:
        yield f"test {source.name}", books, _some(of_source(splits["test"], source.name))
    unknown = unknown_rows(splits, first)
    yield "unknown phrases and literal twins", Books(known_phrases(), books.words), unknown


def unknown_rows(splits: Splits, source: str) -> list[Example]:
    """The source's rows for words of phrases that training never saw, meant or literal."""
    return [e for e in of_source(splits["unknown"], source) if in_unknown(e.query)]


def of_source(examples: list[Example], source: str) -> list[Example]:
    return [e for e in examples if e.source == source]


def _some(examples: list[Example]) -> list[Example]:
    """Few enough rows to score, always the same ones."""
    return random.Random(1).sample(examples, min(len(examples), _MOST_ROWS))


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
        "Written by `python -m trainer run`. Value and 95 % bootstrap interval over sentences.",
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


def _write(file: Path, text: str) -> None:
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, file)
