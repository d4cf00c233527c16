"""Adapters and translators brought in from outside: a folder, a zip, or a repository of the hub.

What comes is a stranger's. It is copied, file by known file, beside the adapters of this home,
checked there (an adapter against the base; a translator has none), and put in its place by one
rename; refused, it leaves nothing. Nothing of it is run, and no tensor is read. Pure: no torch.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from engine import translator
from engine.catalogue import BESIDE, FILES, HOME_FOLDER, IMPORTED, STAGE, Entry, read_folder
from engine.checking import (
    CARD,
    CONFIG,
    LARGEST_TEXT,
    LARGEST_WEIGHTS,
    WEIGHTS,
    Adapter,
    AdapterError,
    BaseShape,
    check_base,
    check_fits,
    check_name,
    read_adapter,
)
from engine.files import sync_folder
from engine.translator import TAGGED, Translator, read_translator

_MOST_FILES = 200  # in a zip or a folder
_HUB = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_KINDS = (0, stat.S_IFREG, stat.S_IFDIR)  # of a zip's entries; 0: it was made elsewhere
_LARGER = {
    WEIGHTS: LARGEST_WEIGHTS,
    translator.WEIGHTS: translator.LARGEST_WEIGHTS,
    translator.TOKENIZER: translator.LARGEST_TOKENIZER,
}  # bytes of the files that are no short texts

Shape = BaseShape | Callable[[], BaseShape]
"""What an adapter has to fit, or what finds it out: a translator fits no base and asks for none."""


@dataclass(frozen=True)
class Told:
    """What somebody says of an adapter that has no card of its own."""

    pair: str
    task: str = "translation"
    style: str = "short"


@dataclass(frozen=True)
class _Form:
    """Which files one of them has; `config` is the one that says where the others are."""

    config: str
    files: tuple[str, ...]

    @property
    def most(self) -> int:
        """Bytes of all its files that are no short texts."""
        return sum(_LARGER.get(name, 0) for name in self.files)


_ADAPTER = _Form(CONFIG, FILES)
_TRANSLATOR = _Form(translator.CONFIG, (*translator.FILES, *BESIDE))


def _form(names: Iterable[str]) -> _Form:
    """What files of these names are: a translator where they are one's and no adapter's."""
    known = set(names)
    mine = {translator.CONFIG, translator.WEIGHTS} <= known and not {CONFIG, WEIGHTS} & known
    return _TRANSLATOR if mine else _ADAPTER


def is_hub_id(source: str) -> bool:
    """Whether this names a repository of the hub and not a file."""
    return bool(_HUB.fullmatch(source)) and not Path(source).exists()


def bring_adapter(
    source: Path, home: Path, shape: Shape, told: Told | None = None, origin: str = ""
) -> Entry:
    """Take the adapter or translator in a folder or a zip into the home. `origin` is said to
    people: where it is from (default: the file's name). AdapterError says why it is refused, and
    nothing is kept."""
    place = home / HOME_FOLDER
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=STAGE, dir=place))
    try:
        form = _copy(source, stage)
        found = _check(stage, form, shape, told)
        return _settle(found, place, origin or source.name)
    except AdapterError as error:  # people know the name that they gave
        raise AdapterError(str(error).replace(str(stage), source.name), error.reason) from error
    except OSError as error:
        raise AdapterError(f"{source.name} cannot be brought in: {error.strerror}") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def fetch_adapter(
    repository: str, home: Path, shape: Shape, told: Told | None = None, revision: str = "main"
) -> Entry:
    """Take an adapter or translator from a repository of the hub into the home: its known files
    alone, their sizes asked for first. AdapterError where the hub cannot be reached, too."""
    import huggingface_hub
    from httpx import HTTPError

    if not _HUB.fullmatch(repository):
        raise AdapterError(f"{repository!r:.80} names no repository of the hub", "hub")
    place = home / HOME_FOLDER
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=STAGE, dir=place) as folder:
        try:
            info = huggingface_hub.HfApi().model_info(
                repository, revision=revision, files_metadata=True
            )
            there = info.siblings or ()
            files = _form(one.rfilename for one in there).files
            large = [one.rfilename for one in there if _is_large(one, files)]
            if large:
                raise AdapterError(f"{repository}: {large[0]} is too large", "too_large")
            huggingface_hub.snapshot_download(
                repository, revision=info.sha, allow_patterns=list(files), local_dir=folder
            )
        except (OSError, ValueError, HTTPError) as error:  # OSError: the hub's own are among them
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise AdapterError(
                f"{repository} could not be fetched from the hub ({reason[:200]}). Check the name"
                " and the connection, or import a folder or a zip",
                "hub",
            ) from error
        shutil.rmtree(Path(folder) / ".cache", ignore_errors=True)
        return bring_adapter(Path(folder), home, shape, told, f"{repository}@{info.sha}")


def _is_large(file: object, files: tuple[str, ...]) -> bool:
    name, size = getattr(file, "rfilename", ""), getattr(file, "size", None) or 0
    return name in files and size > _LARGER.get(name, LARGEST_TEXT)


def _copy(source: Path, stage: Path) -> _Form:
    if source.is_symlink():
        raise AdapterError(f"{source.name} is a link; name what it points to", "link")
    if source.is_dir():
        return _copy_folder(source, stage)
    if source.is_file() and zipfile.is_zipfile(source):
        return _unpack(source, stage)
    check_name(source.name, source.name)
    raise AdapterError(f"{source.name} is no folder and no zip", "not_an_adapter")


def _copy_folder(source: Path, stage: Path) -> _Form:
    """The known files of a folder; anything that is no plain file or folder is refused."""
    with os.scandir(source) as found:
        entries = [entry for entry, _ in zip(found, range(_MOST_FILES + 1))]
    if len(entries) > _MOST_FILES:
        raise AdapterError(f"{source.name} holds more than {_MOST_FILES} files", "too_large")
    form = _form(entry.name for entry in entries)
    for entry in entries:
        if entry.is_symlink():
            raise AdapterError(f"{source.name} holds a link, {entry.name[:80]}", "link")
        check_name(entry.name, source.name)
        if entry.name in form.files and entry.is_file(follow_symlinks=False):
            handle = os.open(entry.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with os.fdopen(handle, "rb") as data:
                _write(data, os.fstat(handle).st_size, stage / entry.name)
    return form


def _unpack(source: Path, stage: Path) -> _Form:
    """The known files of a zip that stand beside its one config. Every name is checked, and what an
    entry claims to hold bounds what is read of it."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            form = _form(PurePosixPath(entry.filename).name for entry in entries)
            _check_entries(entries, source.name, form)
            configs = [e for e in entries if PurePosixPath(e.filename).name == form.config]
            if len(configs) != 1:
                raise AdapterError(f"{source.name} holds {len(configs)} adapters", "not_an_adapter")
            folder = PurePosixPath(configs[0].filename).parent
            for entry in entries:
                name = PurePosixPath(entry.filename)
                if not entry.is_dir() and name.parent == folder and name.name in form.files:
                    with archive.open(entry) as data:
                        _write(data, entry.file_size, stage / name.name)
            return form
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, AdapterError):
            raise
        raise AdapterError(f"{source.name} cannot be unpacked: {str(error)[:120]}") from error


def _check_entries(entries: list[zipfile.ZipInfo], where: str, form: _Form) -> None:
    if len(entries) > _MOST_FILES:
        raise AdapterError(f"{where} holds more than {_MOST_FILES} files", "too_large")
    for entry in entries:
        name = entry.orig_filename
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or re.search(r"[\\:\x00]", name):
            raise AdapterError(f"{where} names a place outside itself: {name!r:.80}", "path")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in _KINDS:
            raise AdapterError(f"{where} holds a link or a device, {name!r:.80}", "link")
        check_name(path.name, where)
    if sum(entry.file_size for entry in entries) > form.most + len(entries) * LARGEST_TEXT:
        raise AdapterError(f"{where} claims more than {form.most >> 20} MB", "too_large")
    ((_, most),) = Counter(entry.filename for entry in entries).most_common(1) or [("", 0)]
    if most > 1:
        raise AdapterError(f"{where} holds a name twice", "path")


def _write(data: IO[bytes], size: int, file: Path) -> None:
    """Copy at most `size` bytes, and no more than such a file may have."""
    if size > _LARGER.get(file.name, LARGEST_TEXT):
        raise AdapterError(f"{file.name} has {size >> 20} MB, too many", "too_large")
    left = size
    with file.open("xb") as out:
        while left > 0 and (part := data.read(min(left, 1 << 20))):
            out.write(part)
            left -= len(part)
        out.flush()
        os.fsync(out.fileno())


def _check(stage: Path, form: _Form, shape: Shape, told: Told | None) -> Adapter | Translator:
    """What is staged, as what it says of itself or else as what it is told to be."""
    if not (stage / CARD).is_file():
        if told is None:
            raise AdapterError(
                f"{stage} has no {CARD}: say which pair, task and prompt style it is for", "no_card"
            )
        card = {"name": f"{told.pair}-{told.task}", **vars(told)}
        if form is _TRANSLATOR:  # it was trained on no prompt
            card["style"] = TAGGED
        else:
            base = shape = shape() if callable(shape) else shape
            card["base"] = f"{base.name}@{base.revision}"
        (stage / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    if form is _TRANSLATOR:
        return read_translator(stage)
    adapter = read_adapter(stage)
    if not adapter.card.base:
        raise AdapterError(
            f"the {CARD} of {stage} names no base: without a {CARD} it can be said what it is for",
            "wrong_base",
        )
    base = shape() if callable(shape) else shape
    check_base(adapter.card, base)
    check_fits(adapter, base)
    return adapter


def _settle(found: Adapter | Translator, place: Path, origin: str) -> Entry:
    """Put what was checked in its place, unless it is there already."""
    card, version = found.card, found.version
    folder = place / f"{card.pair}-{card.task}" / version
    if not folder.exists():
        now = datetime.now(UTC).isoformat(timespec="seconds")
        told = {"from": "".join(c for c in origin if c.isprintable())[:200], "at": now}
        (found.folder / IMPORTED).write_text(
            json.dumps(told, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        sync_folder(found.folder)
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        os.replace(found.folder, folder)
        sync_folder(folder.parent)
    return Entry("imported" if (folder / IMPORTED).is_file() else "promoted", read_folder(folder))
