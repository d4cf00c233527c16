"""The database without a screen.

python -m db import FILE [--preview] [--who NAME] [--from TEXT] [--people] [--words N] [--pair P]
python -m db undo NUMBER
python -m db imports
python -m db export FILE [--format flat|wire|csv|parquet|hf] [--accepted] [FILTER] [--pair P]
python -m db export FILE --snapshot NAME [--format …]
python -m db snapshot NAME [--all] [FILTER] [--without-invalid] [--about TEXT] [--who NAME]
python -m db snapshots
python -m db push NAME OWNER/REPOSITORY
python -m db stats [--pair P]
python -m db agreement [--pair P]
python -m db decisions FILE [--pair P]
python -m db backup FILE
python -m db restore BACKUP
python -m db check
python -m db bench RESULT.json [--queries N]

FILTER: [--status S] [--by NAME] [--class C] [--phrase with|without|joined|split] [--text WORDS]
        [--import NUMBER] [--corrected] [--differs] [--reported]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from db.store import Brought, Counts, Filter, InvalidRows, Store

_FORMATS = ("flat", "wire", "csv", "parquet", "hf")
_SHOWN = 10  # invalid rows that a refusal prints


def main() -> int:
    from db.dataset.opening import Unreadable
    from db.store import InvalidRows, StoreError, open_store
    from engine.settings import SettingsError, read_settings

    arguments = _parser().parse_args()
    try:
        database = read_settings().database
        if arguments.command is None:
            return _restore(arguments.backup, database)
        with open_store(database) as store:
            return arguments.command(store, arguments)
    except InvalidRows as error:
        _say_invalid(error)
        return 2
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
    bring.add_argument(
        "--words", type=int, default=12, help="queries of a sentence, at most; 0: none"
    )
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
    _add_filter(export)
    snapshot = commands.add_parser("snapshot", help="freeze the accepted answers as a dataset")
    snapshot.add_argument("name")
    snapshot.add_argument("--all", action="store_true", help="proposals, too")
    snapshot.add_argument("--about", default="", help="what it is")
    snapshot.add_argument("--who", default="", help="who freezes it")
    snapshot.add_argument(
        "--without-invalid", action="store_true", help="leave out rows that break the rules"
    )
    snapshot.add_argument(
        "--task", choices=("sense", "translation"), default="sense",
        help="translation: whole sentences with the translations they came with",
    )  # fmt: skip
    snapshot.add_argument(
        "--teacher", default="", help="of sentences without one, this teacher's translations"
    )
    _add_filter(snapshot)
    snapshot.set_defaults(command=_snapshot)
    commands.add_parser("snapshots", help="list them").set_defaults(command=_snapshots)
    push = commands.add_parser("push", help="put a frozen dataset on the hub; needs HF_TOKEN")
    push.add_argument("name")
    push.add_argument("repository")
    push.set_defaults(command=_push)
    stats = commands.add_parser("stats", help="how many queries, answered and accepted; of what")
    stats.set_defaults(command=_stats)
    agreement = commands.add_parser("agreement", help="how far people agree, by field")
    agreement.set_defaults(command=_agreement)
    decisions = commands.add_parser(
        "decisions", help="write what people decided, and what they said of it, a JSON line each"
    )
    decisions.add_argument("file", type=Path)
    decisions.set_defaults(command=_decisions)
    for command in (bring, export, snapshot, stats, agreement, decisions):
        command.add_argument("--pair", default="en-zh")
    backup = commands.add_parser("backup", help="write a checked copy of the database")
    backup.add_argument("file", type=Path)
    backup.set_defaults(command=_backup)
    restore = commands.add_parser(
        "restore", help="put a backup in the place of the database, while no app runs"
    )
    restore.add_argument("backup", type=Path)
    restore.set_defaults(command=None)
    bench = commands.add_parser(
        "bench", help="measure how the store grows, in a database of its own"
    )
    bench.add_argument("result", type=Path)
    bench.add_argument("--queries", type=int, default=1_000_000)
    bench.set_defaults(command=_bench)
    commands.add_parser("check", help="what is wrong with the file").set_defaults(command=_check)
    return parser


def _add_filter(parser: argparse.ArgumentParser) -> None:
    from db.store.browse import PHRASES, STATES
    from engine.sense import CLASSES

    chosen = parser.add_argument_group("which of them")
    chosen.add_argument("--status", choices=STATES, default="")
    chosen.add_argument("--by", default="", metavar="NAME", help="who decided")
    chosen.add_argument("--class", dest="word_class", choices=CLASSES, default="")
    chosen.add_argument("--phrase", choices=PHRASES, default="")
    chosen.add_argument("--text", default="", help="words in sentences, translations, meanings")
    chosen.add_argument("--import", dest="import_id", type=int, metavar="NUMBER")
    chosen.add_argument("--corrected", action="store_true", help="a person corrected a model")
    chosen.add_argument("--differs", action="store_true", help="models differ")
    chosen.add_argument("--reported", action="store_true", help="a reader complained")


def _chosen(arguments: argparse.Namespace) -> Filter:
    from db.store import Filter

    return Filter(
        status=arguments.status,
        who=arguments.by,
        word_class=arguments.word_class,
        shape=arguments.phrase,
        corrected=arguments.corrected,
        differs=arguments.differs,
        reported=arguments.reported,
        import_id=arguments.import_id,
        text=arguments.text,
    )


def _import(store: Store, arguments: argparse.Namespace) -> int:
    from db.dataset.importing import bring, preview
    from db.store import Origin

    if arguments.preview:
        found = preview(arguments.file, arguments.pair, arguments.words)
        print(f"{found.format}, {found.encoding or 'binary'}: {found.rows} rows with an answer,")
        print(f"{found.sentences} without, {found.queries} queries in all")
        _say_lines(found.bad)
        _say_refused(found.refused)
        _say_lines(found.odd)
        _say_broken(found.against, found.broken)
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
    _say_broken(counts.against, counts.broken)
    return 0


def _say_lines(lines: Iterable[Brought]) -> None:
    """Lines with why, as no terminal would take them for commands."""
    from db.dataset.visible import visible

    for one in lines:
        print(visible(f"line {one.number}: {one.detail}: {one.raw[:120]}"))


def _say_refused(refused: dict[str, int]) -> None:
    print(f"{sum(refused.values())} refused")
    for reason, count in sorted(refused.items(), key=lambda item: -item[1]):
        print(f"  {count:>8} {reason}")


def _say_broken(rows: int, broken: Mapping[str, int]) -> None:
    """Rows that come in though they break a rule: a dataset takes those only that people gave."""
    if rows:
        print(f"{rows} break a labelling rule and are kept all the same")
    for rule, count in sorted(broken.items(), key=lambda item: -item[1]):
        print(f"  {count:>8} {rule}")


def _undo(store: Store, arguments: argparse.Namespace) -> int:
    store.imports.undo(arguments.number)
    print(f"import {arguments.number} is undone; what it alone brought counts no more")
    return 0


def _imports(store: Store, arguments: argparse.Namespace) -> int:
    from db.dataset.visible import visible

    for one in store.imports.list_imports():
        state = "undone" if one.undone else "whole" if one.finished else "unfinished"
        refused = sum(one.refused.values())
        print(
            f"{one.id}\t{one.created[:16]}\t{visible(one.name)}\t{one.format}\t{one.pair}\t{state}\t"
            f"{one.lines} lines\t{refused} refused"
        )
    return 0


def _export(store: Store, arguments: argparse.Namespace) -> int:
    from db.dataset.exporting import export, export_dataset

    file, form = arguments.file, arguments.format
    if arguments.snapshot:
        told = export_dataset(store, file, form, arguments.snapshot)
    else:
        chosen = _chosen(arguments)
        told = export(store, file, form, arguments.pair, arguments.accepted, chosen)
    for name, count in told.items():
        print(f"{count:>8} {name}")
    return 0


def _snapshot(store: Store, arguments: argparse.Namespace) -> int:
    if arguments.task == "translation":
        return _snapshot_sentences(store, arguments)
    made = store.datasets.freeze(
        arguments.name,
        arguments.pair,
        not arguments.all,
        arguments.about,
        arguments.who,
        _chosen(arguments),
        arguments.without_invalid,
    )
    print(f"{made.name}: {made.rows} rows, sha256 {made.sha256}")
    print(", ".join(f"{count} {split}" for split, count in made.splits.items()))
    for reason, count in made.left_out.items():
        print(f"{count:>8} left out: {reason}")
    return 0


def _snapshot_sentences(store: Store, arguments: argparse.Namespace) -> int:
    made = store.sentence_sets.freeze(
        arguments.name, arguments.pair, arguments.teacher, arguments.about, arguments.who
    )
    print(f"{made.name}: {made.rows} sentences, sha256 {made.sha256}")
    print(", ".join(f"{count} {split}" for split, count in made.splits.items()))
    if made.synthetic:
        print(f"{made.synthetic} of the translations are synthetic, by {made.teacher}")
    return 0


def _say_invalid(error: InvalidRows) -> None:
    survey = error.survey
    print(f"{error}: {survey.invalid} of {survey.invalid + survey.rows}", file=sys.stderr)
    for one in survey.shown[:_SHOWN]:
        query = one.row.query
        print(f"  {', '.join(one.reasons)}: {query.target!r} in {query.context}", file=sys.stderr)
    print("--without-invalid leaves them out", file=sys.stderr)


def _snapshots(store: Store, arguments: argparse.Namespace) -> int:
    for one in store.datasets.list_datasets():
        print(f"{one.name}\t{one.created[:16]}\t{one.pair}\t{one.rows} rows\t{one.sha256}")
    for made in store.sentence_sets.list_sets():
        print(
            f"{made.name}\t{made.created[:16]}\t{made.pair}\t{made.rows} sentences\t{made.sha256}"
        )
    return 0


def _push(store: Store, arguments: argparse.Namespace) -> int:
    from db.dataset.hub import push

    print(push(store, arguments.name, arguments.repository))
    return 0


def _stats(store: Store, arguments: argparse.Namespace) -> int:
    for name, count in store.exports.counts(arguments.pair).items():
        print(f"{count:>8} {name}")
    found = {"state": store.browse.states(arguments.pair)}
    for title, counts in (found | store.browse.spread_of(arguments.pair)).items():
        print(f"by {title}:")
        for name, count in counts.items():
            print(f"{count:>8} {name}")
    for who, day, count in store.browse.progress():
        print(f"{day}\t{who}\t{count} decided")
    return 0


def _agreement(store: Store, arguments: argparse.Namespace) -> int:
    from db.dataset.agreement import measure

    print("field\tqueries\tequal\tkappa\talpha")
    for one in measure(store, arguments.pair):
        shown = ("–" if x is None else f"{x:.3f}" for x in (one.equal, one.kappa, one.alpha))
        print(one.field, one.queries, *shown, sep="\t")
    return 0


def _decisions(store: Store, arguments: argparse.Namespace) -> int:
    from db.dataset.exporting import export_decisions

    print(export_decisions(store, arguments.file, arguments.pair))
    return 0


def _backup(store: Store, arguments: argparse.Namespace) -> int:
    store.backup(arguments.file)
    print(arguments.file)
    return 0


def _restore(backup: Path, database: Path) -> int:
    from db.store.restore import restore

    done = restore(backup, database)
    print(f"{database} is {backup} now: version {done.version}, labels: {done.labels}")
    if done.former:
        print(f"what was there before is {done.former}")
    return 0


def _check(store: Store, arguments: argparse.Namespace) -> int:
    found = store.check()
    print("\n".join(found) or "sound")
    return 1 if found else 0


def _bench(store: Store, arguments: argparse.Namespace) -> int:
    from db.bench import bench

    print(json.dumps(bench(arguments.result, arguments.queries), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
