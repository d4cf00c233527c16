"""The trainer without a screen.

python -m trainer run RECIPE.json [--folder DIR] [--install]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a recipe; again after a stop, to go on")
    run.add_argument("recipe", type=Path, metavar="RECIPE.json")
    run.add_argument("--folder", type=Path, help="where the run lies; default: CTX_HOME/runs/NAME")
    run.add_argument(
        "--install", action="store_true", help="copy the finished adapter beside its recipe"
    )
    return _run(parser.parse_args())


def _run(arguments: argparse.Namespace) -> int:
    from engine.models import BaseError
    from engine.settings import read_settings
    from trainer.recipe import RecipeError, load_recipe
    from trainer.run import run_recipe

    stop = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.append(True))
    settings = read_settings()
    home = arguments.recipe.resolve().parent
    try:
        recipe = load_recipe(arguments.recipe)
        folder = arguments.folder or settings.home / "runs" / recipe.name
        adapter = run_recipe(recipe, home, folder, settings, _say, lambda: bool(stop))
    except (RecipeError, BaseError) as error:
        print(error, file=sys.stderr)
        return 2
    if adapter is None:
        print(f"stopped; the same command goes on from the checkpoint in {folder}")
        return 130
    if arguments.install:
        shutil.copytree(adapter, home, dirs_exist_ok=True)
    print(f"done: {home if arguments.install else adapter}")
    return 0


def _say(event: dict) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
