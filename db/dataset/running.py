"""Long work with files, in threads of this process: previews, and one import at a time.

It goes on when whoever began it goes away; they ask how far it is. Knows no screens. Killed with
the process, an import stays unfinished: bringing the same file again doubles nothing.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from db.dataset.formats import Source, recognise
from db.dataset.importing import Preview, begin, carry, preview
from db.dataset.opening import Unreadable
from db.store import Store, StoreError
from db.store.imports import Counts, Origin

log = logging.getLogger(__name__)

MOST_LOOKS = 2  # previews at work at once
_KEPT_LOOKS = 20
_SETTLED_AT_ONCE = 4000  # items: a quarter of a second
_UNWATCHED_SECONDS = 60.0  # nobody asks for a preview any more: it stops
_CHUNK = 1 << 20


class Busy(Exception):
    """There is as much work of this kind as there may be. `code` names it."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(code)


@dataclass
class Look:
    """A preview in the making: `total` lines at most, then `preview`, or `error` and why not."""

    id: str
    file: Path
    pair: str
    encoding: str = ""
    lines: int = 0
    total: int = 0
    preview: Preview | None = None
    error: str = ""
    stopped: bool = False
    asked: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)


class Looks:
    """Previews by id; the newest are kept."""

    def __init__(self) -> None:
        self._looks: dict[str, Look] = {}
        self._lock = threading.Lock()

    def begin(self, file: Path, pair: str, encoding: str = "") -> Look:
        """A new preview, at work already; Busy where there are too many. The file's encoding is
        found out where it is not said."""
        look = Look(secrets.token_urlsafe(12), file, pair, encoding)
        with self._lock:
            if sum(not one.ended.is_set() for one in self._looks.values()) >= MOST_LOOKS:
                raise Busy("too_many_looks")
            self._looks[look.id] = look
            for old in list(self._looks)[:-_KEPT_LOOKS]:
                del self._looks[old]
        threading.Thread(target=self._run, args=[look], name="look", daemon=True).start()
        return look

    def find(self, look_id: str) -> Look | None:
        """The preview of that id, if it is still known; it counts as asked for."""
        look = self._looks.get(look_id)
        if look:
            look.asked = time.monotonic()
        return look

    def _run(self, look: Look) -> None:
        def tick(lines: int) -> bool:
            look.lines = lines
            watched = time.monotonic() - look.asked < _UNWATCHED_SECONDS
            return watched and not look.stopped

        def work() -> None:
            look.total = count_lines(look.file)
            look.preview = preview(look.file, look.pair, tick=tick, encoding=look.encoding)

        look.error = _failure(work)
        look.ended.set()


@dataclass
class Run:
    """An import at work or over. `state`: running, settling (the queue is made ready: `ready` items
    of `due`), whole, stopped or failed."""

    number: int
    name: str
    who: str
    total: int
    lines: int = 0
    counts: Counts = field(default_factory=Counts)
    ready: int = 0
    due: int = 0
    state: str = "running"
    error: str = ""
    began: float = field(default_factory=time.monotonic)
    took: float | None = None
    stop: bool = False

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began if self.took is None else self.took

    @property
    def over(self) -> bool:
        return self.took is not None


class Carrier:
    """Brings one file in at a time."""

    def __init__(self, store: Store):
        self._store = store
        self._lock = threading.Lock()
        self.run: Run | None = None

    def start(
        self, file: Path, origin: Origin, most_words: int, total: int, encoding: str = ""
    ) -> Run:
        """A new import, at work already; Busy where another is, Unreadable or Refused where it
        cannot be begun."""
        with self._lock:
            if self.run and not self.run.over:
                raise Busy("import_running")
            source = recognise(file, encoding)
            number = begin(self._store, source, origin)
            run = self.run = Run(number, origin.name or file.name, origin.who, total)
        threading.Thread(
            target=self._carry, args=[run, source, origin, most_words], name="import", daemon=True
        ).start()
        return run

    def _carry(self, run: Run, source: Source, origin: Origin, most_words: int) -> None:
        stopped = False

        def tick(lines: int, counts: Counts) -> bool:
            nonlocal stopped
            # A copy, and before the lines, which are read first: whoever asks does so meanwhile.
            run.counts = counts.copy()
            run.lines = lines
            stopped = run.stop
            return not stopped

        def work() -> None:
            run.counts = carry(self._store, run.number, source, origin, most_words, tick)

        error = _failure(work)

        def settle(done: int, total: int) -> bool:
            run.ready, run.due = done, total
            return True

        run.due = self._due()
        run.state = "settling"
        late = _failure(lambda: self._store.review.work_off(settle))
        run.error = error or late
        run.took = run.seconds
        run.state = "failed" if run.error else "stopped" if stopped else "whole"

    def _due(self) -> int:
        try:
            return self._store.review.due()
        except StoreError:  # closed meanwhile: said by what comes next
            return 0


class Settling:
    """Makes the queue ready on a thread where that takes long, as after a large import that was
    killed; whoever asks meanwhile hears how far it is."""

    def __init__(self, store: Store):
        self._review = store.review
        self._lock = threading.Lock()
        self._far: tuple[int, int] | None = None

    def look(self) -> tuple[int, int] | None:
        """How many items are ready of how many; None where all are. A few are so at once."""
        with self._lock:
            if self._far is None:
                due = self._review.due()
                if due <= _SETTLED_AT_ONCE:
                    self._review.work_off()
                    return None
                self._far = (0, due)
                threading.Thread(target=self._run, name="settle", daemon=True).start()
            return self._far

    def _run(self) -> None:
        def tick(done: int, total: int) -> bool:
            self._far = (done, total)
            return True

        _failure(lambda: self._review.work_off(tick))
        self._far = None


def _failure(work: Callable[[], None]) -> str:
    """Does it; "" or the code of what went wrong."""
    try:
        work()
    except (Unreadable, StoreError) as error:
        return error.code
    except FileNotFoundError:
        return "file_gone"
    except Exception as error:
        number = secrets.token_hex(4)
        log.error("error %s", number, exc_info=error)
        return f"unexpected:{number}"
    return ""


def count_lines(file: Path) -> int:
    """How many lines a file has at most, for how far one is: read without decoding it."""
    if file.suffix.lower() == ".parquet":
        return _count_rows(file)
    ends = returns = 0
    with file.open("rb") as data:
        while chunk := data.read(_CHUNK):
            ends += chunk.count(b"\n")
            returns += chunk.count(b"\r")
    return max(ends, returns) + 1


def _count_rows(file: Path) -> int:
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(file).metadata.num_rows
    except ArrowInvalid as error:
        raise Unreadable("not_text_file") from error
