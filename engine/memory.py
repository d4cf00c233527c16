"""Gives memory back to the system once a model is loaded. Linux only; elsewhere it does nothing.

Loading leaves freed blocks in the allocator, and the whole weights file in resident pages, most of
which are never read again: a lean copy holds the matrices, and of the embedding only the rows of
words that come up are needed.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import re
import sys
from pathlib import Path

_MAPS = Path("/proc/self/smaps")
_SPAN = re.compile(r"([0-9a-f]+)-([0-9a-f]+) ")


def give_back() -> None:
    """Return freed blocks, and let go the pages of mapped weights files: the next read of one takes
    it from the system's file cache."""
    gc.collect()
    if sys.platform != "linux":
        return
    try:
        libc = ctypes.CDLL("libc.so.6")
        maps = _MAPS.read_text()
    except OSError:  # another C library, or a system that hides its maps
        return
    libc.malloc_trim(0)
    for start, end in mapped_weights(maps):
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


def mapped_weights(maps: str) -> list[tuple[int, int]]:
    """Where safetensors files are mapped, from the text of smaps. A mapping that was ever written
    to (it has anonymous pages) is left out: what was written would be lost."""
    spans, span = [], None
    for line in maps.splitlines():
        if found := _SPAN.match(line):
            start, end = (int(edge, 16) for edge in found.groups())
            span = (start, end) if line.endswith(".safetensors") else None
        elif span and line.startswith("Anonymous:"):
            if line.split()[1] == "0":
                spans.append(span)
            span = None
    return spans
