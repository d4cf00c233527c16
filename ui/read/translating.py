"""A sentence's translation while it is written, one for each open page: begun, followed, halted.

A page asks again and again; each time it gets the whole text so far, as soon as there is more than
it had. A translation that nobody asks about any more ends by itself. Knows no gradio.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.sense import check_context
from ui.desk import Bad, Reply

if TYPE_CHECKING:
    from engine.translations import Translations

_PATIENCE = 5.0  # seconds that one question waits for more text
_UNASKED = 20.0  # seconds after which the page is taken for gone
_MOST = 500  # pages


@dataclass
class _Written:
    """The translation of one sentence of one opened text; `step` counts how often it grew."""

    about: tuple[str, int]
    text: str = ""
    by: Reply | None = None  # the adapter that writes it
    step: int = 0
    done: bool = False
    failure: BaseException | None = None
    asked: float = field(default_factory=time.monotonic)
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def credit(self, name: str, version: str) -> None:
        self.by = {"title": name, "version": version}

    def tell(self, text: str, done: bool = False) -> None:
        """Wake whoever waits for more."""
        self.text, self.done, self.step = text, done, self.step + 1
        self.grown.set()
        self.grown = asyncio.Event()


class Translating:
    """The translations that pages wait for; a page's next one ends its last."""

    def __init__(self, translations: Translations | None):
        self._translations = translations
        self._written: OrderedDict[str, _Written] = OrderedDict()

    async def follow(
        self, reader: str, version: str, number: int, context: str, pair: str, step: int
    ) -> Reply:
        """The translation so far, begun where it is not yet; waits a while for more than the page
        had at `step`. Raises what the engine raised."""
        written = self._written.get(reader)
        if written is None or written.about != (version, number):
            written = self._begin(reader, (version, number), check_context(context), pair)
        written.asked = time.monotonic()
        if written.step == step and not written.done:
            with suppress(TimeoutError):
                await asyncio.wait_for(written.grown.wait(), _PATIENCE)
        if written.failure:
            self.halt(reader, written.about)
            raise written.failure
        by = written.by if written.done else None
        return {"text": written.text, "step": written.step, "done": written.done, "by": by}

    def halt(self, reader: str, about: tuple[object, object] | None = None) -> None:
        """End the page's translation (only one `about` this, if said); what it has is dropped."""
        written = self._written.get(reader)
        if written is None or about not in (None, written.about):
            return
        del self._written[reader]
        if written.task and not written.done:
            written.task.cancel()
            written.failure = Bad("halted")  # told to a question that still waits
            written.tell(written.text, done=True)

    def _begin(self, reader: str, about: tuple[str, int], context: str, pair: str) -> _Written:
        self.halt(reader)
        written = self._written[reader] = _Written(about)
        written.task = asyncio.create_task(self._write(written, context, pair, reader))
        while len(self._written) > _MOST:
            self.halt(next(iter(self._written)))
        return written

    async def _write(self, written: _Written, context: str, pair: str, reader: str) -> None:
        assert self._translations is not None
        stream = self._translations.stream(context, pair, reader, written.credit)
        try:
            async for text in stream:
                written.tell(text)
                if time.monotonic() - written.asked > _UNASKED:
                    return
            written.tell(written.text, done=True)
        except Exception as error:  # raised where the page asks: the desk's replies say it
            written.failure = error
            written.tell(written.text, done=True)
        finally:
            await stream.aclose()
