"""Tries: one recipe with small changes, each trained and scored on dev, side by side in a table.

A file of tries names the recipe, what all tries change, and what each changes; `without` takes
sources away. What is found stands beside it: NAME.done.json, and as a table NAME.md. A try that is
done is not run again, so the same command goes on after a stop, and on another machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from peft import PeftModel

from engine.adapters import merged_copy
from engine.books import Books, shipped_books
from engine.branches import Runner
from engine.checking import read_adapter
from engine.decoding import SenseDecoder
from engine.files import write_whole
from engine.phrasebook import digest, shipped_phrasebook
from engine.prompt import SensePrompt
from engine.settings import Settings
from engine.wordbook import shipped_wordbook
from trainer.card import Finished, unknown_rows
from trainer.evaluate import calibrate_phrases, phrase_f1, vote_on
from trainer.examples import Example
from trainer.hints import book_hint
from trainer.recipe import Recipe, RecipeError, load_recipe, parse_recipe, stated
from trainer.rows import make_packs
from trainer.run import Report, run_recipe
from trainer.splits import Splits, load_splits, of_source
from trainer.unknown import known_phrases
from trainer.watch import dev_scores
from trainer.wordbook import worths_for

DONE = "done.json"
UNKNOWN, TWINS = "unknown phrases", "literal twins"
_ROWS = 600  # dev rows of a source that a try is scored on
_VOTED = 300  # rows of each kind whose contexts' words vote

# What the table shows: heading, scored rows, field.
COLUMNS = (
    ("class", "gold", "class"),
    ("phrase", "gold", "phrase"),
    ("meaning", "gold", "meaning"),
    ("unknown phrase", UNKNOWN, "phrase"),
    ("literal twin", TWINS, "phrase"),
    ("sentences", "sentences", "meaning"),
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
    plan, known = json.loads(file.read_text(encoding="utf-8")), file.with_suffix(f".{DONE}")
    home = (file.parent / plan["recipe"]).parent
    recipe = load_recipe(file.parent / plan["recipe"])
    tried = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}
    loaded: tuple[Splits, Any] | None = None
    for name, changes in plan["tries"].items():
        one = changed(recipe, plan.get("all", {}) | changes)
        if one.start:
            raise RecipeError('a try starts with new weights; say so: "start": ""')
        if is_done(tried.get(name), one):
            continue
        report({"try": name})
        mine = folder / digest(stated(one))
        splits, data = loaded = loaded or load_splits(recipe, home, settings)
        if not run_recipe(one, splits, data, mine, settings, report, stopped, _score):
            return None
        tried[name] = json.loads((mine / DONE).read_text(encoding="utf-8"))
        write_whole(known, json.dumps(tried, indent=1, ensure_ascii=False) + "\n")
        write_whole(file.with_suffix(".md"), page(file.stem, tried))
    return table(tried)


def is_done(found: dict[str, Any] | None, recipe: Recipe) -> bool:
    """Whether what was found is of this recipe, not of one that had its name before."""
    return found is not None and found["recipe"] == digest(stated(recipe))


def page(name: str, tried: dict[str, dict[str, Any]]) -> str:
    """The table with what it needs to be read."""
    return f"""# Variants tried: {name}

Written by `python -m trainer tries {name}.json`. Each line says about how many rows were trained
on; the recipe and what each try changes stand in `{name}.json`; how many rows were scored, and
thresholds, in `{name}.{DONE}`. Class, phrase and meaning: shares of dev rows in which every
token of the field is the likeliest behind the right ones before it, the wordbook open. F1: phrases
that words vote for, the phrasebook open, at the threshold that is best for known and unknown
phrases together. Nothing here saw a test row.

{table(tried)}"""


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


def _score(run: Finished, tell: Report) -> None:
    """End a try: for each field of dev rows, how often its tokens are the likeliest ones behind
    the right ones before them, the wordbook open; and how good the phrases are that the words of
    some contexts vote for, the phrasebook open. No meanings are written: quick."""
    folder, base, recipe, splits = run.folder, run.base, run.recipe, run.splits
    prompt = SensePrompt(base.tokenizer, recipe.style)
    voted = {}
    if recipe.style != "marked":  # such words do not share one prefix and cannot vote together
        voted = _voted(Runner(merged_copy(base, read_adapter(folder))), prompt, recipe, splits)
    model = PeftModel.from_pretrained(base.model, str(folder))
    worths = partial(worths_for, shipped_wordbook())
    sets = scored_sets(recipe, splits)
    books = {name: known_phrases() for name in (UNKNOWN, TWINS)}  # no hint may give them away
    scores = {
        name: dev_scores(
            model,
            make_packs(
                rows, prompt, worths, partial(book_hint, book=books.get(name, shipped_phrasebook()))
            ),
        )
        for name, rows in sets.items()
    }
    scores["voted"] = voted
    used = {source.name for source in recipe.sources if source.times}
    rows = round(recipe.share * sum(e.source in used for e in splits["train"]))
    tried = {
        "recipe": digest(stated(recipe)),
        "books": shipped_books().version,
        "rows": rows,
        "n": {name: len(mine) for name, mine in sets.items()},
        "scores": {s: {k: round(v, 4) for k, v in found.items()} for s, found in scores.items()},
    }
    tell(tried)
    write_whole(folder.parent / DONE, json.dumps(tried) + "\n")


def _voted(runner: Runner, prompt: SensePrompt, recipe: Recipe, splits: Splits) -> dict[str, float]:
    """Phrase F1 at the threshold and favour that are best for both kinds together."""
    first = recipe.sources[0].name
    decoder = partial(SenseDecoder, runner, prompt)
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
    sets[UNKNOWN] = [e for e in unknown if e.sense.phrase]
    sets[TWINS] = [e for e in unknown if not e.sense.phrase]
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
