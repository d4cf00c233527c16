"""The lookup service: one queue in front of the model, answers kept, look-ahead behind clicks.

The unit of work is one view of a context with all its words, so clicks, look-ahead, the API and
the command line get the same answers in whatever order they ask. One thread touches the model.
What is kept on disk goes through the stores it is given; it knows no SQL and no screen.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache

from engine.calibration import Calibration
from engine.given import AnswerStore, Key, OtherEngines, SenseEngine, key_of
from engine.memory import give_back
from engine.people import Labels, People
from engine.phrases import overlay
from engine.sense import Answer, Query, QueryError, check_context
from engine.views import View, views

log = logging.getLogger(__name__)

PAIRS = ("en-zh",)
_MOST_WAITING = 512  # views that people wait for; more are refused
_MOST_AHEAD = 100  # contexts of one reader's look-ahead
_MOST_KEPT = 20_000  # contexts kept in memory


class LookupFailed(RuntimeError):
    """No answer now. `code`: not_ready, busy or failed; screens translate it."""

    def __init__(self, code: str, text: str = ""):
        self.code = code
        super().__init__(text or code)


def level(answer: Answer) -> str:
    """How sure an answer is: sure, likely or unsure; a person's is sure."""
    return "sure" if answer.source == "person" else Calibration.level(answer.confidence)


@dataclass(frozen=True)
class Status:
    """How far the model is: starting, converting, loading, ready or failed. An error where it is
    ready: another one was to come in its place, and could not."""

    state: str
    progress: float = 0.0
    detail: str = ""
    error_code: str = ""
    error: str = ""
    engine: str = ""
    title: str = ""
    version: str = ""
    form: str = ""


@dataclass(frozen=True)
class _Unit:
    """One view of one context: what the model answers at once."""

    pair: str
    context: str
    number: int

    @property
    def view(self) -> View:
        return _cut(self.context, self.pair)[self.number]

    def is_in(self, known: Mapping[int, Answer]) -> bool:
        """Whether its answers are among a context's known ones."""
        return self.view.asked.start in known


Load = Callable[[Callable[[str, float], None]], SenseEngine]


class Lookup:
    """Answers queries with one engine, which `switch` puts another in the place of, and those of
    further pairs with what `also` gave. Start it with `start`, end it with `close`."""

    def __init__(
        self, load: Load, answers: AnswerStore | None = None, labels: Labels | None = None
    ):
        self._load, self._answers = load, answers
        self._people = People(labels)
        self._engine: SenseEngine | None = None
        self._others: OtherEngines | None = None
        self._next_engine: SenseEngine | None = None  # loaded; comes after the unit at hand
        self._switching = threading.Lock()
        self._switches = 0
        self._status = Status("starting")
        self._kept: OrderedDict[Key, dict[int, Answer]] = OrderedDict()
        self._used: dict[str, float] = {}  # by an adapter's version, seconds since 1970
        self._waiting: dict[_Unit, Future[None]] = {}  # in the order of first asking
        self._ahead: dict[str, deque[_Unit]] = {}
        self._wake = threading.Condition(threading.RLock())
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="lookup", daemon=True)

    def also(self, others: OtherEngines) -> None:
        """Answer words of these engines' pairs, too."""
        self._others = others

    def pairs(self) -> tuple[str, ...]:
        """The pairs whose words are answered."""
        return (*PAIRS, *self._others.pairs()) if self._others else PAIRS

    def engine_of(self, pair: str) -> SenseEngine | None:
        """What answers a pair's words now; None where that is not loaded, or nothing does."""
        if pair in PAIRS:
            return self._engine
        return self._others.find(pair) if self._others else None

    def start(self) -> None:
        """Load the model and begin to answer, on a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Finish the view at hand, fail what waits, end the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def switch(self, load: Load) -> threading.Thread:
        """Load another engine on a thread of its own, which is returned, and change over to it
        between two units; until then, and where that fails, the present one answers. Of several
        that are asked for at once, the last comes."""
        with self._wake:
            self._switches += 1
            number = self._switches
        thread = threading.Thread(
            target=self._exchange, args=(load, number), name="switch", daemon=True
        )
        thread.start()
        return thread

    def status(self) -> Status:
        """How far the model is."""
        return self._status

    def last_used(self, version: str) -> float | None:
        """When a reader last got answers of this adapter, seconds since 1970; None where nobody has
        since the app started."""
        return self._used.get(version)

    async def answer(self, query: Query, reader: str = "") -> Answer:
        """The answer to one query; LookupFailed where there is none now."""
        cut = self._cut(query.context, query.pair)
        number = next(n for n, view in enumerate(cut) if query.position in view.asked)
        known = await self._until_known(_Unit(query.pair, query.context, number))
        return self._corrected(known, query.context, query.pair)[query.position]

    async def answers(
        self, context: str, pair: str = "en-zh", reader: str = ""
    ) -> tuple[Answer, ...]:
        """The answers to all words of a context, in order."""
        units = [_Unit(pair, context, number) for number in range(len(self._cut(context, pair)))]
        known: dict[int, Answer] = {}
        # What one engine knows, never some of two: another may have come meanwhile.
        while not all(unit.is_in(known) for unit in units):
            for unit in units:
                known = await self._until_known(unit)
        shown = self._corrected(known, context, pair)
        return tuple(shown[i] for i in sorted(shown))

    def kept(self, context: str, pair: str = "en-zh") -> tuple[Answer, ...] | None:
        """The answers to all words of a context if they are known already, without waiting."""
        cut = self._cut(context, pair)
        shown = self._corrected(self._known(context, pair), context, pair)
        whole = len(shown) == sum(len(view.asked) for view in cut)
        return tuple(shown[i] for i in sorted(shown)) if whole else None

    def until_quiet(self) -> None:
        """Return once nobody waits for a word. For work that lets words go first."""
        with self._wake:
            self._wake.wait_for(lambda: self._closed or not (self._waiting and self._engine))

    def look_ahead(self, reader: str, contexts: Sequence[str], pair: str = "en-zh") -> None:
        """Look these contexts up when no one waits, in this order, instead of the reader's last."""
        units = [
            _Unit(pair, context, number)
            for context in contexts[:_MOST_AHEAD]
            for number in range(len(self._cut(context, pair)))
        ]
        with self._wake:
            self._ahead[reader] = deque(units)
            self._wake.notify()

    def leave(self, reader: str) -> None:
        """The reader's page is closed: drop its look-ahead."""
        with self._wake:
            self._ahead.pop(reader, None)

    def forget(self, contexts: Iterable[str]) -> None:
        """Drop what is kept about these contexts, in memory and on disk."""
        dropped = set(contexts)
        with self._wake:
            for key in [key for key in self._kept if key[2] in dropped]:
                del self._kept[key]
        if self._answers:
            self._answers.forget(dropped)

    def _cut(self, context: str, pair: str) -> tuple[View, ...]:
        """The views of a context; QueryError where it or its pair cannot be asked."""
        if pair not in self.pairs():
            raise QueryError("unknown_pair", pair=pair)
        return _cut(context, pair)

    def _corrected(self, known: dict[int, Answer], context: str, pair: str) -> dict[int, Answer]:
        """Known answers by position, people's corrections in place of the model's, for a reader."""
        if known and (engine := self.engine_of(pair)):
            self._used[engine.version] = time.time()
        return overlay(known, self._people.accepted(pair, context))

    def _known(self, context: str, pair: str) -> dict[int, Answer]:
        """The engine's known answers by position, from memory or else from the store."""
        engine = self.engine_of(pair)
        if not engine:
            return {}
        key = key_of(engine, self._people.find(pair, _cut(context, pair)), pair, context)
        with self._wake:
            if key in self._kept:
                self._kept.move_to_end(key)
                return dict(self._kept[key])
        if not self._answers:
            return {}
        found = self._answers.get(*key)
        self._keep(key, found)
        return found

    def _keep(self, key: Key, answers: dict[int, Answer]) -> None:
        with self._wake:
            self._kept[key] = self._kept.get(key, {}) | answers
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    async def _until_known(self, unit: _Unit) -> dict[int, Answer]:
        """The known answers of the unit's context, once the unit's are among them. What people
        accept meanwhile makes them unknown again, and they are asked for anew."""
        while not unit.is_in(known := self._known(unit.context, unit.pair)):
            # Shielded: a reader who goes away must not take the answer from those who wait too.
            await asyncio.shield(asyncio.wrap_future(self._wait_for(unit)))
        return known

    def _wait_for(self, unit: _Unit) -> Future[None]:
        """Put the unit in the queue, unless it is there; LookupFailed where it cannot wait."""
        with self._wake:
            if self._closed:
                raise LookupFailed("failed", "the app is closing")
            if self._status.state == "failed":
                raise LookupFailed("failed", self._status.error)
            if unit not in self._waiting:
                if len(self._waiting) >= _MOST_WAITING:
                    raise LookupFailed("busy")
                self._waiting[unit] = Future()
            self._wake.notify()
            return self._waiting[unit]

    def _work(self) -> None:
        try:
            self._take(self._load(self._progress))
        except Exception as error:  # said on the page and in every refusal, until another comes
            log.exception("the model could not be loaded")
            with self._wake:
                self._status = Status("failed", error_code=_code(error), error=str(error))
                self._wake.notify_all()
            self._refuse_waiting(LookupFailed("failed", str(error)))
        while (unit := self._next()) is not None:
            self._look_up(unit)
        self._refuse_waiting(LookupFailed("failed", "the app is closing"))

    def _exchange(self, load: Load, number: int) -> None:
        with self._switching:
            try:
                with self._wake:
                    self._wake.wait_for(lambda: self._closed or self._is_settled())
                    if self._closed or number != self._switches:
                        return
                coming = load(lambda state, share: None)
                with self._wake:
                    if number != self._switches:
                        return
                    self._next_engine = coming
                    del coming
                    self._wake.notify_all()
                    self._wake.wait_for(lambda: self._closed or self._next_engine is None)
                give_back()
            except Exception as error:
                log.exception("another model could not be loaded; the present one stays")
                with self._wake:
                    self._status = replace(self._status, error_code=_code(error), error=str(error))

    def _is_settled(self) -> bool:
        return self._status.state in ("ready", "failed")

    def _take(self, engine: SenseEngine) -> None:
        with self._wake:
            self._engine = engine
            self._status = Status(
                "ready", 1.0, engine.detail,
                engine=engine.id, title=engine.title, version=engine.version, form=engine.form,
            )  # fmt: skip
            self._wake.notify_all()
        log.info("ready: %s", engine.detail)

    def _progress(self, state: str, share: float) -> None:
        self._status = Status(state, share)
        log.info("%s the model: %.0f %%", state, 100 * share)

    def _next(self) -> _Unit | None:
        """The next unit: what someone waits for first, oldest first; then look-ahead, in turns."""
        with self._wake:
            while not self._closed:
                if self._next_engine is not None:
                    self._take(self._next_engine)
                    self._next_engine = None
                    self._wake.notify_all()
                if self._waiting and self._engine:
                    return next(iter(self._waiting))
                if self._ahead and self._engine:
                    reader = next(iter(self._ahead))
                    units = self._ahead.pop(reader)
                    if units:
                        unit = units.popleft()
                        self._ahead[reader] = units  # at the end: the others' turn first
                        return unit
                    continue
                self._wake.wait()
        return None

    def _look_up(self, unit: _Unit) -> None:
        try:
            engine = self._open(unit.pair)
            if not unit.is_in(self._known(unit.context, unit.pair)):
                self._ask(engine, unit)
        except Exception as error:
            log.exception("lookup failed")
            told = error if isinstance(error, QueryError) else LookupFailed("failed", str(error))
            self._settle(unit, told)
        else:
            self._settle(unit, None)

    def _open(self, pair: str) -> SenseEngine:
        """What answers a pair's words, loaded where it is not."""
        if pair in PAIRS:
            assert self._engine is not None
            return self._engine
        if self._others is None:
            raise QueryError("unknown_pair", pair=pair)
        return self._others.open(pair)

    def _ask(self, engine: SenseEngine, unit: _Unit) -> None:
        people = self._people.find(unit.pair, _cut(unit.context, unit.pair))
        found = engine.answer(unit.view, people[unit.number])
        answers = dict(zip(unit.view.asked, found, strict=True))
        key = key_of(engine, people, unit.pair, unit.context)
        self._keep(key, answers)
        if self._answers:
            self._answers.put(*key, answers)

    def _settle(self, unit: _Unit, error: Exception | None) -> None:
        with self._wake:
            future = self._waiting.pop(unit, None)
            self._wake.notify_all()
        if future is None:
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(None)

    def _refuse_waiting(self, error: LookupFailed) -> None:
        with self._wake:
            waiting = list(self._waiting)
        for unit in waiting:
            self._settle(unit, error)


def _code(error: Exception) -> str:
    code = getattr(error, "code", "failed")
    return code if isinstance(code, str) else "failed"


@lru_cache(maxsize=4096)
def _cut(context: str, pair: str) -> tuple[View, ...]:
    return views(check_context(context), pair)
