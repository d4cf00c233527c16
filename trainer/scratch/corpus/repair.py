"""Text as it was meant: wrong decodings undone (ftfy), one form of each character (NFC), what
nobody sees taken out, white space as single blanks. Typographic quotes and full-width Chinese marks
stay. Repairing a repaired text changes nothing.
"""

from __future__ import annotations

import regex
from ftfy import TextFixerConfig, fix_text

from trainer.scratch.corpus.stages import Dropped, Look

# Languages whose marks are as wide as their characters: （ and ！ are no slips there.
_WIDE = ("zh", "ja", "ko")
# What nobody sees, but for the joiners that Indic scripts, Persian and emoji need.
_UNSEEN = regex.compile(
    r"[\u00AD\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]"
)
_NO_TEXT = regex.compile(r"[\p{Co}\p{Cn}\p{Cs}]")
_MOST_TURNS = 5
EMPTY = Dropped("empty")
BROKEN = Dropped("a character that could not be decoded")
UNASSIGNED = Dropped("a character that Unicode does not define")


def repairing(language: str) -> Look:
    """Looks at texts in this language."""
    config = TextFixerConfig(
        uncurl_quotes=False, fix_character_width=language not in _WIDE, explain=False
    )

    def look(text: str) -> str | Dropped:
        text = _repaired(text, config)
        if not text:
            return EMPTY
        if "\ufffd" in text:
            return BROKEN
        return UNASSIGNED if not text.isascii() and _NO_TEXT.search(text) else text

    return look


def _repaired(text: str, config: TextFixerConfig) -> str:
    # What is undone may bring out what is to be undone: an entity that stood for an entity.
    for _ in range(_MOST_TURNS):
        before = text
        if not _is_plain(text):
            text = _UNSEEN.sub("", fix_text(text, config))
        text = " ".join(text.split())
        if text == before:
            break
    return text


def _is_plain(text: str) -> bool:
    """Whether there can be nothing to repair: most of English is so, and repairing is slow."""
    return text.isascii() and text.isprintable() and "&" not in text
