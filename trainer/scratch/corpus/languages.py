"""Lines that are surely in another language than they should be (engine.language says which one a
text is in, and of short or mixed ones nothing). Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from engine.language import find_language
from trainer.scratch.corpus.stages import Dropped, Look, Row


def identifying(language: str) -> Look:
    """Looks at which language texts are in."""

    def look(text: str) -> str | Dropped:
        found = find_language(text)
        return text if found in (None, language) else Dropped(f"in {found}, not {language}")

    return look


def count_languages(rows: Iterable[Row], side: int) -> Counter[str]:
    """How many rows have this side in which language, of those where that is sure."""
    found = (find_language(row[side]) for row in rows)
    return Counter(code for code in found if code is not None)
