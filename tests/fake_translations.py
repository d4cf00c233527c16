"""Translations without a model: a sentence's words, each marked with the pair, one at a time.

A sentence that holds "fail", "busy" or "wait" is refused with that reason; "wait" only once. Of one
that holds "wordless" nothing comes.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace

from engine.checking import Adapter, BaseShape
from engine.lookup import LookupFailed
from engine.sense import QueryError
from engine.translations import Credit

LAYER = "model.layers.0.self_attn"
SHAPE = BaseShape("gemma-3-270m", "1", {f"{LAYER}.q_proj": (8, 6), f"{LAYER}.v_proj": (4, 6)})
BASE_BYTES = 536_000_000
PAIRS = ("en-zh", "en-es", "de-en", "en-hi", "en-ta")
WORDS = {"en-zh": "好", "en-es": "sí", "de-en": "yes", "en-hi": "हाँ", "en-ta": "ஆம்"}
_REASONS = {"fail": "failed", "busy": "busy", "wait": "not_ready"}


class FakeTranslations:
    """Translates like `engine.translations.Translations`, a word each `delay` seconds.

    Of `held` ones each word waits until it is let go.
    """

    def __init__(self, delay: float = 0.0, held: bool = False):
        self.delay = delay
        self.free = 0.0 if held else math.inf  # words that may be written
        self.version = 1  # of every adapter that readers have now
        self.asked: list[tuple[str, str, str]] = []
        self.ended: list[str] = []  # "done" or "stopped", in order
        self.forgotten: set[str] = set()
        self._waited: set[str] = set()
        self._loaded: dict[str, Adapter] = {}
        self.used: dict[str, float] = {}  # by version, seconds since 1970, as a test says it

    def pairs(self) -> tuple[str, ...]:
        return PAIRS

    def load(self, adapter: Adapter) -> None:
        time.sleep(self.delay)
        self._loaded[adapter.version] = adapter

    def unload(self, version: str) -> bool:
        return self._loaded.pop(version, None) is not None

    def loaded(self) -> tuple[SimpleNamespace, ...]:
        return tuple(
            SimpleNamespace(version=version, bytes=one.needs)
            for version, one in self._loaded.items()
        )

    def base_bytes(self) -> int:
        return BASE_BYTES if self._loaded else 0

    def last_used(self, version: str) -> float | None:
        return self.used.get(version)

    async def stream(
        self, sentence: str, pair: str, reader: str, by: Credit = lambda name, version: None
    ) -> AsyncIterator[str]:
        if pair not in PAIRS:
            raise QueryError("unknown_pair", pair=pair)
        by(f"fake-{pair}", f"{pair}-{self.version}")
        self.asked.append((pair, sentence, reader))
        self._refuse(sentence)
        ended = "stopped"
        try:
            words: list[str] = []
            for _ in sentence.split():
                while not self.free:
                    await asyncio.sleep(0.01)
                self.free -= 1
                await asyncio.sleep(self.delay)
                words.append(WORDS[pair])
                if "wordless" not in sentence:
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
