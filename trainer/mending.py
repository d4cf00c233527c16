"""Makes the file that says which model readers have (engine.present) say what the store says. Needs
no torch: the app does it before its page is open.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from filelock import FileLock

from db.store import Promoted, Store
from engine.present import POINTER, Pointer, read_pointer, write_pointers

KEPT_FOLDER = "adapters"  # in the home: copies that outlive the runs that made them
NEW = ".new-"  # a copy that is being made, or that a kill left behind
_STALE = 3600.0  # seconds: before, another process may be at it


def mend(store: Store, home: Path) -> None:
    """Write the pointers anew where they differ, and clear away what a kill left."""
    # One at a time: one that read before another's promotion would write what was before it over
    # what came after.
    with FileLock(home / f"{POINTER}.lock"):
        pointers = {
            (one.promoted.pair, one.promoted.task): _pointer(one.promoted)
            for one in store.promotions.history()
        }
        if pointers or read_pointer(home) != Pointer():
            write_pointers(home, pointers)
        for left in home.glob(f"{POINTER}.*.new"):
            left.unlink(missing_ok=True)
    for left in (home / KEPT_FOLDER).glob(f"{NEW}*"):
        if time.time() - left.stat().st_mtime > _STALE:
            shutil.rmtree(left, ignore_errors=True)


def _pointer(promoted: Promoted) -> Pointer:
    return Pointer(promoted.model, promoted.version, promoted.folder, promoted.title)
