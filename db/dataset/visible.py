"""Text from anywhere as it can be shown: what would be unseen, or would turn what stands around it
round, is spelled out. Pure.
"""

from __future__ import annotations

import regex

# Controls but tab and line end, lone surrogates, marks and overrides of direction, invisible breaks
# and joins but those of emoji and of Indic and Arabic scripts.
_UNSEEN = regex.compile(
    r"[[\p{Cc}\p{Cs}]--[\t\n]||[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]]",
    regex.V1,
)


def visible(text: str) -> str:
    """`text` with each such character as its number: ⟨U+202E⟩."""
    if text.isprintable():  # fast, and true of nearly all
        return text
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
