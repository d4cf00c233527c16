"""The engine without a screen.

python -m engine lookup --context "I'll call you back." --target back [--idx 1]
python -m engine predict IN.jsonl OUT.jsonl [--base-only] [--adapter DIR]
python -m engine convert FOLDER [--gguf FILE]
python -m engine bench RESULT.json [--rounds N] [--sentences N]
python -m engine adapters list | import SOURCE | export NAME FILE.zip | delete NAME
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    lookup = commands.add_parser("lookup", help="answer one query")
    lookup.add_argument("--context", required=True, help="the sentence")
    lookup.add_argument("--target", required=True, help="the word")
    lookup.add_argument("--idx", type=int, default=1, help="which occurrence of it, from 1")
    predict = commands.add_parser("predict", help="answer a file of queries, line by line")
    predict.add_argument("input", type=Path, metavar="IN.jsonl")
    predict.add_argument("output", type=Path, metavar="OUT.jsonl")
    for command in (lookup, predict):
        which = command.add_mutually_exclusive_group()
        which.add_argument("--base-only", action="store_true", help="without any adapter")
        which.add_argument(
            "--adapter", type=Path, help="an adapter folder; default: the shipped one"
        )
    convert = commands.add_parser("convert", help="convert a base into a new folder")
    convert.add_argument("folder", type=Path)
    convert.add_argument("--gguf", type=Path, help="a GGUF file; default: the embedded base")
    bench = commands.add_parser("bench", help="measure answers against other ways to get them")
    bench.add_argument("result", type=Path, metavar="RESULT.json")
    bench.add_argument("--rounds", type=int, default=5, help="what is quoted is their median")
    bench.add_argument("--sentences", type=int, default=50)
    from engine.adapters_command import add_adapters

    add_adapters(commands)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    from engine.checking import AdapterError
    from engine.models import BaseError
    from engine.settings import SettingsError

    run = {
        "lookup": _lookup, "predict": _predict, "convert": _convert, "bench": _bench,
        "adapters": _adapters,
    }[arguments.command]  # fmt: skip
    try:
        return run(arguments)
    except (AdapterError, BaseError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2


def _convert(arguments: argparse.Namespace) -> int:
    from engine.conversion import convert_embedded, convert_gguf

    if arguments.gguf:
        convert_gguf(arguments.gguf, arguments.folder)
    else:
        convert_embedded(arguments.folder)
    return 0


def _settings(arguments: argparse.Namespace):
    from engine.settings import read_settings

    settings = read_settings()
    if arguments.base_only:
        return replace(settings, adapter="none")
    return replace(settings, adapter=str(arguments.adapter)) if arguments.adapter else settings


def _lookup(arguments: argparse.Namespace) -> int:
    from engine.predict import answer_one
    from engine.sense import QueryError, ask

    try:
        query = ask(arguments.context, arguments.target, arguments.idx)
    except QueryError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(answer_one(_settings(arguments), query), ensure_ascii=False))
    return 0


def _predict(arguments: argparse.Namespace) -> int:
    from engine.predict import predict_file

    if not arguments.input.is_file():
        print(f"{arguments.input}: there is no such file", file=sys.stderr)
        return 2
    predict_file(_settings(arguments), arguments.input, arguments.output)
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from engine.bench.run import bench
    from engine.settings import read_settings

    found = bench(read_settings(), arguments.result, arguments.rounds, arguments.sentences)
    print(json.dumps(found, indent=2, ensure_ascii=False))
    return 0


def _adapters(arguments: argparse.Namespace) -> int:
    from engine.adapters_command import run_adapters

    return run_adapters(arguments)


if __name__ == "__main__":
    sys.exit(main())
