"""Translations without a model: a sentence's words, each marked with the pair, one at a time.

A sentence that holds "fail", "busy" or "wait" is refused with that reason; "wait" only once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from engine.lookup import LookupFailed
from engine.sense import QueryError

PAIRS = ("en-zh", "en-es", "de-en", "en-hi", "en-ta")
WORDS = {"en-zh": "好", "en-es": "sí", "de-en": "yes", "en-hi": "हाँ", "en-ta": "ஆம்"}
_REASONS = {"fail": "failed", "busy": "busy", "wait": "not_ready"}


class FakeTranslations:
    """Translates like `engine.translations.Translations`, a word each `delay` seconds."""

    def __init__(self, delay: float = 0.0):
        self.delay = delay
        self.asked: list[tuple[str, str, str]] = []
        self.ended: list[str] = []  # "done" or "stopped", in order
        self.forgotten: set[str] = set()
        self._waited: set[str] = set()

    def pairs(self) -> tuple[str, ...]:
        return PAIRS

    def made_by(self, pair: str) -> tuple[str, str] | None:
        return f"fake-{pair}", f"{pair}-1"

    async def stream(self, sentence: str, pair: str, reader: str) -> AsyncIterator[str]:
        if pair not in PAIRS:
            raise QueryError("unknown_pair", pair=pair)
        self.asked.append((pair, sentence, reader))
        self._refuse(sentence)
        ended = "stopped"
        try:
            words: list[str] = []
            for _ in sentence.split():
                await asyncio.sleep(self.delay)
                words.append(WORDS[pair])
                yield " ".join(words)
            ended = "done"
        finally:
            self.ended.append(ended)

    def _refuse(self, sentence: str) -> None:
        for word, code in _REASONS.items():
            if word in sentence and (word != "wait" or sentence not in self._waited):
                self._waited.add(sentence)
                raise LookupFailed(code)

    def forget(self, contexts: Iterable[str]) -> None:
        self.forgotten |= set(contexts)
