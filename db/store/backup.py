"""Backups: a checked copy of a database under a new name, without what is kept for speed only.

Copying the file itself could miss what stands in its WAL. A backup either has its final name and
is whole, or does not exist.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from db.store.errors import StoreError, named_errors
from db.store.rows import utc_now
from db.store.schema import KEPT

KEPT_BACKUPS = 5


def write_backup(source: Database, to: Path) -> None:
    """Writes the database behind `source` to `to`; StoreError if it is damaged or the disk full."""
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.", suffix=".tmp")
    os.close(handle)
    unfinished = Path(name)
    try:
        with named_errors(to):
            source.execute("VACUUM INTO ?", [name])
            with closing(sqlite3.connect(name, isolation_level=None)) as copy:
                _leave_out_kept(copy)
                if copy.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                    raise StoreError("damaged")
        _flush(unfinished, os.O_RDWR)
        os.replace(unfinished, to)
        flush_folder(to.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def backup_before_upgrade(source: Database, path: Path, version: int) -> Path:
    """Writes a backup beside the database at `path`, and deletes all but the newest few."""
    folder = path.parent / "backups"
    stamp = utc_now().replace(":", "").replace("+0000", "Z")
    to = folder / f"{path.stem}-{stamp}-v{version}.db"
    # Only one process upgrades at a time, so what is unfinished was left by one that was killed.
    for unfinished in folder.glob(f".{path.stem}-*-v*.db.*.tmp*"):
        unfinished.unlink()
    write_backup(source, to)
    for old in sorted(folder.glob(f"{path.stem}-*Z-v*.db"))[:-KEPT_BACKUPS]:
        old.unlink()
    return to


def _leave_out_kept(copy: sqlite3.Connection) -> None:
    copy.execute("PRAGMA journal_mode=MEMORY")  # no journal file that could outlive a crash
    copy.execute("PRAGMA foreign_keys=ON")
    copy.execute("PRAGMA secure_delete=OFF")  # the VACUUM leaves nothing of what is deleted
    known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    if copy.execute(known, [KEPT]).fetchone():
        copy.execute(f"DELETE FROM {KEPT}")
        copy.execute("VACUUM")


def _flush(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_folder(folder: Path) -> None:
    """Makes the names in a folder outlast a power cut."""
    if os.name == "posix":  # elsewhere a folder cannot be opened
        _flush(folder, os.O_RDONLY)
