"""`python -m trainer scratch …`: a translation model from nothing, step by step."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.jobs.stopping import watch_signals
from trainer.scratch.corpus.command import add_corpus

if TYPE_CHECKING:
    from trainer.scratch.run import Place

_STOPPED = "stopped; the same command goes on from where it was"
_RUNS = {
    "tokenizer": "make the tokenizer of a recipe's texts",
    "pretrain": "learn both languages by filling holes; again after a stop, to go on",
    "finetune": "learn to translate; again after a stop, to go on",
    "report": "score what was made on the test text, and write the report with its curves",
    "prefix": "fine-tune from random weights with the prefix seen causally and both ways, and score"
    " both on the dev text; again after a stop, to go on",
}


class AnyOrder(argparse.ArgumentParser):
    """A parser whose options may stand before, between and behind its arguments. Else a list that
    may be empty is over at the first option. Subcommands are parsed by this one method."""

    _mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._mixing:  # what mixes them asks for either by itself
            return super().parse_known_args(args, namespace)
        self._mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False


def add_scratch(commands: Any) -> None:
    """The commands, for a parser that has subcommands."""
    scratch = commands.add_parser("scratch", help="a translation model from nothing")
    steps = scratch.add_subparsers(required=True, parser_class=AnyOrder)
    add_corpus(steps)
    for name, text in _RUNS.items():
        step = steps.add_parser(name, help=text)
        step.add_argument("recipe", type=Path, metavar="RECIPE.json")
        step.add_argument("--folder", type=Path, help="where its runs lie; default: CTX_HOME/runs")
        step.set_defaults(command=_COMMANDS[name])
        if name == "finetune":
            step.add_argument(
                "--start", default="pretrain", metavar="pretrain|random|DIR",
                help="the weights it goes on from: pre-trained, random, or a model's",
            )  # fmt: skip
        if name == "report":
            step.add_argument("--out", type=Path, metavar="FILE.json", help="also .md and .svg")
        if name == "prefix":
            step.add_argument("--share", type=int, default=3, help="steps: the recipe's over this")
            step.add_argument(
                "--out", type=Path, metavar="FILE.json", help="a report, which gets a table of it"
            )
    _add_models(steps)


def _add_models(steps: Any) -> None:
    """What is done with a model that was made."""
    told = steps.add_parser("translate", help="translate texts with a model from nothing")
    told.add_argument("model", type=Path, metavar="MODEL", help="its folder")
    told.add_argument("texts", nargs="*", metavar="TEXT", help="default: lines of the input")
    told.add_argument("--beams", type=int, default=4, help="1: the likeliest token at each step")
    told.add_argument("--sample", action="store_true", help="draw tokens at random")
    told.add_argument("--temperature", type=float, default=1.0, help="of draws; low: likely ones")
    told.add_argument(
        "--top-p", type=float, default=1.0, help="draw from the likeliest that have this share"
    )
    told.add_argument("--seed", type=int, default=0, help="of draws: the same again")
    told.set_defaults(command=_translate)
    written = steps.add_parser("export", help="write a model as transformers' Llama class has it")
    written.add_argument("model", type=Path, metavar="MODEL", help="its folder")
    written.add_argument(
        "--to", type=Path, metavar="DIR",
        help="a new folder; default: among this home's adapters, to be compared and promoted",
    )  # fmt: skip
    written.add_argument(
        "--both-ways", action="store_true",
        help="also a model that sees its prefix both ways, which this app alone reads rightly",
    )  # fmt: skip
    written.set_defaults(command=_export)


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Says whether a signal asked to stop. Signals end the process as ever until a run first asks,
    at its first step: reading texts and making a tokenizer would only be late to hear them. Behind
    the run they do so again."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    watch = cache(watch_signals)
    try:
        yield lambda: watch()()
    finally:
        for number, handler in zip(numbers, before):
            signal.signal(number, handler)


def _place(arguments: argparse.Namespace, stopped: Callable[[], bool] = lambda: False) -> Place:
    from db.store import open_store
    from engine.settings import read_settings
    from trainer.scratch.frozen import place_frozen
    from trainer.scratch.recipe import load_scratch
    from trainer.scratch.run import Place

    settings, recipe = read_settings(), load_scratch(arguments.recipe)
    if recipe.dataset:
        with open_store(settings.database) as store:
            recipe = place_frozen(recipe, store, settings.home)
    folder = arguments.folder or settings.home / "runs" / recipe.name
    home = arguments.recipe.resolve().parent
    return Place(recipe, home, folder, settings, _say, stopped)


def _tokenizer(arguments: argparse.Namespace) -> int:
    from trainer.scratch.run import make_tokenizer

    place = _place(arguments)
    codec = make_tokenizer(place)
    print(f"done: {place.folder}, {codec.vocabulary} tokens")
    return 0


def _pretrain(arguments: argparse.Namespace) -> int:
    from trainer.scratch.run import pretrain

    with _stoppable() as stopped:
        return _ended(pretrain(_place(arguments, stopped)))


def _finetune(arguments: argparse.Namespace) -> int:
    from trainer.scratch.run import finetune

    with _stoppable() as stopped:
        return _ended(finetune(_place(arguments, stopped), arguments.start))


def _report(arguments: argparse.Namespace) -> int:
    from trainer.scratch.report import make_report, page, write_report

    found = make_report(_place(arguments))
    if arguments.out:
        write_report(found, arguments.out)
    print(page(found))
    return 0


def _prefix(arguments: argparse.Namespace) -> int:
    from trainer.scratch.prefix import score_ways, section, train_ways
    from trainer.scratch.report import add_prefix

    with _stoppable() as stopped:
        place = _place(arguments, stopped)
        models = train_ways(place, arguments.share)
        if models is None or stopped():
            return _ended(None)
    found = score_ways(place, models)
    if arguments.out:
        add_prefix(found, place.recipe, arguments.out)
    print("\n".join(section(found)))
    return 0


def _translate(arguments: argparse.Namespace) -> int:
    from trainer.scratch.folder import check_translates, load_model
    from trainer.scratch.translating import Draw, translate

    model, told = load_model(arguments.model), arguments
    check_translates(model.card)
    draw = Draw(told.temperature, told.top_p, told.seed) if told.sample else None
    texts = told.texts or [line.strip() for line in sys.stdin]
    pair = str(model.card["pair"])
    for text in translate(model.net, model.codec, texts, pair, told.beams, draw=draw):
        print(text)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from engine.settings import read_settings
    from trainer.scratch.export import export, install
    from trainer.scratch.folder import load_model

    model, both = load_model(arguments.model), arguments.both_ways
    if arguments.to:
        made = export(model.net, model.codec, model.card, arguments.to, both)
        print(f"done: {made.folder}")
        return 0
    made = install(model.net, model.codec, model.card, read_settings().home, both)
    print(f"done: kept:{made.version}")
    return 0


def _ended(made: Path | None) -> int:
    print(f"done: {made}" if made else _STOPPED)
    return 0 if made else 130


def _say(event: dict[str, Any]) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)


_COMMANDS = {
    "tokenizer": _tokenizer, "pretrain": _pretrain, "finetune": _finetune, "report": _report,
    "prefix": _prefix,
}  # fmt: skip
