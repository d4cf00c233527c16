"""The files of a folder that a corpus can be made of: of pairs, text files that differ in their
language's code alone (`a.de.gz`, `a.en.gz`), and tables; of lines, any. Reads no contents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.scratch.corpus.reading import kind_of

_PACKED = (".gz", ".xz", ".bz2", ".zst")
_DEEP, _MOST = 3, 300  # folders below, files that are looked at


@dataclass(frozen=True)
class Found:
    """Sources that belong together, as paths below the folder, and their bytes."""

    sources: tuple[str, ...]
    bytes: int


def find_sources(folder: Path | None, sides: Sequence[str]) -> list[Found]:
    """What there is for these languages, in the order of names; nothing without a folder."""
    if folder is None or not folder.is_dir():
        return []
    names = sorted(str(file.relative_to(folder)) for file in _walk(folder, _DEEP))[:_MOST]
    found = []
    for name in names:
        group = _group(name, sides, set(names))
        if group:
            found.append(Found(group, sum(map(_bytes, (folder / one for one in group)))))
    return found


def _bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # it went meanwhile
        return 0


def _walk(folder: Path, deep: int) -> Iterator[Path]:
    try:
        shown = [one for one in folder.iterdir() if not one.name.startswith(".")]
        there = [(one, one.is_dir(), one.is_file()) for one in shown]
    except OSError:  # a folder that this process may not read hides no other
        return
    for one, is_folder, is_file in there:
        if is_folder and deep:
            yield from _walk(one, deep - 1)
        elif is_file:
            yield one


def _group(name: str, sides: Sequence[str], names: set[str]) -> tuple[str, ...]:
    """The sources that this file begins, () where it begins none."""
    suffixes = Path(name.lower()).suffixes
    bare = [one for one in suffixes if one not in _PACKED]
    said = bare and bare[-1].removeprefix(".") in sides
    if kind_of(name) != "text":
        return (name,)
    if len(sides) == 1:
        return (name,) if said or bare[-1:] == [".txt"] else ()
    source, target = sides
    other = _swapped(name, source, target)
    return (name, other) if other in names else ()


def _swapped(name: str, source: str, target: str) -> str:
    """The name with the last part that says the source language saying the target one; "" where
    none does."""
    parts = name.split(".")
    for n in reversed(range(1, len(parts))):
        if parts[n] == source:
            return ".".join([*parts[:n], target, *parts[n + 1 :]])
    return ""
