"""The named errors of the store, and what SQLite's own errors are called here.

`code` names the reason as in `engine.sense.QueryError`; screens translate it. An SQLite error that
is not listed is a defect of ours and passes through as it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


class StoreError(Exception):
    """Something the store cannot do. `code` names the reason; screens translate it."""

    def __init__(self, code: str, **details: object):
        self.code, self.details = code, details
        super().__init__(_REASONS[code].format(**details))


class NotADatabase(StoreError):
    """The file is no database, or the database of another program."""


class NewerDatabase(StoreError):
    """The database was made by a newer version of the app; it was not touched."""


class AlreadyRunning(StoreError):
    """Another app has this folder open."""


class Refused(StoreError):
    """A value that cannot be stored, as people may send any."""


_REASONS = {
    "not_a_database": "{path} is not a database",
    "not_ours": "{path} is a database of another program",
    "newer_database": "{path} has version {version}; this app knows only up to {newest}",
    "already_running": "CTX-Translator is already running in {home} (process {pid})",
    "busy": "the database is in use by another process",
    "disk_full": "the disk is full",
    "disk_failed": "the disk could not be read or written",
    "read_only": "the database may not be written",
    "cannot_open": "the database cannot be opened",
    "damaged": "the database is damaged",
    "closed": "the store is closed",
    "backup_onto_itself": "a backup cannot replace the database it is made from",
    "not_text": "{field} must be text",
    "no_text": "{field} is empty",
    "too_long": "{field} has {length} characters; at most {limit} are kept",
    "control_characters": "{field} holds control characters",
    "unknown_value": "{field} cannot be {value!r}",
    "no_such_word": "the context has no word at position {position!r}",
    "name_taken": "there is a dataset called {name!r} already",
    "no_rows": "there are no such answers",
    "invalid_rows": "{count} rows break the rules",
    "changed": "somebody else decided about this meanwhile",
    "promoted_meanwhile": "somebody else changed meanwhile what readers get",
    "nothing_to_undo": "there is nothing to take back",
    "job_state": "job {id} is {state}: {wish} is not possible",
    "job_lost": "job {id} belongs to another process now",
    "slot_taken": "another job is at work in the {slot} slot",
    "request_over": "request {number} of job {id} has ended already",
    "bad_members": "a phrase is two or more positions of words, ascending, the target's among them",
}
_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_IOERR: "disk_failed",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
    sqlite3.SQLITE_CORRUPT: "damaged",
}


@contextmanager
def named_errors(path: object) -> Iterator[None]:
    """Raises SQLite's errors about the file at `path` as a StoreError; others pass through."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary code; errors of the Python module itself have none.
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary == sqlite3.SQLITE_NOTADB:
            raise NotADatabase("not_a_database", path=path) from error
        if primary in _SQLITE_CODES:
            raise StoreError(_SQLITE_CODES[primary]) from error
        raise
