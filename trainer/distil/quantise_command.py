"""`python -m trainer quantise`: what it is asked, and where its table goes."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any


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
    made.add_argument("--rows", type=int, default=0, help="about how many test rows; 0: all")
    made.add_argument("--rounds", type=int, default=3, help="of timing; 0: none")
    made.add_argument("--sentences", type=int, default=30, help="that are timed")
    made.add_argument("--out", type=Path, metavar="FILE.json", help="also FILE.md and FILE.svg")
    made.set_defaults(command=_quantise)


def _quantise(arguments: argparse.Namespace) -> int:
    from db.store import open_store
    from engine.settings import read_settings
    from trainer.distil.quantise_run import DEFAULT, Wanted, quantise
    from trainer.distil.quantise_table import page, write_table
    from trainer.smaller import keep_table

    wanted = Wanted(
        arguments.model,
        tuple(arguments.ways or DEFAULT),
        arguments.progressive,
        arguments.ratio,
        rows=arguments.rows,
        rounds=arguments.rounds,
        sentences=arguments.sentences,
        against=arguments.against,
    )
    settings = read_settings()
    with open_store(settings.database) as store:
        table = quantise(wanted, store, settings, lambda line: print(line, flush=True))
    keep_table(settings.home, asdict(table))
    if arguments.out:
        write_table(table, arguments.out)
    print(page(table))
    return 0
