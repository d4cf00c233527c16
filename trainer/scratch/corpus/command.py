"""The command `scratch corpus`: a recipe's fields as options, a line for each piece, the report at
the end. The same command again goes on with what is not done.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from trainer.scratch.corpus.recipe import (
    SET,
    CorpusRecipe,
    load_corpus_recipe,
    parse_corpus,
    plain,
)

_WRONG = 0.01  # share of new rows taken for seen ones from which the index is too small


def add_corpus(commands: Any) -> None:
    """The command, for a parser that has subcommands."""
    parser = commands.add_parser("corpus", help="make a clean corpus of raw text")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the corpus is written")
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=_help("sources"))
    parser.add_argument("--recipe", type=Path, help="a JSON file with the recipe's fields")
    for one in fields(CorpusRecipe):
        option = f"--{one.name.replace('_', '-')}"
        told: dict[str, Any] = {"default": argparse.SUPPRESS, "help": one.metadata["help"]}
        if one.name == "sources":
            continue
        if one.name == "columns":
            parser.add_argument(option, nargs="+", metavar="COLUMN", **told)
        elif isinstance(one.default, bool):
            parser.add_argument(option, action=argparse.BooleanOptionalAction, **told)
        else:
            parser.add_argument(option, type=type(one.default), **told)
    parser.set_defaults(command=_corpus)


def _help(name: str) -> str:
    return next(f.metadata["help"] for f in fields(CorpusRecipe) if f.name == name)


def _corpus(arguments: argparse.Namespace) -> int:
    from db.store import open_store
    from engine.settings import read_settings
    from trainer.jobs.frozen import place_corpus
    from trainer.jobs.stopping import watch_signals
    from trainer.scratch.corpus.checks import prepare
    from trainer.scratch.corpus.run import make_corpus, placed

    recipe, known = CorpusRecipe(), {one.name for one in fields(CorpusRecipe)}
    if arguments.recipe:
        recipe = placed(load_corpus_recipe(arguments.recipe), arguments.recipe.parent)
    given = {key: value for key, value in vars(arguments).items() if key in known and value != []}
    recipe = parse_corpus(plain(recipe) | given)
    settings = read_settings()
    if any(source.startswith(SET) for source in recipe.sources):
        with open_store(settings.database) as store:
            recipe = place_corpus(recipe, store, settings.home)
    ready = prepare(placed(recipe, Path(), settings.data))
    report = make_corpus(ready, arguments.folder, _say, watch_signals())
    if report is None:
        print(f"stopped; the same command goes on from where it was: {arguments.folder}")
        return 130
    for stage in report["stages"]:
        print(f"{stage['dropped']:>12,}  {stage['name']}")
    if report["false_rate"] > _WRONG:
        print(f"{report['false_rate']:.1%} of new rows are taken for ones seen: --index-mb is low")
    print(f"{report['kept']:,} of {report['rows']:,} rows: {arguments.folder / 'report.md'}")
    return 0


def _say(event: Mapping[str, Any]) -> None:
    if event["event"] != "step":
        return
    of = f" of {event['steps']:,}" if event["steps"] else ""
    speed = f", {event['rows_per_second']:,.0f} a second" if event["rows_per_second"] else ""
    print(f"{event['step']:,}{of} rows, {event['kept']:,} kept{speed}", flush=True)
