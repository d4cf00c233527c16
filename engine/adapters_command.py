"""`python -m engine adapters`: list, bring in, write out and delete adapters without a screen."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from engine.bringing import Told, bring_adapter, fetch_adapter, is_hub_id
from engine.catalogue import (
    Entry,
    came_from,
    delete_adapter,
    export_adapter,
    find_adapter,
    list_adapters,
    readers_adapter,
)
from engine.checking import STYLES, TASKS
from engine.settings import Settings, read_settings


def add_adapters(commands: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    adapters = commands.add_parser("adapters", help="the adapters and translators there are")
    does = adapters.add_subparsers(dest="what", required=True)
    does.add_parser("list", help="all adapters; * is what readers have")
    bring = does.add_parser("import", help="check an adapter or translator and take it in")
    bring.add_argument("source", help="a folder, a zip, or OWNER/NAME on the hub")
    bring.add_argument("--pair", help="where it has no card: what it is for, such as en-fr")
    bring.add_argument("--task", choices=TASKS, default="translation")
    styles = sorted({style for some in STYLES.values() for style in some})
    bring.add_argument(
        "--style", choices=styles, help="its prompt style; default: short, of words last"
    )
    bring.add_argument("--revision", default="main", help="of the hub's repository")
    write = does.add_parser("export", help="write an adapter as a zip")
    write.add_argument("adapter", help="its version or name")
    write.add_argument("file", type=Path, metavar="FILE.zip")
    remove = does.add_parser("delete", help="remove an adapter from CTX_HOME")
    remove.add_argument("adapter", help="its version or name")


def run_adapters(arguments: argparse.Namespace) -> int:
    """Do what was asked; AdapterError or BaseError says why not."""
    settings = read_settings()
    {"list": _list, "import": _import, "export": _export, "delete": _delete}[arguments.what](
        arguments, settings
    )
    return 0


def _list(arguments: argparse.Namespace, settings: Settings) -> None:
    found, refused = list_adapters(settings)
    for entry in found:
        print(_line(entry, settings))
    for one in refused:
        print(f"  refused       {one.text}")


def _line(entry: Entry, settings: Settings) -> str:
    present = readers_adapter(settings, entry.pair, entry.task)
    mark = "*" if present and present.version == entry.version else " "
    source = came_from(entry).get("from", "")
    return (
        f"{mark} {entry.version}  {entry.pair:7} {entry.task:11} {entry.name:20}"
        f" {entry.bytes / 1e6:6.1f} MB  {entry.origin}{f' from {source}' if source else ''}"
    )


def _import(arguments: argparse.Namespace, settings: Settings) -> None:
    from engine.adapters import base_shape

    style = arguments.style or STYLES[arguments.task][0]
    told = Told(arguments.pair, arguments.task, style) if arguments.pair else None
    shape = partial(base_shape, settings)
    if is_hub_id(arguments.source):
        entry = fetch_adapter(arguments.source, settings.home, shape, told, arguments.revision)
    else:
        entry = bring_adapter(Path(arguments.source), settings.home, shape, told)
    print(_line(entry, settings))


def _export(arguments: argparse.Namespace, settings: Settings) -> None:
    export_adapter(find_adapter(settings, arguments.adapter), arguments.file)
    print(arguments.file)


def _delete(arguments: argparse.Namespace, settings: Settings) -> None:
    entry = find_adapter(settings, arguments.adapter)
    delete_adapter(settings, entry)
    print(f"deleted {entry.name} {entry.version}")
