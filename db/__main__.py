"""The database without a screen.

python -m db import FILE [--preview] [--who NAME] [--from TEXT] [--people] [--words N] [--pair P]
python -m db undo NUMBER
python -m db imports
python -m db export FILE [--format flat|wire|csv|parquet] [--accepted | --snapshot NAME] [--pair P]
python -m db snapshot NAME [--all] [--about TEXT] [--who NAME] [--pair P]
python -m db snapshots
python -m db stats [--pair P]
python -m db backup FILE
python -m db check
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from db.store import Counts, Store

_FORMATS = ("flat", "wire", "csv", "parquet")


def main() -> int:
    from db.dataset.opening import Unreadable
    from db.store import StoreError, open_store
    from engine.settings import SettingsError, read_settings

    arguments = _parser().parse_args()
    try:
        with open_store(read_settings().database) as store:
            return arguments.command(store, arguments)
    except (Unreadable, StoreError, SettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m db", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    bring = commands.add_parser("import", help="bring a file's sentences or rows in")
    bring.add_argument("file", type=Path)
    bring.add_argument("--preview", action="store_true", help="say what it holds, store nothing")
    bring.add_argument("--who", default="", help="whose answers the file has")
    bring.add_argument("--from", dest="origin", default="", help="where it is from, its licence")
    bring.add_argument(
        "--people", action="store_true", help="people gave its answers: they are accepted"
    )
    bring.add_argument("--words", type=int, default=12, help="queries of a sentence, at most")
    bring.set_defaults(command=_import)
    undo = commands.add_parser("undo", help="take an import back")
    undo.add_argument("number", type=int)
    undo.set_defaults(command=_undo)
    commands.add_parser("imports", help="list them").set_defaults(command=_imports)
    export = commands.add_parser("export", help="write the answered queries to a file")
    export.add_argument("file", type=Path)
    export.add_argument("--format", choices=_FORMATS, default="flat")
    export.add_argument("--accepted", action="store_true", help="only what somebody accepted")
    export.set_defaults(command=_export)
    export.add_argument("--snapshot", metavar="NAME", help="a frozen dataset")
    snapshot = commands.add_parser("snapshot", help="freeze the accepted answers as a dataset")
    snapshot.add_argument("name")
    snapshot.add_argument("--all", action="store_true", help="proposals, too")
    snapshot.add_argument("--about", default="", help="what it is")
    snapshot.add_argument("--who", default="", help="who freezes it")
    snapshot.set_defaults(command=_snapshot)
    commands.add_parser("snapshots", help="list them").set_defaults(command=_snapshots)
    stats = commands.add_parser("stats", help="how many queries, answered and accepted")
    stats.set_defaults(command=_stats)
    for command in (bring, export, snapshot, stats):
        command.add_argument("--pair", default="en-zh")
    backup = commands.add_parser("backup", help="write a checked copy of the database")
    backup.add_argument("file", type=Path)
    backup.set_defaults(command=_backup)
    commands.add_parser("check", help="what is wrong with the file").set_defaults(command=_check)
    return parser


def _import(store: Store, arguments: argparse.Namespace) -> int:
    from db.dataset.importing import bring, preview
    from db.store import Origin

    if arguments.preview:
        found = preview(arguments.file, arguments.pair, arguments.words)
        print(f"{found.format}, {found.encoding or 'binary'}: {found.rows} rows with an answer,")
        print(f"{found.sentences} without, {found.queries} queries in all")
        for one in found.bad:
            print(f"line {one.number}: {one.detail}: {one.raw[:120]}")
        _say_refused(found.refused)
        return 0
    origin = Origin(
        arguments.file.name,
        "",
        arguments.pair,
        arguments.origin,
        arguments.who,
        *(("person", "accepted") if arguments.people else ("teacher", "proposed")),
    )
    with tqdm(unit=" lines") as bar:

        def tick(lines: int, counts: Counts) -> bool:
            bar.update(lines - bar.n)
            return True

        number, counts = bring(store, arguments.file, origin, arguments.words, tick)
    print(f"import {number}: {counts.queries} new queries, {counts.known} known ones,")
    print(f"{counts.labels} new answers, {counts.sentences} new sentences,")
    print(f"{counts.similar} of them like a known one but for case and marks")
    _say_refused(counts.refused)
    return 0


def _say_refused(refused: dict[str, int]) -> None:
    print(f"{sum(refused.values())} refused")
    for reason, count in sorted(refused.items(), key=lambda item: -item[1]):
        print(f"  {count:>8} {reason}")


def _undo(store: Store, arguments: argparse.Namespace) -> int:
    store.imports.undo(arguments.number)
    print(f"import {arguments.number} is undone; what it alone brought counts no more")
    return 0


def _imports(store: Store, arguments: argparse.Namespace) -> int:
    for one in store.imports.list_imports():
        state = "undone" if one.undone else "whole" if one.finished else "unfinished"
        refused = sum(one.refused.values())
        print(
            f"{one.id}\t{one.created[:16]}\t{one.name}\t{one.format}\t{one.pair}\t{state}\t"
            f"{one.lines} lines\t{refused} refused"
        )
    return 0


def _export(store: Store, arguments: argparse.Namespace) -> int:
    from db.dataset.exporting import export, export_dataset

    file, form = arguments.file, arguments.format
    if arguments.snapshot:
        told = export_dataset(store, file, form, arguments.snapshot)
    else:
        told = export(store, file, form, arguments.pair, arguments.accepted)
    for name, count in told.items():
        print(f"{count:>8} {name}")
    return 0


def _snapshot(store: Store, arguments: argparse.Namespace) -> int:
    made = store.datasets.freeze(
        arguments.name, arguments.pair, not arguments.all, arguments.about, arguments.who
    )
    print(f"{made.name}: {made.rows} rows, sha256 {made.sha256}")
    return 0


def _snapshots(store: Store, arguments: argparse.Namespace) -> int:
    for one in store.datasets.list_datasets():
        print(f"{one.name}\t{one.created[:16]}\t{one.pair}\t{one.rows} rows\t{one.sha256}")
    return 0


def _stats(store: Store, arguments: argparse.Namespace) -> int:
    for name, count in store.exports.counts(arguments.pair).items():
        print(f"{count:>8} {name}")
    return 0


def _backup(store: Store, arguments: argparse.Namespace) -> int:
    store.backup(arguments.file)
    print(arguments.file)
    return 0


def _check(store: Store, arguments: argparse.Namespace) -> int:
    found = store.check()
    print("\n".join(found) or "sound")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
