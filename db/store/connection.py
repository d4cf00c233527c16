"""The connections to one database file: a single writer behind a lock, and a few readers.

Knows nothing of tables. Every write is one `BEGIN IMMEDIATE` transaction: a plain BEGIN takes the
write lock only at its first write, and two of them that have both read then fail at once.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from db.store.errors import StoreError, named_errors

BUSY_SECONDS = 10.0  # how long to wait for another process's write
_IDLE_READERS = 4  # readers kept open between reads


class Connections:
    """The open connections to the database at `path`, for all threads of this process."""

    def __init__(self, path: Path):
        self.path = path
        # Re-entrant, so that a write inside a write fails in SQLite instead of waiting for ever.
        self._write_lock = threading.RLock()
        self._idle_lock = threading.Lock()
        self._idle: list[Database] = []
        self._closed = False
        with named_errors(path):
            # SQLite gives -wal and -shm the mode of the database: what people read is theirs alone.
            path.touch(mode=0o600, exist_ok=True)
            self._writer = _connect(path, "rw")
            try:
                self._writer.execute("PRAGMA journal_mode=WAL")
                self._writer.execute("PRAGMA synchronous=FULL")
                self._writer.execute("PRAGMA foreign_keys=ON")
                self._writer.execute("PRAGMA secure_delete=ON")
            except BaseException:
                self._writer.close()
                raise

    @contextmanager
    def write(self) -> Iterator[Database]:
        """The writer inside one transaction: the whole block is kept, or after an error nothing."""
        with self.alone() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                db.rollback()
                raise

    @contextmanager
    def alone(self) -> Iterator[Database]:
        """The writer outside a transaction, as VACUUM and checkpoints need it."""
        with self._write_lock, named_errors(self.path):
            self._check_open()
            yield self._writer

    @contextmanager
    def read(self) -> Iterator[Database]:
        """A read-only connection that sees one moment of the database for the whole block."""
        with named_errors(self.path):
            db = self._take_reader()
            try:
                db.execute("BEGIN")
                yield db
            finally:
                db.rollback()  # an open snapshot would keep deleted text in the WAL
                self._give_reader(db)

    def new_reader(self) -> Database:
        """A read-only connection of the caller's own, who closes it."""
        with named_errors(self.path):
            return _connect(self.path, "ro")

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Closes all connections but those of reads under way, which close at their end."""
        with self._write_lock, self._idle_lock:
            self._closed = True
            for db in self._idle:
                db.close()
            self._idle.clear()
            self._writer.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("closed")

    def _take_reader(self) -> Database:
        with self._idle_lock:
            self._check_open()
            if self._idle:
                return self._idle.pop()
        return _connect(self.path, "ro")

    def _give_reader(self, db: Database) -> None:
        with self._idle_lock:
            if not self._closed and len(self._idle) < _IDLE_READERS:
                self._idle.append(db)
                return
        db.close()


def insert_row(db: Database, table: str, row: dict[str, Any]) -> int:
    """The id of a new row, added inside the caller's transaction."""
    new_id = db.table(table).insert(row).last_pk
    assert isinstance(new_id, int)
    return new_id


def _connect(path: Path, mode: str) -> Database:
    """A connection that any thread may use, one at a time; `mode` is rw or ro."""
    conn = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,  # sets busy_timeout at once, before anything can meet a lock
        isolation_level=None,
        check_same_thread=False,
    )
    return Database(conn, execute_plugins=False)
