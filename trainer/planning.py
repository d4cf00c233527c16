"""A run before it starts, from a shell: python -m trainer plan RECIPE.json [--show N]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.distil.costs import Costs
    from trainer.plan import Plan, Shown


def add_plan(commands: Any) -> None:
    """The command that says what a run will be."""
    plan = commands.add_parser("plan", help="say what a run will be, and whether it fits here")
    plan.add_argument("recipe", type=Path, metavar="RECIPE.json")
    plan.add_argument(
        "--show", type=int, default=0, metavar="N", help="rows as the model sees them"
    )
    plan.set_defaults(command=_plan)


def _plan(arguments: argparse.Namespace) -> int:
    from db.store import open_store
    from engine.settings import read_settings
    from trainer.plan import plan, preview
    from trainer.recipe import load_recipe

    recipe, home = load_recipe(arguments.recipe), arguments.recipe.resolve().parent
    settings = read_settings()
    with open_store(settings.database) as store:
        found = plan(recipe, home, settings, store)
        shown = preview(recipe, home, settings, store, arguments.show) if arguments.show > 0 else ()
    print("\n".join([*told(found), *map(line_of, shown)]))
    if found.refusal:
        print(f"it does not fit: {found.detail}", file=sys.stderr)
    return 2 if found.refusal else 0


def told(plan: Plan) -> list[str]:
    """The plan, a line each figure."""
    time = "not known here" if plan.seconds is None else f"about {plan.seconds / 60:.0f} minutes"
    lines = [
        f"rows in a pass\t{plan.rows:,}",
        f"sentences\t{plan.sentences:,}",
        f"tokens in all\t{plan.tokens:,}",
        f"steps\t{plan.steps:,}",
        f"trained parameters\t{plan.parameters:,}",
        f"memory\t{plan.memory_gb:.1f} GB of {plan.free_gb:.1f} GB that are free",
        f"time\t{time}",
    ]
    return lines + (_told_of(plan.teacher) if plan.teacher else [])


def _told_of(teacher: Costs) -> list[str]:
    """What of it a KD teacher takes, and its disk."""
    said = f"{teacher.top} tokens at {teacher.positions:,} positions"
    kept = f"{teacher.cache_bytes / 1e6:,.1f} MB, {said}"
    if teacher.left_bytes < teacher.cache_bytes:
        kept += f"; {teacher.left_bytes / 1e6:,.1f} MB of it not there yet"
    asking = "not known here" if teacher.seconds is None else f"{teacher.seconds / 60:.1f} minutes"
    return [
        f"memory of the teacher\t{teacher.memory_gb:.1f} GB of it",
        f"what the teacher says\t{kept if teacher.cache_bytes else 'not kept, asked every step'}",
        f"time to ask the teacher\t{asking} of it",
    ]


def line_of(row: Shown) -> str:
    """A row's tokens in one line; those that count in the loss stand in brackets."""
    texts = [token.replace("\n", "⏎") for token in row.tokens]
    return "".join(f"[{text}]" if counts else text for text, counts in zip(texts, row.counts))
