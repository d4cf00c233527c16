"""Files as people have them: their encoding is found out, their lines come one by one. Pure.

Nothing here holds more than one line and the first part of a file in memory.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from charset_normalizer import from_bytes

LONGEST_LINE = 1_000_000  # characters; a longer one is cut, and what reads it will refuse it
_PROBE = 256 * 1024  # bytes that an encoding is guessed from
ENCODINGS = (
    "utf-8",
    "cp1252",
    "mac_roman",
    "cp1250",
    "cp1251",
    "gb18030",
    "big5",
    "utf-16",
)  # what a person can say a file has
_CHINESE = ["gb18030", "big5"]
_FEW = 0.15  # of the bytes: English with accents and curly quotes has no more beyond ASCII
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Unreadable(ValueError):
    """A file that cannot be read as text. `code` names the reason; screens translate it."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(_REASONS[code])

    def __reduce__(self) -> tuple[type[Unreadable], tuple[str]]:
        return Unreadable, (self.code,)  # so that it comes through from another process


_REASONS = {
    "not_text_file": "this is no text file in any encoding known here; save it as UTF-8",
    "empty_file": "the file is empty",
    "unknown_format": "rows of this form are not known here",
    "no_parquet_columns": "the Parquet file lacks the columns context, target, class, zh",
}


def find_encoding(file: Path) -> str:
    """The name of a text file's encoding; Unreadable where it has none."""
    with file.open("rb") as data:
        probe = data.read(_PROBE)
        whole = not data.read(1)
    if not probe:
        raise Unreadable("empty_file")
    for mark, name in _MARKS:
        if probe.startswith(mark):
            return name
    if _is_utf8(probe, whole):
        return "utf-8"
    if b"\0" in probe:
        raise Unreadable("not_text_file")
    if _is_english(probe):
        return "cp1252"
    best = from_bytes(probe, cp_isolation=_CHINESE).best() or from_bytes(probe).best()
    if best is None:
        raise Unreadable("not_text_file")
    return best.encoding


def _is_english(probe: bytes) -> bool:
    """Whether it is English as Windows writes it: in so few other characters a guess by their
    frequency finds any code page of Europe."""
    try:
        probe.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return sum(byte > 127 for byte in probe) < _FEW * len(probe)


def _is_utf8(probe: bytes, whole: bool) -> bool:
    """Whether it decodes; unless it is whole, a character may be cut at its end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(probe, final=whole)
    except UnicodeDecodeError:
        return False
    return b"\0" not in probe


def read_lines(file: Path, encoding: str) -> Iterator[str]:
    """The lines without their ends. A byte that does not fit its encoding becomes U+FFFD, which no
    row may hold: its line is refused, the others are kept."""
    with file.open(encoding=encoding, errors="replace", newline=None) as lines:
        while line := lines.readline(LONGEST_LINE):
            yield line.removesuffix("\n")
