"""Promotions from a shell: python -m trainer models | promote NAME [--reason TEXT] | back."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.checking import TASKS

if TYPE_CHECKING:
    from db.store import Store
    from engine.settings import Settings


def add_promoting(commands: Any) -> None:
    """The commands about which model readers get."""
    models = commands.add_parser("models", help="list the models, and which of them readers have")
    models.set_defaults(command=_models)
    promote = commands.add_parser("promote", help="give readers this model, without a restart")
    promote.add_argument("model", metavar="MODEL", help="as `models` names it, for instance run:7")
    promote.add_argument(
        "--reason", default="", help="why, where something stands against it; it is kept"
    )
    promote.set_defaults(command=_promote)
    back = commands.add_parser("back", help="give readers what they had before")
    back.add_argument("--pair", default="en-zh", help="source and target language")
    back.add_argument("--task", default="sense", choices=TASKS, help="words or whole sentences")
    back.set_defaults(command=_back)


@contextmanager
def _opened() -> Iterator[tuple[Settings, Store]]:
    from db.store import open_store
    from engine.settings import read_settings

    settings = read_settings()
    with open_store(settings.database) as store:
        yield settings, store


def _models(arguments: argparse.Namespace) -> int:
    from trainer.catalogue import list_models
    from trainer.promote import present

    with _opened() as (settings, store):
        models = list_models(store, settings)
        tasks = {(model.pair, model.task) for model in models}
        readers = {(*key, present(settings, *key).version) for key in tasks}
        for model in models:
            fit = {True: "fit", False: f"not fit: {model.reason}", None: ""}[model.fit]
            mine = (model.pair, model.task, model.version)
            here = "readers have this" if mine in readers else ""
            size = f"{model.bytes / 1e6:.1f} MB" if model.bytes else ""
            answers, made = f"{model.pair} {model.task}", model.made[:16]
            told = (model.name, model.title, model.version, answers, size, made, fit, here)
            print("\t".join(told).rstrip())
    return 0


def _promote(arguments: argparse.Namespace) -> int:
    from trainer.promote import PromotionRefused, promote

    with _opened() as (settings, store):
        try:
            made = promote(arguments.model, store, settings, _who(), arguments.reason)
        except PromotionRefused as error:
            print(error, file=sys.stderr)
            if error.code == "not_compared":
                print(_COMPARE.format(model=arguments.model), file=sys.stderr)
            return 2
    print(f"readers get {made.promoted.title}@{made.promoted.version}")
    return 0


_COMPARE = (
    "compare them first: the Models tab starts it, or an `evaluate` job with both models and the"
    " split test; {model} can then be promoted"
)


def _back(arguments: argparse.Namespace) -> int:
    from trainer.promote import PromotionRefused, back

    with _opened() as (settings, store):
        try:
            made = back(store, settings, _who(), arguments.pair, arguments.task)
        except PromotionRefused as error:
            print(error, file=sys.stderr)
            return 2
    print(f"readers get {made.promoted.title}@{made.promoted.version} again")
    return 0


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a name for its user
        return ""
