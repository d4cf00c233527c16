"""Translations written in one batch, each row under its own adapter: of several readers, or by
several models beside each other.

A step reads all of the model's weights whether it writes one row or eight, so rows share it.
Between two steps the model is free for others. Knows adapters and tokens, no queue and no readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.checking import Adapter
from engine.greedy import Growing
from engine.translation import (
    Asked,
    Line,
    Progress,
    Translated,
    prompt_of,
    room_behind,
    write_on,
)
from engine.translator import Translator

if TYPE_CHECKING:
    from engine.alone import Alone
    from engine.residents import Residents


@dataclass(frozen=True)
class Sentence:
    """What one row translates, and with which adapter or translator."""

    text: str
    adapter: Adapter | Translator


class Mixed(Growing):
    """Rows that grow under an adapter each (None: the base)."""

    def __init__(
        self,
        residents: Residents | Alone,
        adapters: Sequence[Any],
        prompts: Sequence[Sequence[int]],
    ):
        self._residents, self._adapters = residents, list(adapters)
        with residents.using(*adapters) as model:  # loads them, or says what does not fit
            super().__init__(model, prompts)

    def step(self) -> list[int]:
        with self._residents.using(*self._adapters):
            return super().step()

    def keep(self, rows: Sequence[int]) -> None:
        self._adapters = [self._adapters[row] for row in rows]
        super().keep(rows)


class Batch:
    """Rows that are written together. Their order is the one given, but for adapters that stand
    together: give rows of one adapter side by side where it matters."""

    def __init__(self, residents: Residents | Alone, sentences: Sequence[Sentence], most: int = 0):
        """`most`: tokens of a row at most; 0: what its sentence has room for. QueryError where the
        model cannot read so long a sentence."""
        self._residents, base = residents, residents.base
        prompts = [prompt_of(base.tokenizer, one.adapter.card.style) for one in sentences]
        asked = [p.parts(s.text, s.adapter.card.pair) for p, s in zip(prompts, sentences)]
        self.lines = [
            Line(prompt, room_behind(base.model, ids, most or prompt.room(one.text)))
            for prompt, ids, one in zip(prompts, asked, sentences)
        ]
        self.rows = list(range(len(sentences)))  # those that are still written
        self._adapters: list[Any] = [one.adapter for one in sentences]  # as the residents have them
        self._growing = Mixed(residents, self._adapters, asked)
        residents.hold(self._adapters)

    def step(self) -> list[int]:
        """Write a token of each row that is left; the rows that have come to their end with it."""
        tokens = self._growing.step()
        over = [row for row, token in zip(self.rows, tokens) if not self.lines[row].put(token)]
        self.drop(over)
        return over

    def drop(self, rows: Sequence[int]) -> None:
        """Write these rows no further. When all are dropped the batch is over."""
        kept = [place for place, row in enumerate(self.rows) if row not in rows]
        if len(kept) < len(self.rows):
            self._residents.let_go(self._adapters[row] for row in self.rows if row in rows)
        if 0 < len(kept) < len(self.rows):
            self._growing.keep(kept)
        self.rows = [self.rows[place] for place in kept]


def translate_under(
    residents: Residents,
    rows: Sequence[tuple[Asked, Adapter | None]],
    progress: Progress = lambda done, of: None,
) -> list[Translated]:
    """Each row's translation under its adapter (None: the base), let write on behind its end as
    `translate_all` has it."""
    asked, adapters = [row for row, _ in rows], [adapter for _, adapter in rows]

    def begin(some: Sequence[int], prompts: Sequence[Sequence[int]]) -> Growing:
        return Mixed(residents, [adapters[n] for n in some], prompts)

    return write_on(asked, residents.base.model, begin, progress)
