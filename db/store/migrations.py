"""From any earlier version of the database to the newest, in one transaction, after a backup.

The version stands in `PRAGMA user_version`. A database that is newer, or not ours, is refused
before anything is opened for writing. Knows the schema only as numbered lists of statements.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from db.store import schema
from db.store.backup import backup_before_upgrade
from db.store.connection import Connections
from db.store.errors import NewerDatabase, NotADatabase, StoreError, named_errors


def read_version(path: Path) -> int:
    """The version of the database at `path`, 0 for none yet. Changes nothing on disk.

    NotADatabase where the file is something else.
    """
    if not path.exists():
        return 0
    if not path.is_file():
        raise StoreError("cannot_open")
    # SQLite takes a file smaller than its smallest page for an empty one, and writes over it.
    if 0 < path.stat().st_size < 512:
        raise NotADatabase("not_a_database", path=path)
    # Immutable, or SQLite would create -shm and replay the WAL. A plain open() of the file is no
    # way round: closing it would drop this process's locks on the database.
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with named_errors(path), closing(sqlite3.connect(uri, uri=True)) as conn:
        # An app killed while it copied the WAL into the file may leave a first page that counts
        # more pages than there are yet: SQLite calls that damage, but for this flag. The WAL
        # mends it, once it is replayed; until then nothing but the first page is to be trusted.
        conn.execute("PRAGMA writable_schema=ON")
        version = int(conn.execute("PRAGMA user_version").fetchone()[0])
        owner = conn.execute("PRAGMA application_id").fetchone()[0]
        ours = owner == schema.APPLICATION_ID
        tables = 0 if ours else conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not ours and (owner or version or tables):
        raise NotADatabase("not_ours", path=path)
    in_wal = _version_in_wal(path.with_name(f"{path.name}-wal"))
    return version if in_wal is None else in_wal


def check_version(path: Path, version: int) -> None:
    """NewerDatabase if the database at `path`, of this version, is newer than the app."""
    newest = len(schema.MIGRATIONS)
    if version > newest:
        raise NewerDatabase("newer_database", path=path, version=version, newest=newest)


def upgrade(connections: Connections) -> None:
    """Brings the database to the newest version; one that has rows is backed up before.

    After any error, and after a kill at any moment, the database has its old version or the new.
    """
    with connections.alone() as db:
        version = _version(db)
        check_version(connections.path, version)
        if version == len(schema.MIGRATIONS):
            return
        if version:
            backup_before_upgrade(db, connections.path, version)
        migrate(db, len(schema.MIGRATIONS))
        # Into the file itself, where another app's `read_version` sees it at once.
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def migrate(db: Database, to: int) -> None:
    """Runs the migrations that lead to version `to`: all of them or, after an error, none."""
    # A migration may rebuild a table that others refer to; the check below makes up for it.
    db.execute("PRAGMA foreign_keys=OFF")
    try:
        db.execute("BEGIN IMMEDIATE")
        for migration in schema.MIGRATIONS[_version(db) : to]:
            for statement in migration:
                db.execute(statement)
        if db.execute("PRAGMA foreign_key_check").fetchone():
            raise StoreError("damaged")
        db.execute(f"PRAGMA user_version = {to}")
        db.execute("COMMIT")
    finally:
        db.rollback()
        db.execute("PRAGMA foreign_keys=ON")


def _version(db: Database) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _version_in_wal(wal: Path) -> int | None:
    """The version in the newest page 1 that a killed app committed to the WAL only, if any.

    Layout: https://sqlite.org/fileformat2.html#walformat. Checksums are not read: `upgrade` looks
    again once SQLite has replayed the WAL.
    """
    try:
        data = wal.open("rb")
    except FileNotFoundError:
        return None
    committed = seen = None
    with data:
        header = data.read(32)
        if len(header) < 32:
            return None
        page_size, salts = struct.unpack(">8xI4x8s8x", header)
        if page_size < 512:  # SQLite's smallest; anything else is no WAL
            return None
        while len(frame := data.read(24 + page_size)) == 24 + page_size:
            page, size_after_commit, frame_salts = struct.unpack(">II8s", frame[:16])
            if frame_salts != salts:  # from before the WAL last began anew
                break
            if page == 1:
                (seen,) = struct.unpack(">i", frame[24 + 60 : 24 + 64])
            if size_after_commit:
                committed = seen
    return committed
