"""Tries: one recipe with small changes, each trained and scored on dev, side by side in a table.

A file of tries names the recipe, what all tries change, and what each changes; `without` takes
sources away. A try that is done is not run again, so the same command goes on after a stop.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.adapters import merged_copy, read_adapter
from engine.books import Books
from engine.models import Base
from engine.prompt import SensePrompt
from engine.settings import Settings
from trainer.card import Scorer, Splits, of_source, unknown_rows
from trainer.evaluate import calibrate_phrases
from trainer.recipe import Recipe, RecipeError, load_recipe, parse_recipe
from trainer.run import Finish, Report, run_recipe

DONE = "tried.json"
_ROWS = 250  # dev rows of a source that a try is scored on

# What the table shows: heading, scored set, figure.
COLUMNS = (
    ("class", "gold", "class_accuracy"),
    ("meaning", "gold", "meaning_match"),
    ("phrase F1", "gold", "phrase_f1"),
    ("idioms unknown", "unknown", "phrase_where_meant"),
    ("twins unknown", "unknown", "phrase_where_not"),
    ("teacher", "teacher", "meaning_match"),
    ("wordnet", "wordnet", "meaning_match"),
    ("tatoeba", "tatoeba", "meaning_match"),
    ("streusle F1", "streusle", "phrase_f1"),
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
    for name, changes in plan["tries"].items():
        if not (folder / name / DONE).exists():
            one = changed(recipe, plan.get("all", {}) | changes)
            if not run_recipe(
                one,
                file.parent,
                folder / name,
                settings,
                report,
                stopped,
                finish=_score_into(folder / name / DONE),
            ):
                return None
    return table({name: json.loads((folder / name / DONE).read_text()) for name in plan["tries"]})


def changed(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """The recipe with other fields; the sources in `without` are scored only."""
    data = asdict(recipe) | {k: v for k, v in changes.items() if k != "without"}
    without = set(changes.get("without", ()))
    missing = without - {source["name"] for source in data["sources"]}
    if missing:
        raise RecipeError(f"no source {', '.join(sorted(missing))} to leave out")
    for source in data["sources"]:
        if source["name"] in without:
            source["times"] = 0
    return parse_recipe(data)


def _score_into(done: Path) -> Finish:
    """What ends a try: the model's own answers on dev rows, without books."""

    def finish(folder: Path, base: Base, recipe: Recipe, splits: Splits, data, tell) -> None:
        model = merged_copy(base, read_adapter(folder))
        prompt = SensePrompt(base.tokenizer, recipe.style)
        rows = {s.name: of_source(splits["dev"], s.name)[:_ROWS] for s in recipe.sources}
        first, none = recipe.sources[0].name, Books()
        voting = Scorer(model, prompt).decoder(none)
        score = Scorer(model, prompt, *calibrate_phrases(voting, rows[first]))
        rows["unknown"] = unknown_rows(splits, first)
        scores = {name: score(none, mine).figures() for name, mine in rows.items() if mine}
        used = {source.name for source in recipe.sources if source.times}
        rows_used = sum(e.source in used for e in splits["train"])
        tried = {"rows": round(recipe.share * rows_used), "scores": scores}
        tell(tried)
        done.write_text(json.dumps(tried, indent=2) + "\n")

    return finish


def table(tried: dict[str, dict[str, Any]]) -> str:
    """The tries side by side as Markdown, one a line."""
    lines = [f"| try | rows | {' | '.join(heading for heading, _, _ in COLUMNS)} |"]
    lines.append("|---" * (len(COLUMNS) + 2) + "|")
    for name, found in tried.items():
        cells = [_cell(found["scores"].get(part, {}).get(figure)) for _, part, figure in COLUMNS]
        lines.append(f"| {name} | {found['rows']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(figure: dict[str, Any] | None) -> str:
    return f"{figure['value']:.3f}" if figure else ""
