"""Translators in memory: each a whole model that is asked alone, in the place of a base with its
adapters (`engine.residents`), so that what writes a batch need not know which of both it has.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from engine.checking import Adapter, AdapterError
from engine.models import Base, choose, load_folder
from engine.residents import Resident
from engine.settings import Settings
from engine.translator import Translator, read_translator


def load_translator(translator: Translator, settings: Settings) -> Base:
    """The translator's model and tokenizer, ready to run; AdapterError where its folder is not what
    it was when it was checked."""
    if read_translator(translator.folder).version != translator.version:
        raise AdapterError(f"{translator.folder} changed after it was checked", "changed")
    choice = choose(settings)
    model, tokenizer = load_folder(str(translator.folder), choice)
    return Base(model, tokenizer, translator.card.name, translator.version, choice)


class Alone:
    """One translator. Whoever uses it has it alone."""

    def __init__(self, translator: Translator, settings: Settings):
        start = time.perf_counter()
        self.base = load_translator(translator, settings)
        card, size = translator.card, sum(one.nbytes for one in self.base.model.parameters())
        self._told = Resident(
            translator.version, card.name, card.pair, card.task, size,
            time.perf_counter() - start, time.time(), 0,
        )  # fmt: skip
        self._lock = threading.Lock()

    @contextmanager
    def using(self, *translators: Adapter | Translator | None) -> Iterator[Any]:
        """The model; all rows of a batch are this translator's."""
        with self._lock:
            self._told = replace(self._told, last_used=time.time(), uses=self._told.uses + 1)
            yield self.base.model

    def hold(self, translators: Iterable[Adapter | Translator]) -> None:
        """Nothing is exchanged here: what is loaded stays until it is unloaded."""

    def let_go(self, translators: Iterable[Adapter | Translator]) -> None:
        """The end of `hold`."""

    def told(self) -> Resident:
        """What it takes, and when it was used."""
        return self._told
