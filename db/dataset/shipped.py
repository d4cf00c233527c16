"""The rows that ship with the app: brought into a new database once, and frozen as a dataset.

They were written by a large language model and not checked by a person: they stand as accepted
answers of a teacher, so they can be looked through, frozen and exported, but change nothing of what
readers see. Stopped or killed, the import goes on at the next start.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from db.dataset.formats import Bad, Row, read_source, recognise
from db.store import Brought, Filter, Origin, Refused, Store, StoreError
from engine.settings import assets

GOLD = "en-zh-gold"
PAIR = "en-zh"
ORIGIN = "ships with the app; CC BY 4.0; written by a large language model, checked by no person"
_ABOUT = (
    "Ships with the app (CC BY 4.0). Written by a large language model, each sentence singly; "
    "checked by script for structure, by no person: expect wrong labels."
)
_BATCH = 500  # lines of one transaction
_LOOK_SECONDS = 1.0
_PAUSE = 0.05  # seconds between two of them: clicks come first

log = logging.getLogger(__name__)


def bring_gold(store: Store, folder: Path | None = None, pause: float = _PAUSE) -> bool:
    """Bring en-zh-gold in, unless it ever was or people's own rows were there first; whether
    anything was brought."""
    origin = Origin(GOLD, "flat", PAIR, ORIGIN, GOLD, "teacher", "accepted")
    begun = store.shipped.begin(origin)
    if begun is None:
        return False
    import_id, stored = begun
    lines = itertools.islice(_lines(folder or assets() / "datasets" / GOLD), stored, None)
    while batch := list(itertools.islice(lines, _BATCH)):
        store.imports.add(import_id, origin, batch)
        time.sleep(pause)
    _freeze(store, import_id)
    store.imports.finish(import_id)  # last: until then all of this is tried again
    return True


def bring_in_quiet(store: Store, ready: Callable[[], bool]) -> threading.Thread:
    """`bring_gold` on a thread of its own, once the app is `ready`: nobody waits for it. What fails
    is tried at the next start."""

    def run() -> None:
        while not ready():
            time.sleep(_LOOK_SECONDS)
        try:
            bring_gold(store)
        except (StoreError, OSError) as error:
            log.warning("%s was not brought in: %s", GOLD, error)

    thread = threading.Thread(target=run, name="gold", daemon=True)
    thread.start()
    return thread


def _freeze(store: Store, import_id: int) -> None:
    try:
        store.datasets.freeze(
            GOLD, PAIR, description=_ABOUT, who=GOLD, chosen=Filter(import_id=import_id),
            leave_out=True,
        )  # fmt: skip
    except Refused as error:  # frozen before a kill, or the import was taken back meanwhile
        if error.code not in ("name_taken", "no_rows"):
            raise


def _lines(folder: Path) -> Iterator[Brought]:
    """The rows of all files in the order of their names, numbered through."""
    number = itertools.count(1)
    for file in sorted(folder.glob("*.jsonl")):
        for line in read_source(recognise(file), PAIR):
            (held,) = line.holds
            if isinstance(held, Bad):
                yield Brought(next(number), 0, line.raw, held.code, held.text)
            elif isinstance(held, Row):
                yield Brought(
                    next(number), 0, line.raw, context=held.query.context, queries=(held.query,),
                    sense=held.sense,
                )  # fmt: skip
