"""A workbench without models: the base is wrong where a word is long, adapters know the phrases; it
translates, and writes on behind that, they end.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from engine.sense import Answer, Query, context_words
from tests.fake_engine import FakeLookup


class FakeWorkbench:
    """Answers like `engine.workbench.Workbench`, after `delay` seconds a question."""

    def __init__(self, delay: float = 0.0):
        self.delay = delay
        self.asked: list[tuple[Any, ...]] = []
        self.pairs: list[str] = []
        self._maker = FakeLookup()

    def answers(self, folders, asked, pair="en-zh", progress=lambda share: None):
        self.asked.append(("answers", tuple(folders), tuple(context for context, _ in asked)))
        self.pairs.append(pair)
        for step in range(1, 5):
            time.sleep(self.delay / 4)
            progress(step / 4)
        return [[self._all(folder, context) for context, _ in asked] for folder in folders]

    def load(self, folders, pair="en-zh"):
        self.asked.append(("load", tuple(folders)))

    def count_tokens(self, folder, asked, pair="en-zh"):
        return [len(sense.meaning) for _, sense in asked]

    def write(self, folders, queries: Sequence[Query], progress=lambda share: None):
        self.asked.append(("write", tuple(folders), tuple(queries)))
        return [[_raw(folder, query) for query in queries] for folder in folders]

    def translate(self, folders, sentences, pair, progress=lambda share: None):
        self.asked.append(("translate", tuple(folders), tuple(sentences)))
        self.pairs.append(pair)
        return [[_translated(folder, one) for one in sentences] for folder in folders]

    def close(self) -> None:
        pass

    def _all(self, folder: Any, context: str) -> dict[int, Answer]:
        return {i: self._one(folder, context, i) for i in range(len(context_words(context)))}

    def _one(self, folder: Any, context: str, position: int) -> Answer:
        good = self._maker._make(context, position)
        word = context_words(context)[position].text
        if folder is not None or (len(word) < 5 and good.sense.phrase is None):
            return good
        return Answer(replace(good.sense, meaning="东西", phrase=None), confidence=0.4)


def _translated(folder: Any, sentence: str) -> SimpleNamespace:
    words = sentence.rstrip(".").split()
    if len(words) > 40:
        return SimpleNamespace(text="", tokens=0, ended=False, over=0, stopped=False, whole="")
    text = f"Voici : {' '.join(words[folder is None :])}."
    behind = "" if folder else "\nEnglish: No.\nFrench:"
    return SimpleNamespace(
        text=text, tokens=len(words), ended=True, over=30 if behind else 0, stopped=not behind,
        whole=f" {text}{behind}",
    )  # fmt: skip


def _raw(folder: Any, query: Query) -> SimpleNamespace:
    if folder is not None:
        text = f" noun|{'义' * len(query.target)}"
        return SimpleNamespace(
            text=text, tokens=7, ended=True, answer=len(text), over=0, valid=True
        )
    if query.position % 2:
        text = " noun|东西 is a word that\n is a word that\n is a word that"
        return SimpleNamespace(text=text, tokens=96, ended=False, answer=8, over=91, valid=True)
    text = f" {query.context}\n" * 4
    return SimpleNamespace(text=text, tokens=96, ended=False, answer=0, over=96, valid=False)
