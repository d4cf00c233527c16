"""Translations beside each other as pages get them: with what the other text does not have painted,
what was written behind the end, and how it ended. Knows no gradio and no models.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import regex

from db.dataset.visible import visible
from ui.desk import Reply

if TYPE_CHECKING:
    from engine.translation import Translated

Part = tuple[str, bool]
"""A piece of a text, and whether the other text has something else in its place."""

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_PIECES = regex.compile(rf"\s+|[{_UNSPACED}]|[\p{{L}}\p{{M}}\p{{N}}--[{_UNSPACED}]]+|.", regex.V1)


def beside(one: str, other: str) -> tuple[list[Part], list[Part]]:
    """Both texts in parts: words, and characters where a script has no spaces, are told apart."""
    pieces = _PIECES.findall(one), _PIECES.findall(other)
    left: list[Part] = []
    right: list[Part] = []
    found = SequenceMatcher(None, *pieces, autojunk=False)
    for tag, a, b, c, d in found.get_opcodes():
        left += _parts("".join(pieces[0][a:b]), tag != "equal")
        right += _parts("".join(pieces[1][c:d]), tag != "equal")
    return left, right


def _parts(text: str, differs: bool) -> list[Part]:
    """A stretch of a text; what differs has no spaces at its ends."""
    core = text.strip() if differs else ""
    before, _, behind = text.partition(core) if core else (text, "", "")
    return [part for part in ((before, False), (core, differs), (behind, False)) if part[0]]


def to_texts(one: str, other: str) -> list[Reply]:
    """Two translations as answers that pages show."""
    shown = visible(one), visible(other)
    return [{"text": text, "parts": parts} for text, parts in zip(shown, beside(*shown))]


def to_written(one: Translated, other: Translated) -> list[Reply]:
    """The same of what models wrote, with how each came to its end."""
    return [
        told | {
            "rest": visible(written.whole.lstrip().removeprefix(written.text)),
            "tokens": written.tokens + written.over,
            "over": written.over,
            "ended": written.stopped,
        }
        for told, written in zip(to_texts(one.text, other.text), (one, other))
    ]  # fmt: skip
