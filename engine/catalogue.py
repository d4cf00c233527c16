"""The adapters on disk, those that ship (assets/adapters) and those of this home
(CTX_HOME/adapters): which of them readers have, and how one leaves, as a file or for good. A
translator, which needs no base, lies among them and is listed, promoted and deleted like them.

An adapter folder describes itself, so a new pair is one more folder. Pure: no torch, no store; a
screen may ask while nothing is loaded.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.checking import CARD, CONFIG, WEIGHTS, Adapter, AdapterError, Card, read_adapter
from engine.present import BASE, read_pointer
from engine.settings import Settings, assets, base_name
from engine.translator import FILES as TRANSLATOR_FILES
from engine.translator import Translator, is_translator, read_translator

HOME_FOLDER = "adapters"  # in the home: <pair>-<task>/<version>
STAGE = ".new-"  # a folder that is being made or unmade; what a kill leaves is cleared at the start
IMPORTED = "imported.json"  # where an imported one came from, and when
BESIDE = (CARD, "README.md", "SCORES.md", "recipe.json", "LICENSE", "NOTICE")
FILES = (WEIGHTS, CONFIG, *BESIDE)  # of an adapter; a translator has its own in their place
_FILES = (*FILES, *TRANSLATOR_FILES)
_FIRST = ("en-zh", "en-es", "de-en", "en-hi", "en-ta")  # the order in which pairs are offered


@dataclass(frozen=True)
class Entry:
    """An adapter or a translator on disk. `origin`: shipped, imported, or promoted (a copy of what
    a run made)."""

    origin: str
    adapter: Adapter | Translator

    @property
    def card(self) -> Card:
        return self.adapter.card

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def pair(self) -> str:
        return self.card.pair

    @property
    def task(self) -> str:
        return self.card.task

    @property
    def version(self) -> str:
        return self.adapter.version

    @property
    def folder(self) -> Path:
        return self.adapter.folder

    @property
    def bytes(self) -> int:
        return self.adapter.bytes


@dataclass(frozen=True)
class Refusal:
    """A folder among the adapters that is none, and why."""

    folder: Path
    reason: str
    text: str


def list_adapters(settings: Settings) -> tuple[tuple[Entry, ...], tuple[Refusal, ...]]:
    """All adapters, those that ship first, and the folders that were refused."""
    found, refused = [], []
    for origin, folder in _folders(settings):
        try:
            found.append(Entry(origin, read_unchanged(folder)))
        except AdapterError as error:
            refused.append(Refusal(folder, error.reason, str(error)))
    return tuple(found), tuple(refused)


def _folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    for folder in sorted((assets() / "adapters").iterdir()):
        if is_there(folder):  # one that was never trained has its recipe alone
            yield "shipped", folder
    home = settings.home / HOME_FOLDER
    for folder in sorted(home.glob("*/*")):
        plain = folder.is_dir() and not folder.is_symlink() and not folder.parent.is_symlink()
        if plain and not folder.relative_to(home).parts[0].startswith("."):
            yield "imported" if (folder / IMPORTED).is_file() else "promoted", folder


def read_unchanged(folder: Path) -> Adapter | Translator:
    """The adapter or translator in `folder`, hashed anew only where a file of it changed;
    AdapterError where it is refused."""
    stamps = []
    for name in (WEIGHTS, CONFIG, CARD, *TRANSLATOR_FILES):
        try:
            found = (folder / name).stat()
        except OSError:
            continue
        stamps.append((found.st_size, found.st_mtime_ns, found.st_ino))
    return _read(folder, tuple(stamps))


@lru_cache(maxsize=256)
def _read(folder: Path, stamps: tuple[tuple[int, int, int], ...]) -> Adapter | Translator:
    """Its version is a hash of all it holds, and a screen asks for every adapter's again."""
    return read_folder(folder)


def read_folder(folder: Path) -> Adapter | Translator:
    """The adapter or translator in `folder`; AdapterError where it is refused."""
    return read_translator(folder) if is_translator(folder) else read_adapter(folder)


def is_there(folder: Path) -> bool:
    """Whether the folder has the weights of an adapter or a translator."""
    return (folder / WEIGHTS).is_file() or is_translator(folder)


def find_adapter(settings: Settings, name: str) -> Entry:
    """The adapter of this version (its first six letters at least), or else the only one of this
    name; AdapterError where there is none."""
    found, _ = list_adapters(settings)
    of_version = [e for e in found if len(name) >= 6 and e.version.startswith(name)]
    chosen = {e.version: e for e in of_version or [e for e in found if e.name == name]}
    if len(chosen) != 1:
        what = "no adapter" if not chosen else "more than one adapter"
        raise AdapterError(f"there is {what} {name!r:.80}", "not_an_adapter")
    return next(iter(chosen.values()))


def readers_adapter(settings: Settings, pair: str, task: str) -> Entry | None:
    """The adapter that readers have for a pair and task over this base: what was promoted, else the
    usual one. None where there is none."""
    pointer = read_pointer(settings.home, pair, task)
    if pointer.folder:
        place = (settings.home / pointer.folder).resolve()
        fitting = _fitting(settings, pair, task)
        return next((entry for entry in fitting if entry.folder.resolve() == place), None)
    return None if pointer.model == BASE else usual_adapter(settings, pair, task)


def readers_folder(settings: Settings, pair: str, task: str) -> Path | None:
    """The folder of the adapter that readers have, as `readers_adapter` names it, or the settings
    where these do; None for the bare base."""
    if (pair, task) == ("en-zh", "sense"):
        return settings.adapter_folder
    entry = readers_adapter(settings, pair, task)
    return entry.folder if entry else None


def usual_adapter(settings: Settings, pair: str, task: str) -> Entry | None:
    """What readers have of a pair and task where nothing was promoted: what ships, else what was
    imported last."""
    fitting = _fitting(settings, pair, task)
    shipped = [entry for entry in fitting if entry.origin == "shipped"]
    imported = [entry for entry in fitting if entry.origin == "imported"]
    imported.sort(key=lambda entry: (entry.folder / IMPORTED).stat().st_mtime_ns)
    return next(iter(shipped or imported[::-1]), None)


def _fitting(settings: Settings, pair: str, task: str) -> list[Entry]:
    """The adapters of a pair and task that were made for this base."""
    return [
        entry
        for entry in list_adapters(settings)[0]
        if (entry.pair, entry.task) == (pair, task) and fits_base(entry, settings)
    ]


def fits_base(entry: Entry, settings: Settings) -> bool:
    """Whether its card names the base that is used here, or none."""
    return entry.card.base.partition("@")[0] in ("", base_name(settings))


def list_pairs(settings: Settings, task: str) -> tuple[str, ...]:
    """The pairs that readers have an adapter for."""
    pairs = {entry.pair for entry in list_adapters(settings)[0] if entry.task == task}
    known = sorted(pairs, key=in_order)
    return tuple(pair for pair in known if readers_adapter(settings, pair, task))


def in_order(pair: str) -> tuple[int, str]:
    """Where a pair stands among others that are offered."""
    return (_FIRST.index(pair) if pair in _FIRST else len(_FIRST), pair)


def export_adapter(entry: Entry, file: Path) -> None:
    """Write the adapter as a zip that can be imported elsewhere; whole or not at all."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    folder = f"{entry.pair}-{entry.task}-{entry.version}"
    try:
        with zipfile.ZipFile(fresh, "x") as out:
            for name in _FILES:
                if (entry.folder / name).is_file():
                    info = zipfile.ZipInfo(
                        f"{folder}/{name}"
                    )  # no time and no owner of this machine
                    info.external_attr = 0o644 << 16
                    info.compress_type = zipfile.ZIP_DEFLATED
                    with (entry.folder / name).open("rb") as data, out.open(info, "w") as to:
                        shutil.copyfileobj(data, to, 1 << 20)
        os.replace(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)


def delete_adapter(settings: Settings, entry: Entry) -> None:
    """Remove an adapter of this home from disk; AdapterError where it ships with the app, or where
    readers have it."""
    if entry.origin == "shipped":
        raise AdapterError(f"{entry.name} ships with the app", "kept")
    present = read_pointer(settings.home, entry.pair, entry.task)
    if present.folder and (settings.home / present.folder).resolve() == entry.folder.resolve():
        raise AdapterError(f"readers have {entry.name}: promote another one first", "kept")
    with tempfile.TemporaryDirectory(prefix=STAGE, dir=settings.home / HOME_FOLDER) as away:
        entry.folder.rename(Path(away) / entry.version)  # gone at once, whatever comes after


def came_from(entry: Entry) -> dict[str, str]:
    """Where an imported adapter came from, and when; nothing for any other."""
    try:
        found = json.loads((entry.folder / IMPORTED).read_text(encoding="utf-8"))
        return {str(key): str(value) for key, value in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
