"""A backup back in its place. The database that was there stays under a dated name.

At any moment, after a kill too, there is either the former database or the whole backup: the former
gets a second name first, and then the backup takes its place in one step.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from sqlite_utils import Database

from db.store.backup import flush_folder, write_backup
from db.store.errors import NotADatabase, Refused, StoreError, named_errors
from db.store.lock import lock_home
from db.store.migrations import check_version, read_version
from db.store.rows import utc_now


@dataclass(frozen=True)
class Restored:
    """What was put back: its version, its labels, and where the former database is now, if any."""

    version: int
    labels: int
    former: Path | None


def restore(backup: Path, database: Path) -> Restored:
    """Put `backup` in the place of `database`, once it is found to be whole and known here.

    AlreadyRunning where an app runs in its folder, StoreError("busy") where a job or a shell has it
    open, NotADatabase, NewerDatabase or "damaged" where the backup is no good: nothing is changed.
    """
    if not backup.is_file():
        raise FileNotFoundError(f"there is no file {backup}")
    if backup.resolve() == database.resolve():
        raise Refused("backup_onto_itself")
    with lock_home(database.parent):
        try:
            with FileLock(database.with_name(f"{database.name}.lock"), timeout=0):
                return _restore(backup, database)
        except Timeout as error:
            raise StoreError("busy") from error


def _restore(backup: Path, database: Path) -> Restored:
    version = read_version(backup)
    if not version:
        raise NotADatabase("not_a_database", path=backup)
    check_version(backup, version)
    fresh = database.with_name(f".{database.name}.restored")
    try:
        labels = _copy_checked(backup, fresh)
        _fold(database)
        former = _keep_aside(database)
        os.replace(fresh, database)
        flush_folder(database.parent)
    finally:
        fresh.unlink(missing_ok=True)
    return Restored(version, labels, former)


def _copy_checked(backup: Path, to: Path) -> int:
    """Write a copy of a sound backup to `to`; how many labels it has."""
    uri = f"{backup.absolute().as_uri()}?mode=ro"
    with named_errors(backup):
        source = Database(sqlite3.connect(uri, uri=True), execute_plugins=False)
        with closing(source):
            if source.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise StoreError("damaged")
            if source.execute("PRAGMA foreign_key_check").fetchone():
                raise StoreError("damaged")
            write_backup(source, to)
            return source.execute("SELECT count(*) FROM label").fetchone()[0]


def _fold(database: Path) -> None:
    """Bring the former database's WAL into its file, which nobody else may have open."""
    if not database.exists():
        return
    uri = f"{database.absolute().as_uri()}?mode=rw"
    try:
        with named_errors(database), closing(sqlite3.connect(uri, uri=True, timeout=0)) as former:
            mode = former.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    except StoreError as error:
        if error.code not in ("not_a_database", "damaged"):
            raise
        return  # it is kept as it is, its WAL beside it
    if mode != "delete":
        raise StoreError("busy")


def _keep_aside(database: Path) -> Path | None:
    """Give the former database a second name; where that is."""
    if not database.exists():
        return None
    folder = database.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    stamp = utc_now().replace(":", "").replace("+0000", "Z")
    former = folder / f"{database.stem}-{stamp}-replaced{database.suffix}"
    _link(database, former)
    wal, shm = (database.with_name(f"{database.name}-{end}") for end in ("wal", "shm"))
    if wal.exists():
        _link(wal, former.with_name(f"{former.name}-wal"))
    flush_folder(folder)
    # Of a damaged database: SQLite would replay them over the one that comes.
    wal.unlink(missing_ok=True)
    shm.unlink(missing_ok=True)
    return former


def _link(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:  # a file system without links
        shutil.copy2(file, to)
