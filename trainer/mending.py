"""Makes the file that says which model readers have (engine.present) say what the store says. Needs
no torch: the app does it before its page is open.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from db.store import Store
from engine.present import Pointer, read_pointer, write_pointers

KEPT_FOLDER = "adapters"  # in the home: copies that outlive the runs that made them
NEW = ".new-"  # a copy that is being made, or that a kill left behind
_STALE = 3600.0  # seconds: before, another process may be at it


def mend(store: Store, home: Path) -> None:
    """Write the pointers anew where they differ, and clear away what a kill left."""
    last = {
        (one.promoted.pair, one.promoted.task): one.promoted for one in store.promotions.history()
    }
    pointers = {
        key: Pointer(one.model, one.version, one.folder, one.title) for key, one in last.items()
    }
    if pointers or read_pointer(home) != Pointer():
        write_pointers(home, pointers)
    for left in (home / KEPT_FOLDER).glob(f"{NEW}*"):
        if time.time() - left.stat().st_mtime > _STALE:
            shutil.rmtree(left, ignore_errors=True)
