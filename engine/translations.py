"""Whole sentences for readers: one queue in front of one base with its adapters and of translators
that need no base, answers kept.

Whoever waits is written for at once, in one batch, each under the adapter of their pair; who comes
later gets a batch beside it, and the batches take turns by the token. Words that somebody clicked
go first, between two tokens. The base is loaded for the first translation and given back after some
idle minutes. An answer belongs to the adapter version that gave it. Imports torch to load only.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from engine.catalogue import list_pairs, readers_adapter
from engine.checking import Adapter
from engine.lookup import LookupFailed, Status
from engine.memory import give_back
from engine.sense import QueryError, check_context, clean_context
from engine.settings import Settings
from engine.translator import Translator

if TYPE_CHECKING:
    from engine.alone import Alone
    from engine.models import Base
    from engine.residents import Resident, Residents
    from engine.together import Batch

log = logging.getLogger(__name__)

TASK = "translation"
MOST_ROWS = 8  # written at the same time
_MOST_WAITING = 32
_MOST_OF_ONE = 4  # that one reader may have waiting
_MOST_KEPT = 2_000
_MOST_ALONE = 4  # translators in memory
_IDLE = 600.0  # seconds after which the base is given back

_Key = tuple[str, str]  # the adapter's version, the sentence
Credit = Callable[[str, str], None]
"""Told the name and the version of the adapter that writes a translation."""


class Words(Protocol):
    """The lookup of words, which goes first."""

    def status(self) -> Status: ...
    def until_quiet(self) -> None: ...


def _load(settings: Settings) -> Base:
    from engine.models import load_base

    return load_base(settings)


@dataclass
class _Asked:
    """One reader's sentence, and how the reader is told."""

    sentence: str
    adapter: Adapter | Translator
    reader: str
    loop: asyncio.AbstractEventLoop
    told: asyncio.Queue[str | Exception | None] = field(default_factory=asyncio.Queue)
    left: bool = False  # the reader went away
    keep: bool = True  # False: to be forgotten

    @property
    def key(self) -> _Key:
        return self.adapter.version, self.sentence

    def tell(self, what: str | Exception | None) -> None:
        if not self.left and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.told.put_nowait, what)


@dataclass
class _Written:
    """A batch, and who gets which of its rows."""

    batch: Batch
    asked: list[_Asked]


class Translations:
    """The service. `load` gives the base, `budget` are the bytes of adapters kept in memory, `most`
    the tokens of an answer (0: what its sentence has room for). Ends with `close`."""

    def __init__(
        self,
        settings: Settings,
        words: Words | None = None,
        load: Callable[[Settings], Base] = _load,
        budget: int = 0,
        most: int = 0,
        most_kept: int = _MOST_KEPT,
        idle: float = _IDLE,
    ):
        self._settings, self._words, self._load = settings, words, load
        self._budget, self._most, self._most_kept, self._idle = budget, most, most_kept, idle
        self._residents: Residents | None = None
        self._alone: OrderedDict[str, Alone] = OrderedDict()  # translators, by version
        self._opening = threading.Lock()
        self._words_used = 0.0  # when the base was last asked for words
        self._used: dict[str, float] = {}  # by version, seconds since 1970
        self._kept: OrderedDict[_Key, str] = OrderedDict()
        self._waiting: list[_Asked] = []
        self._writing: list[_Written] = []
        self._wake = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def pairs(self) -> tuple[str, ...]:
        """The pairs whose sentences can be translated here."""
        return list_pairs(self._settings, TASK)

    async def stream(
        self, sentence: str, pair: str, reader: str = "", by: Credit = lambda name, version: None
    ) -> AsyncIterator[str]:
        """The whole translation so far, each time that it grows; `by` is told first who writes it.
        QueryError or LookupFailed where there is none; who stops listening stops its being
        written."""
        sentence = check_context(sentence)
        entry = await asyncio.to_thread(readers_adapter, self._settings, pair, TASK)
        if entry is None:
            raise QueryError("unknown_pair", pair=pair)
        by(entry.name, entry.version)
        self._used[entry.version] = time.time()
        kept = self._find(entry.version, sentence)
        if kept is not None:
            yield kept
            return
        asked = _Asked(sentence, entry.adapter, reader, asyncio.get_running_loop())
        self._put(asked)
        try:
            while (text := await asked.told.get()) is not None:
                if isinstance(text, Exception):
                    raise text
                yield text
        finally:
            asked.left = True

    def forget(self, sentences: Iterable[str]) -> None:
        """Drop what is kept about these sentences, and keep nothing of those being written."""
        dropped = {clean_context(text) for text in sentences}
        with self._wake:
            for key in [key for key in self._kept if key[1] in dropped]:
                del self._kept[key]
            for asked in (*self._waiting, *(a for one in self._writing for a in one.asked)):
                asked.keep = asked.keep and asked.sentence not in dropped

    def loaded(self) -> tuple[Resident, ...]:
        """The adapters and translators in memory."""
        adapters = self._residents.loaded() if self._residents else ()
        return (*adapters, *(one.told() for one in list(self._alone.values())))

    def base_bytes(self) -> int:
        """What the base takes in memory beside the model that answers English–Chinese words; 0
        while it is not loaded."""
        return self._residents.base_bytes if self._residents else 0

    def last_used(self, version: str) -> float | None:
        """When a reader last asked for what this adapter writes, seconds since 1970; None where
        nobody has since the app started."""
        return self._used.get(version)

    def load(self, adapter: Adapter | Translator) -> None:
        """Have an adapter in memory, and the base under it, or a translator, before anybody asks.
        AdapterError or BaseError where it cannot be had; LookupFailed where the words' model is not
        there yet."""
        self._check_ready()
        with self._wake:
            self._start()  # the thread that gives the base back after a while
        holder: Any = self._holder(adapter)
        with holder.using(adapter):
            pass

    def opened(self) -> Residents:
        """The base with its adapters, for words of further pairs; as after a translation, it is
        given back when nobody asked for some minutes. LookupFailed where the app is closing."""
        with self._wake:
            self._words_used = time.monotonic()
            self._start()
        return self._opened()

    def unload(self, version: str) -> bool:
        """Give an adapter's memory back; whoever asks it next has it loaded again."""
        if self._alone.pop(version, None):
            return True
        return self._residents.unload(version) if self._residents else False

    def close(self) -> None:
        """End after the token at hand; whoever waits is told so."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread:
            self._thread.join(timeout=10)

    def _find(self, version: str, sentence: str) -> str | None:
        with self._wake:
            if (version, sentence) in self._kept:
                self._kept.move_to_end((version, sentence))
            return self._kept.get((version, sentence))

    def _put(self, asked: _Asked) -> None:
        """Into the queue; LookupFailed where it cannot wait."""
        self._check_ready()
        with self._wake:
            if self._closed:
                raise LookupFailed("failed", "the app is closing")
            self._waiting = [one for one in self._waiting if not one.left]
            mine = Counter(one.reader for one in self._waiting)[asked.reader]
            if len(self._waiting) >= _MOST_WAITING or (asked.reader and mine >= _MOST_OF_ONE):
                raise LookupFailed("busy")
            self._waiting.append(asked)
            self._start()

    def _check_ready(self) -> None:
        if self._words and self._words.status().state not in ("ready", "failed"):
            raise LookupFailed("not_ready")

    def _start(self) -> None:
        """Begin the thread, or wake it; LookupFailed where it is over."""
        if self._closed:
            raise LookupFailed("failed", "the app is closing")
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="translations", daemon=True)
            self._thread.start()
        self._wake.notify_all()

    def _work(self) -> None:
        while self._rest():
            for fresh in _apart(self._take()):
                self._begin(fresh)
            for written in list(self._writing):
                self._let_words_go_first()
                self._step(written)
        closing = LookupFailed("failed", "the app is closing")
        for asked in (*self._waiting, *(a for one in self._writing for a in one.asked)):
            asked.tell(closing)

    def _rest(self) -> bool:
        """Wait for work, giving the base back meanwhile; False where it is over."""
        with self._wake:
            while not (self._closed or self._waiting or self._writing):
                woken = self._wake.wait(self._idle)
                rested = time.monotonic() - self._words_used >= self._idle
                if not woken and rested and (self._residents is not None or self._alone):
                    self._residents = None
                    self._alone = OrderedDict()
                    give_back()
            return not self._closed

    def _take(self) -> list[_Asked]:
        """Who is written for from now on: as many as there is room for, the first first; rows of
        one adapter stand together."""
        with self._wake:
            room = MOST_ROWS - sum(len(one.batch.rows) for one in self._writing)
            waiting = [one for one in self._waiting if not one.left]
            self._waiting = waiting[room:]
        taken = []
        for asked in waiting[:room]:
            kept = self._find(*asked.key)  # somebody before had the same wish
            if kept is None:
                taken.append(asked)
            else:
                asked.tell(kept)
                asked.tell(None)
        return sorted(taken, key=lambda one: one.adapter.version)

    def _begin(self, asked: list[_Asked]) -> None:
        """Put them into a batch. Where that fails they are tried alone: one adapter that is
        refused must not take the others' answers."""
        from engine.together import Batch, Sentence

        holder = None
        try:
            holder = self._holder(asked[0].adapter)
            sentences = [Sentence(one.sentence, one.adapter) for one in asked]
            batch = Batch(holder, sentences, self._most)
        except Exception as error:
            if len(asked) > 1 and holder is not None:
                for one in asked:
                    self._begin([one])
                return
            log.exception("a translation could not be begun")
            for one in asked:
                one.tell(error if isinstance(error, QueryError) else _failed(error))
            return
        with self._wake:
            self._writing.append(_Written(batch, asked))

    def _holder(self, adapter: Adapter | Translator) -> Residents | Alone:
        """What writes under this adapter: the base, or the translator alone."""
        if isinstance(adapter, Adapter):
            return self._opened()
        from engine.alone import Alone

        with self._opening:
            found = self._alone.pop(adapter.version, None) or Alone(adapter, self._settings)
            self._alone[adapter.version] = found  # behind those that were used before
            while len(self._alone) > _MOST_ALONE:
                self._alone.popitem(last=False)
            return found

    def _opened(self) -> Residents:
        """The base, loaded where it is not."""
        from engine.residents import BUDGET, Residents

        with self._opening:
            if self._residents is None:
                base = self._load(self._settings)
                self._residents = Residents(base, self._budget or BUDGET)
                give_back()
            return self._residents

    def _let_words_go_first(self) -> None:
        if self._words:
            self._words.until_quiet()

    def _step(self, written: _Written) -> None:
        """One token of each row of a batch."""
        batch, asked = written.batch, written.asked
        batch.drop([row for row in batch.rows if asked[row].left])
        try:
            before = {row: batch.lines[row].text for row in batch.rows}
            over = batch.step() if batch.rows else []
        except Exception as error:
            log.exception("a translation failed")
            for row in batch.rows:
                asked[row].tell(_failed(error))
            batch.drop(list(batch.rows))
            before, over = {}, []
        for row, text in before.items():
            if batch.lines[row].text != text:
                asked[row].tell(batch.lines[row].text)
        for row in over:
            self._keep(asked[row], batch.lines[row].text)
            asked[row].tell(None)
        if not batch.rows:
            with self._wake:
                self._writing.remove(written)

    def _keep(self, asked: _Asked, text: str) -> None:
        with self._wake:
            if asked.keep:
                self._kept[asked.key] = text
            while len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)


def _apart(asked: Sequence[_Asked]) -> list[list[_Asked]]:
    """Those who can be written for in one batch: under adapters of the base, or by one translator
    each."""
    groups: dict[str, list[_Asked]] = {}
    for one in asked:
        alone = one.adapter.version if isinstance(one.adapter, Translator) else ""
        groups.setdefault(alone, []).append(one)
    return list(groups.values())


def _failed(error: Exception) -> LookupFailed:
    return LookupFailed("failed", str(error))
