"""Words of pairs beside the one whose model is merged: each pair's sense adapter, exchanged by the
request over one base in memory (`engine.residents`).

A word takes longer than with a merged model; a pair costs the memory of its adapter. Nothing is
loaded before somebody asks. Which adapter a pair has is looked at anew each second, so a promotion
counts at once. Imports torch to load only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from engine.calibration import Calibration
from engine.catalogue import Entry, list_pairs, readers_adapter
from engine.checking import Adapter
from engine.phrasebook import NO_CANDIDATES, Candidates
from engine.sense import Answer, QueryError
from engine.settings import Settings
from engine.views import View

if TYPE_CHECKING:
    from engine.decoding import SenseDecoder
    from engine.residents import Residents

TASK, MERGED = "sense", "en-zh"
_SECONDS = 1.0  # for which what was found on disk holds

Opened = Callable[[], "Residents"]
_Kind = tuple[str, str, float, float]  # of a decoder: language, style, threshold, favour


def open_residents(settings: Settings) -> Opened:
    """Gives a base of its own, loaded when it is first asked for."""
    found: list[Residents] = []

    def opened() -> Residents:
        from engine.models import load_base
        from engine.residents import Residents

        if not found:
            found.append(Residents(load_base(settings)))
        return found[0]

    return opened


class PairEngines:
    """The pairs' engines. `opened` gives the base with its adapters, loaded where it is not."""

    def __init__(self, settings: Settings, opened: Opened | None = None):
        self._settings = settings
        self._opened = opened or open_residents(settings)
        self._ground = ""  # base, revision and dtype, once known
        self._pairs: tuple[float, tuple[str, ...]] = (-_SECONDS, ())
        self._found: dict[str, tuple[float, Entry | None]] = {}
        self._decoders: WeakKeyDictionary[Residents, dict[_Kind, SenseDecoder]]
        self._decoders = WeakKeyDictionary()

    def pairs(self) -> tuple[str, ...]:
        """The pairs that readers have an adapter for."""
        when, found = self._pairs
        if time.monotonic() - when >= _SECONDS:
            found = tuple(p for p in list_pairs(self._settings, TASK) if p != MERGED)
            self._pairs = time.monotonic(), found
        return found

    def find(self, pair: str) -> PairEngine | None:
        """The engine of a pair; None where it has none, or no base was loaded yet."""
        return self._engine(pair) if self._ground else None

    def open(self, pair: str) -> PairEngine:
        """The engine of a pair, over a base that is loaded; QueryError where it has none."""
        from engine.prompt import PROMPT_VERSION

        base = self._opened().base
        self._ground = f"{base.name}@{base.revision}/{base.choice.dtype_name}/{PROMPT_VERSION}"
        engine = self._engine(pair)
        if engine is None:
            raise QueryError("unknown_pair", pair=pair)
        return engine

    def _engine(self, pair: str) -> PairEngine | None:
        when, entry = self._found.get(pair, (-_SECONDS, None))
        if time.monotonic() - when >= _SECONDS:
            entry = None if pair == MERGED else readers_adapter(self._settings, pair, TASK)
            self._found[pair] = time.monotonic(), entry
        if entry is None:
            return None
        return PairEngine(
            f"{self._ground}/{entry.version}", entry.name, entry.name, entry.version, entry, self
        )

    def answer(self, entry: Entry, view: View, people: Candidates) -> tuple[Answer, ...]:
        """Answers as `entry`'s adapter gives them."""
        residents, adapter = self._opened(), entry.adapter
        assert isinstance(adapter, Adapter)  # a translator answers no words
        with residents.using(adapter) as model:
            return self._decoder(residents, model, entry).answer(view, people)

    def _decoder(self, residents: Residents, model: Any, entry: Entry) -> SenseDecoder:
        """The decoder of a card's kind: adapters of one kind share it, as they do the model."""
        from engine.books import books_for
        from engine.branches import Runner
        from engine.decoding import SenseDecoder
        from engine.prompt import SensePrompt

        card, language = entry.card, entry.pair.partition("-")[2]
        made = self._decoders.setdefault(residents, {})
        kind = language, card.style, card.phrase_threshold, card.phrase_favour
        if kind not in made:
            prompt = SensePrompt(residents.base.tokenizer, card.style, language)
            made[kind] = SenseDecoder(
                Runner(model),
                prompt,
                books_for(entry.pair),
                *kind[2:],
            )
        return made[kind]


@dataclass
class PairEngine:
    """One pair's adapter, as a lookup asks it."""

    id: str
    detail: str
    title: str
    version: str
    entry: Entry
    engines: PairEngines
    form: str = ""

    def answer(self, view: View, people: Candidates = NO_CANDIDATES) -> tuple[Answer, ...]:
        calibration = Calibration(*self.entry.card.calibration)
        return tuple(
            replace(a, engine=self.id, confidence=calibration.apply(a.confidence))
            for a in self.engines.answer(self.entry, view, people)
        )
