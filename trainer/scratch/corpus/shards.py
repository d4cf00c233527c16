"""A corpus on disk, piece by piece: each holds the rows that were kept of so many that came, what
they are recognised by, and what became of the others. A piece that is there is whole.

    CORPUS/shards/00000-KEY.tsv  .npy  .json     and, when all are there,
    CORPUS/train.de.txt  train.en.txt  dev.…  test.…  files.json  report.json  .md  .html

The key says all that a piece depends on: the settings, the rows, and the pieces before it, whose
rows are its duplicates.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.files import sync_folder, write_whole
from engine.split import SPLITS
from trainer.scratch.corpus.duplicates import Keys
from trainer.scratch.corpus.recipe import CorpusRecipe
from trainer.scratch.corpus.stages import Row
from trainer.scratch.corpus.tally import Tally, read_tally

SHARDS, FILES, REPORT = "shards", "files.json", "report.json"


@dataclass(frozen=True)
class Shard:
    """A piece on disk: its file of rows, the file's hash, and how many rows it has."""

    file: Path
    sha256: str
    rows: int


@dataclass(frozen=True)
class Piece:
    """A piece that is done, with what its rows are recognised by and what became of the others."""

    shard: Shard
    keys: Keys
    tally: Tally


def key_of(rows: Sequence[Row], settings: str, before: str) -> str:
    """The key of these rows under these settings, behind the piece of the key `before`."""
    told = hashlib.sha256(f"{settings}\n{before}\n".encode())
    for row in rows:
        told.update("\t".join(row).encode("utf-8", "surrogatepass") + b"\n")
    return told.hexdigest()


def read_piece(folder: Path, number: int, key: str) -> Piece | None:
    """The piece, or None where it is not there, or its files are not what was written."""
    place = _place(folder, number, key)
    try:
        told = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
        found = hashlib.sha256(place.with_suffix(".tsv").read_bytes()).hexdigest()
        keys = np.load(place.with_suffix(".npy"), allow_pickle=False)
    except (OSError, EOFError, ValueError):
        return None
    if found != told["sha256"] or len(keys) != told["tally"]["kept"]:
        return None
    shard = Shard(place.with_suffix(".tsv"), found, len(keys))
    return Piece(shard, keys, read_tally(told["tally"]))


def write_piece(
    folder: Path,
    number: int,
    key: str,
    rows: Sequence[Row],
    splits: Sequence[str],
    keys: Keys,
    tally: Tally,
) -> Piece:
    """Write a piece; what says that it is there comes last."""
    place = _place(folder, number, key)
    place.parent.mkdir(parents=True, exist_ok=True)
    lines = ("\t".join((split, *row)) + "\n" for split, row in zip(splits, rows, strict=True))
    text = "".join(lines).encode()
    _write(place.with_suffix(".tsv"), text)
    with place.with_suffix(".npy").open("wb") as file:
        np.save(file, keys, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    sha256 = hashlib.sha256(text).hexdigest()
    told = {"sha256": sha256, "tally": tally.plain()}
    write_whole(place.with_suffix(".json"), json.dumps(told, ensure_ascii=False) + "\n")
    return Piece(Shard(place.with_suffix(".tsv"), sha256, len(rows)), keys, tally)


def keep_only(folder: Path, shards: Sequence[Path]) -> None:
    """Delete pieces of other settings or rows."""
    kept = {file.with_suffix("").name for file in shards}
    for file in (folder / SHARDS).iterdir():
        if file.name.partition(".")[0] not in kept:
            file.unlink()


def join(folder: Path, shards: Sequence[Shard], recipe: CorpusRecipe) -> list[dict[str, Any]]:
    """Write all rows as text files, one a split and language: `train.de.txt`. In those of a split,
    lines of the same number belong together. What each holds; ValueError where a piece was changed
    meanwhile."""
    before = made_before(folder)
    splits = SPLITS if recipe.held_out else SPLITS[:1]
    names = {(split, code): f"{split}.{code}.txt" for split in splits for code in recipe.sides}
    # Before they are there: a run that ends before its report must find them its own.
    write_whole(folder / FILES, json.dumps(sorted({*before, *names.values()})) + "\n")
    for name in before:  # what is there may be of other settings
        (folder / name).unlink(missing_ok=True)
    with ExitStack() as stack:
        outs = {
            (split, code): stack.enter_context(_Out(folder / name, code))
            for (split, code), name in names.items()
        }
        for shard in shards:
            data = shard.file.read_bytes()
            if hashlib.sha256(data).hexdigest() != shard.sha256:
                raise ValueError(f"{shard.file} is not what was written; run it again")
            for line in data.split(b"\n")[:-1]:
                which, *texts = line.split(b"\t")
                for code, text in zip(recipe.sides, texts):
                    outs[which.decode(), code].write(text)
    for out in outs.values():
        os.replace(out.fresh, out.file)
    sync_folder(folder)
    return [out.told() for out in outs.values()]


def made_before(folder: Path) -> set[str]:
    """The text files that an earlier corpus in this folder has left, or was about to write."""
    listed, told = _read(folder / FILES), _read(folder / REPORT)
    names = listed if isinstance(listed, list) else []
    if isinstance(told, dict):
        names = [*names, *(one["file"] for one in told.get("files", ()))]
    return {Path(name).name for name in names}


def _read(file: Path) -> Any:
    """What a JSON file holds; None where it is not there or not whole."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def others_files(folder: Path) -> list[Path]:
    """Files in the folder that have the names of a corpus' and were made by none."""
    ours = made_before(folder)
    there = (file for split in SPLITS for file in folder.glob(f"{split}.*.txt"))
    return [file for file in there if file.name not in ours]


class _Out:
    """A text file that takes the place of the one before when it is whole."""

    def __init__(self, file: Path, language: str):
        self.file, self.fresh = file, file.with_name(f"{file.name}.new")
        self._language, self._rows, self._told = language, 0, hashlib.sha256()

    def __enter__(self) -> _Out:
        self._out = self.fresh.open("wb")
        return self

    def write(self, text: bytes) -> None:
        self._out.write(text + b"\n")
        self._told.update(text + b"\n")
        self._rows += 1

    def __exit__(self, *error: object) -> None:
        self._out.flush()
        os.fsync(self._out.fileno())
        self._out.close()

    def told(self) -> dict[str, Any]:
        """What a report says of it."""
        return {
            "file": self.file.name, "language": self._language, "rows": self._rows,
            "sha256": self._told.hexdigest(),
        }  # fmt: skip


def _place(folder: Path, number: int, key: str) -> Path:
    return folder / SHARDS / f"{number:05d}-{key[:16]}"


def _write(file: Path, data: bytes) -> None:
    with file.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    sync_folder(file.parent)
