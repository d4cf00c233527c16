"""Tries: one recipe with small changes, each trained and scored on dev, side by side in a table.

A file of tries names the recipe, what all tries change, and what each changes; `without` takes
sources away. A try that is done is not run again, so the same command goes on after a stop.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import PreTrainedModel

from engine.adapters import merged_copy, read_adapter
from engine.books import Books, shipped_books
from engine.decoding import SenseDecoder
from engine.models import Base
from engine.phrasebook import shipped_phrasebook
from engine.prompt import SensePrompt
from engine.settings import Settings
from engine.wordbook import shipped_wordbook
from trainer.card import Splits, of_source, unknown_rows
from trainer.evaluate import calibrate_phrases, phrase_f1, vote_on
from trainer.examples import Example
from trainer.hints import book_hint
from trainer.recipe import Recipe, RecipeError, load_recipe, parse_recipe
from trainer.rows import make_packs
from trainer.run import Report, load_splits, run_recipe
from trainer.training import dev_scores
from trainer.unknown import known_phrases
from trainer.wordbook import worths_for

DONE = "tried.json"
_ROWS = 600  # dev rows of a source that a try is scored on
_VOTED = 300  # rows of each kind whose contexts' words vote

# What the table shows: heading, scored rows, field.
COLUMNS = (
    ("class", "gold", "class"),
    ("phrase", "gold", "phrase"),
    ("meaning", "gold", "meaning"),
    ("unknown phrase", "unknown phrases", "phrase"),
    ("literal twin", "literal twins", "phrase"),
    ("teacher", "teacher", "meaning"),
    ("wordnet", "wordnet", "meaning"),
    ("tatoeba", "tatoeba", "meaning"),
    ("streusle", "streusle", "phrase"),
    ("F1", "voted", "gold"),
    ("F1 unknown", "voted", "unknown"),
)


def run_tries(
    file: Path,
    folder: Path,
    settings: Settings,
    report: Report,
    stopped: Callable[[], bool] = lambda: False,
) -> str | None:
    """Run the tries that are not done; the table as Markdown, or None when stopped."""
    plan = json.loads(file.read_text(encoding="utf-8"))
    recipe = load_recipe(file.parent / plan["recipe"])
    splits, data = load_splits(recipe, file.parent, settings)
    for name, changes in plan["tries"].items():
        done = folder / name / DONE
        if not done.exists():
            report({"try": name})
            one = changed(recipe, plan.get("all", {}) | changes)
            finish = partial(_score, done)
            if not run_recipe(one, splits, data, folder / name, settings, report, stopped, finish):
                return None
    return table({name: json.loads((folder / name / DONE).read_text()) for name in plan["tries"]})


def changed(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """The recipe with other fields; the sources in `without` are scored only."""
    if "sources" in changes:
        raise RecipeError("tries share their sources; say which to leave out in `without`")
    data = asdict(recipe) | {k: v for k, v in changes.items() if k != "without"}
    without = set(changes.get("without", ()))
    missing = without - {source["name"] for source in data["sources"]}
    if missing:
        raise RecipeError(f"no source {', '.join(sorted(missing))} to leave out")
    for source in data["sources"]:
        if source["name"] in without:
            source["times"] = 0
    return parse_recipe(data)


def _score(
    done: Path, folder: Path, base: Base, recipe: Recipe, splits: Splits, data: Any, tell: Report
) -> None:
    """End a try: for each field of dev rows, how often its tokens are the likeliest ones behind
    the right ones before them, the wordbook open; and how good the phrases are that the words of
    some contexts vote for, the phrasebook open. No meanings are written: quick."""
    prompt = SensePrompt(base.tokenizer, recipe.style)
    voted = _voted(merged_copy(base, read_adapter(folder)), prompt, recipe, splits)
    model = PeftModel.from_pretrained(base.model, str(folder))
    worths = partial(worths_for, shipped_wordbook())
    sets = scored_sets(recipe, splits)
    hint = partial(book_hint, book=shipped_phrasebook())
    scores = {
        name: dev_scores(model, make_packs(rows, prompt, worths, hint))
        for name, rows in sets.items()
    }
    scores["voted"] = voted
    used = {source.name for source in recipe.sources if source.times}
    rows = round(recipe.share * sum(e.source in used for e in splits["train"]))
    tried = {"rows": rows, "n": {name: len(mine) for name, mine in sets.items()}, "scores": scores}
    tell(tried)
    done.write_text(json.dumps(tried, indent=2) + "\n")


def _voted(
    model: PreTrainedModel, prompt: SensePrompt, recipe: Recipe, splits: Splits
) -> dict[str, float]:
    """Phrase F1 at the threshold and favour that are best for both kinds together."""
    first = recipe.sources[0].name
    decoder = partial(SenseDecoder, model, prompt)
    gold = vote_on(decoder(shipped_books()), of_source(splits["dev"], first)[:_VOTED])
    unknown = vote_on(decoder(Books(known_phrases())), unknown_rows(splits, first)[:_VOTED])
    threshold, favour = calibrate_phrases([gold, unknown])
    return {
        "gold": phrase_f1(gold, threshold, favour),
        "unknown": phrase_f1(unknown, threshold, favour),
        "threshold": threshold,
        "favour": favour,
    }


def scored_sets(recipe: Recipe, splits: Splits) -> dict[str, list[Example]]:
    """The dev rows by source, and those of the first source for phrases that training never saw."""
    unknown = unknown_rows(splits, recipe.sources[0].name)
    sets = {s.name: of_source(splits["dev"], s.name)[:_ROWS] for s in recipe.sources}
    sets["unknown phrases"] = [e for e in unknown if e.sense.phrase]
    sets["literal twins"] = [e for e in unknown if not e.sense.phrase]
    return {name: rows for name, rows in sets.items() if rows}


def table(tried: dict[str, dict[str, Any]]) -> str:
    """The tries side by side as Markdown, one a line."""
    lines = [f"| try | rows | {' | '.join(heading for heading, _, _ in COLUMNS)} |"]
    lines.append("|---" * (len(COLUMNS) + 2) + "|")
    for name, found in tried.items():
        cells = [_cell(found["scores"].get(part, {}).get(field)) for _, part, field in COLUMNS]
        lines.append(f"| {name} | {found['rows']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(share: float | None) -> str:
    return "" if share is None else f"{share:.3f}"
