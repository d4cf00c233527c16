"""What a teacher says of a run's rows, asked once and kept on disk for all runs of this home.

A folder is named by a hash of the rows, the teacher and k. It is filled in parts, each written
beside its name and renamed: a run that is killed goes on behind the last whole part. Knows nothing
of how a teacher is asked.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.files import write_whole
from trainer.distil.losses import Said
from trainer.losses import Chosen
from trainer.rows import Batch, Pack, make_batch, pieces

FOLDER, WHOLE = "taught", "cache.json"
_VERSION = 1  # of the files' form
_PART = 256  # packs of a part
_TOKENS = 4096  # that go through the teacher at once

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Lesson:
    """Packs to be taught, each once, and the number of each one's first answer token."""

    packs: tuple[Pack, ...]
    starts: dict[Pack, int]
    tokens: int

    def taught(self, pack: Pack) -> Pack:
        """The pack with the numbers of what the teacher says of it; rows that people answered have
        none."""
        rows, at = [], self.starts[pack]
        for row in pack.rows:
            rows.append(row if row.person else replace(row, taught=at))
            at += len(row.answer)
        return replace(pack, rows=tuple(rows))


def make_lesson(packs: Sequence[Pack]) -> Lesson:
    """The lesson of these packs, in their order; repetitions are one."""
    starts: dict[Pack, int] = {}
    tokens = 0
    for pack in packs:
        if pack not in starts:
            starts[pack] = tokens
            tokens += sum(len(row.answer) for row in pack.rows)
    return Lesson(tuple(starts), starts, tokens)


def lesson_hash(
    lesson: Lesson, teacher: str, top: int, scored: torch.Tensor | None, shared: torch.Tensor | None
) -> str:
    """What the teacher's answers depend on, as a SHA-256."""
    digest = hashlib.sha256(json.dumps([_VERSION, teacher, top]).encode())
    for ids in (scored, shared):
        digest.update(b"all" if ids is None else ids.numpy().tobytes())
    for pack in lesson.packs:
        rows = [[row.question, row.answer] for row in pack.rows]
        digest.update(json.dumps([pack.prefix, rows]).encode())
    return digest.hexdigest()


def bytes_of(tokens: int, top: int) -> int:
    """What `top` ids and probabilities of so many answer tokens take on disk, but for some hundred
    bytes a part."""
    return tokens * (top * (4 + 2) + 2)


def bytes_there(folder: Path) -> int:
    """What is kept in a folder already."""
    return sum(one.stat().st_size for one in folder.glob("part-*.safetensors"))


def tokens_read(lesson: Lesson) -> int:
    """Tokens, padded, that go through the teacher to ask it all of the lesson."""
    found = (pieces(sorted(packs, key=len), _TOKENS) for packs in _parts(lesson))
    return sum(len(piece) * max(map(len, piece)) for some in found for piece in some)


def taught_folder(home: Path, digest: str) -> Path:
    """Where in a home what a teacher said of a lesson of this hash is kept."""
    return home / FOLDER / digest[:16]


class Kept:
    """A teacher's answers as they were kept; called with a batch of taught packs."""

    def __init__(self, said: Said):
        self.said = said

    def __call__(self, batch: Batch, chosen: Chosen | None = None) -> Said:
        at = batch.taught.clamp(min=0).cpu()
        device = batch.target.device
        return Said(*(one[at].to(device) for one in self.said))


def keep(
    lesson: Lesson,
    ask: Callable[[Batch], Said],
    folder: Path,
    top: int,
    report: Report,
    stopped: Callable[[], bool] = lambda: False,
    device: torch.device | str = "cpu",
) -> Kept | None:
    """All that the teacher says of the lesson, from `folder` as far as it is there; None where the
    run was asked to stop. Tells how many tokens, k, bytes and seconds it came to."""
    folder.mkdir(parents=True, exist_ok=True)
    began, parts = time.monotonic(), []
    groups = list(_parts(lesson))
    for number, packs in enumerate(groups):
        file = folder / f"part-{number:05}.safetensors"
        said = _read(file, packs)
        if said is None:
            if stopped():
                report({"event": "stopped", "taught": number, "of": len(groups)})
                return None
            said = _ask_all(packs, ask, device)
            _write(file, said)
            report({"event": "asking", "done": number + 1, "of": len(groups)})
        parts.append(said)
    told = _told(folder, lesson, top, time.monotonic() - began)
    report({"event": "taught", **told})
    return Kept(Said(*(torch.cat(one) for one in zip(*parts))))


def _told(folder: Path, lesson: Lesson, top: int, seconds: float) -> dict[str, Any]:
    """What the cache came to; the seconds are those of the run that made it."""
    file = folder / WHOLE
    size = bytes_there(folder)
    told = {"k": top, "tokens": lesson.tokens, "bytes": size, "folder": folder.name}
    if file.is_file():
        return json.loads(file.read_text()) | told | {"again": True}
    told["seconds"] = round(seconds, 1)
    write_whole(file, json.dumps(told) + "\n")
    return told


def _parts(lesson: Lesson) -> Iterator[tuple[Pack, ...]]:
    for start in range(0, len(lesson.packs), _PART):
        yield lesson.packs[start : start + _PART]


def _ask_all(packs: Sequence[Pack], ask: Callable[[Batch], Said], device: Any) -> Said:
    """What the teacher says of some packs, in their order; those of like length are asked at once.
    Probabilities are kept in half the precision: the third digit of a logarithm is no teaching."""
    order = sorted(range(len(packs)), key=lambda i: len(packs[i]))
    found: dict[int, tuple[torch.Tensor, ...]] = {}
    groups = iter(order)
    for piece in pieces([packs[i] for i in order], _TOKENS):
        said = ask(make_batch(piece).to(device))
        sizes = [sum(len(row.answer) for row in pack.rows) for pack in piece]
        for parts in zip(*(one.split(sizes) for one in said)):
            found[next(groups)] = parts
    ids, logs, rest = (torch.cat([found[i][n] for i in range(len(packs))]) for n in range(3))
    return Said(ids.int().cpu(), logs.half().cpu(), rest.half().cpu())


def _write(file: Path, said: Said) -> None:
    fresh = file.with_suffix(f".new{os.getpid()}")
    tensors = {name: one.contiguous() for name, one in said._asdict().items()}
    save_file(tensors, fresh)
    with fresh.open("rb") as data:
        os.fsync(data.fileno())
    os.replace(fresh, file)


def _read(file: Path, packs: Sequence[Pack]) -> Said | None:
    """A part that was written, or None where there is none that is whole."""
    count = sum(len(row.answer) for pack in packs for row in pack.rows)
    try:
        said = Said(**load_file(file))
    except (OSError, SafetensorError, TypeError):
        return None
    return said if all(len(one) == count for one in said) else None
