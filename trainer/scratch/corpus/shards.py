"""A corpus on disk, piece by piece: each holds the rows that were kept of so many that came, what
they are recognised by, and what became of the others. A piece that is there is whole.

    CORPUS/shards/00000-KEY.tsv  .npy  .json     and, when all are there,
    CORPUS/de.txt  en.txt  report.json  report.md  report.html

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
from trainer.scratch.corpus.duplicates import Keys
from trainer.scratch.corpus.stages import Row
from trainer.scratch.corpus.tally import Tally, read_tally

SHARDS, REPORT = "shards", "report.json"


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
    except (OSError, ValueError):
        return None
    if found != told["sha256"] or len(keys) != told["tally"]["kept"]:
        return None
    shard = Shard(place.with_suffix(".tsv"), found, len(keys))
    return Piece(shard, keys, read_tally(told["tally"]))


def write_piece(
    folder: Path, number: int, key: str, rows: Sequence[Row], keys: Keys, tally: Tally
) -> Piece:
    """Write a piece; what says that it is there comes last."""
    place = _place(folder, number, key)
    place.parent.mkdir(parents=True, exist_ok=True)
    text = "".join("\t".join(row) + "\n" for row in rows).encode()
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


def join(folder: Path, shards: Sequence[Shard], sides: Sequence[str]) -> list[dict[str, Any]]:
    """Write all rows as one text file a language, `de.txt`, lines of the same number belonging
    together; their names, rows and hashes. ValueError where a piece was changed meanwhile."""
    files = [folder / f"{code}.txt" for code in sides]
    hashes = [hashlib.sha256() for _ in sides]
    fresh = [file.with_name(f"{file.name}.new") for file in files]
    with ExitStack() as stack:
        outs = [stack.enter_context(file.open("wb")) for file in fresh]
        for shard in shards:
            data = shard.file.read_bytes()
            if hashlib.sha256(data).hexdigest() != shard.sha256:
                raise ValueError(f"{shard.file} is not what was written; run it again")
            rows = [line.split(b"\t") for line in data.split(b"\n")[:-1]]
            for out, told, texts in zip(outs, hashes, zip(*rows)):
                column = b"".join(text + b"\n" for text in texts)
                out.write(column)
                told.update(column)
        for out in outs:
            out.flush()
            os.fsync(out.fileno())
    for file, made in zip(files, fresh):
        os.replace(made, file)
    sync_folder(folder)
    count = sum(shard.rows for shard in shards)
    return [
        {"file": file.name, "language": code, "rows": count, "sha256": told.hexdigest()}
        for file, code, told in zip(files, sides, hashes)
    ]


def _place(folder: Path, number: int, key: str) -> Path:
    return folder / SHARDS / f"{number:05d}-{key[:16]}"


def _write(file: Path, data: bytes) -> None:
    with file.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    sync_folder(file.parent)
