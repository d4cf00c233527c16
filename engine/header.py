"""What a safetensors file says it holds: names, types and shapes, read from its header alone.

The file is a stranger's: every claim is checked against its size before any of it is believed. No
tensor is read, nothing is allocated by what the file claims. Pure: no torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

_LARGEST = 4 << 20  # bytes of a header: an adapter's has some 50,000
_WIDTHS = {"BF16": 2, "F16": 2, "F32": 4}  # bytes of a number


@dataclass(frozen=True)
class Stored:
    """One tensor of a file: its type as safetensors names it, and its shape."""

    dtype: str
    shape: tuple[int, ...]


def read_header(file: Path) -> dict[str, Stored]:
    """The tensors in a file by name; ValueError where it is no safetensors file of plain numbers,
    or where what it claims and its size differ."""
    size = file.stat().st_size
    with file.open("rb") as data:
        length = int.from_bytes(data.read(8), "little")
        if not 2 <= length <= min(_LARGEST, size - 8):
            raise ValueError(f"a header of {length} bytes in a file of {size}")
        text = data.read(length)
    try:
        header = json.loads(text, object_pairs_hook=once)
    except RecursionError as error:
        raise ValueError("a header that is nested too deep") from error
    if not isinstance(header, dict):
        raise ValueError("a header that is no object")
    header.pop("__metadata__", None)
    found, spans = {}, []
    for name, claim in header.items():
        found[name], span = _read_claim(name, claim)
        spans.append(span)
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            raise ValueError("tensors that overlap or leave gaps")
        end = stop
    if end != size - 8 - length:
        raise ValueError(f"tensors of {end} bytes claimed, {size - 8 - length} are there")
    return found


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members; a name that stands twice means one thing to one reader and another to
    the next."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in the header")
    return found


def _read_claim(name: str, claim: Any) -> tuple[Stored, tuple[int, int]]:
    """One tensor and its bytes' span behind the header."""
    if not isinstance(claim, dict) or set(claim) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name!r:.80} is no tensor")
    dtype, shape, span = claim["dtype"], claim["shape"], claim["data_offsets"]
    if dtype not in _WIDTHS:
        raise ValueError(f"{name!r:.80} holds {dtype!r:.20}, not plain numbers")
    if not _are_counts(shape) or not _are_counts(span) or len(span) != 2:
        raise ValueError(f"{name!r:.80} has no shape or no place")
    if span[1] - span[0] != prod(shape) * _WIDTHS[dtype]:
        raise ValueError(f"{name!r:.80} claims other bytes than its shape has")
    return Stored(dtype, tuple(shape)), (span[0], span[1])


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**40 for n in value)
