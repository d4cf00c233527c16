"""`python -m trainer quantise`: what it is asked, and where its table goes. It makes a job and
follows it.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.settings import Settings


def add_quantise(commands: Any) -> None:
    """The command, for a parser that has subcommands."""
    made = commands.add_parser(
        "quantise", help="make smaller forms of a model, judge and measure each"
    )
    made.add_argument("model", metavar="MODEL", help="base, shipped, setting, run:7, kept:VERSION")
    made.add_argument(
        "--ways", nargs="+", metavar="NAME", help="forms to make: int8, int8-rows8, nf4, …"
    )
    made.add_argument(
        "--progressive", action="store_true",
        help="16, 8, 4 bits: each step through the gate, and no further than it passes",
    )  # fmt: skip
    made.add_argument(
        "--ratio", type=float, default=0.0, help="the share of the original's bytes to reach"
    )
    made.add_argument(
        "--against", default="", metavar="MODEL",
        help="judge them by this model's answers, over the embedded base: for a student",
    )  # fmt: skip
    made.add_argument("--dataset", default="en-zh-gold", metavar="NAME")
    made.add_argument("--rows", type=int, default=0, help="about how many test rows; 0: all")
    made.add_argument("--rounds", type=int, default=3, help="of timing; 0: none")
    made.add_argument("--sentences", type=int, default=30, help="that are timed")
    made.add_argument("--out", type=Path, metavar="FILE.json", help="also FILE.md, .html and .svg")
    made.set_defaults(command=_quantise)


def _quantise(arguments: argparse.Namespace) -> int:
    from trainer.distil.quantise_table import FILE, files_of
    from trainer.jobs.commands import follow_to_end, opened, state_of

    names = ("model", "progressive", "ratio", "against", "dataset", "rows", "rounds", "sentences")
    recipe = {name: getattr(arguments, name) for name in names}
    with opened() as (settings, jobs):
        recipe |= {"ways": arguments.ways or [], **_placed(settings)}
        job = jobs.add("quantise", recipe)
        print(f"job {job.id}: {state_of(job)}", flush=True)
        ended, file = follow_to_end(jobs, job.id), jobs.folder(job.id) / FILE
    if ended == 0:
        print(file.with_suffix(".md").read_text(encoding="utf-8"))
        if arguments.out:
            arguments.out.parent.mkdir(parents=True, exist_ok=True)
            for made, copy in zip(files_of(file), files_of(arguments.out), strict=True):
                shutil.copyfile(made, copy)
    return ended


def _placed(settings: Settings) -> dict[str, str]:
    """The base and the adapter of this shell's settings, for a job that another process may do."""
    told = {"base": settings.base, "adapter": settings.adapter}
    there = {name: Path(text).expanduser() for name, text in told.items()}
    found = {name: str(place.resolve()) for name, place in there.items() if place.is_dir()}
    return told | found
