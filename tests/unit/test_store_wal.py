"""What stands in a database's WAL only counts, as far as it was committed: its version, and after a
kill what the file itself does not have yet."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from db.store import NewerDatabase, open_store
from db.store.migrations import read_version
from tests.unit.test_store_migrations import NEWEST, files, make_database


def newer_in_wal(folder: Path) -> Path:
    """A database as a killed newer app leaves it: its version stands in the WAL only."""
    live, path = folder / "live.db", folder / "killed" / "ctx.db"
    make_database(live, NEWEST)
    path.parent.mkdir()
    with closing(sqlite3.connect(live, isolation_level=None)) as conn:
        conn.execute("CREATE TABLE newer (id)")
        conn.execute(f"PRAGMA user_version = {NEWEST + 1}")
        shutil.copy(live, path)
        shutil.copy(f"{live}-wal", f"{path}-wal")
    return path


def test_newer_version_in_the_wal_is_refused_untouched(tmp_path: Path) -> None:
    path = newer_in_wal(tmp_path)
    before = files(path.parent)
    assert before["ctx.db"][60:64] == NEWEST.to_bytes(4, "big")  # the file alone would pass
    with pytest.raises(NewerDatabase):
        open_store(path)
    assert files(path.parent) == before


def test_uncommitted_version_in_the_wal_does_not_count(tmp_path: Path) -> None:
    path = newer_in_wal(tmp_path)
    wal = path.with_name("ctx.db-wal")
    data = bytearray(wal.read_bytes())
    size = int.from_bytes(data[8:12], "big") + 24
    for frame in range(32, len(data), size):
        data[frame + 4 : frame + 8] = bytes(4)  # the page count that marks a commit
    wal.write_bytes(data)
    assert read_version(path) == NEWEST


def test_what_the_wal_held_before_it_began_anew_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, NEWEST)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("CREATE TABLE newer (id)")
        conn.execute(f"PRAGMA user_version = {NEWEST + 1}")
        conn.execute("PRAGMA wal_checkpoint")
        conn.execute(f"PRAGMA user_version = {NEWEST}")  # over the first frame; the others stay
        assert read_version(path) == NEWEST


def test_killed_while_the_wal_was_copied_into_the_file(tmp_path: Path) -> None:
    """SQLite copies page 1 first, which by then counts pages that the file does not have yet."""
    live, path = tmp_path / "live.db", tmp_path / "killed" / "ctx.db"
    path.parent.mkdir()
    make_database(live, NEWEST)
    with closing(sqlite3.connect(live, isolation_level=None)) as conn:
        conn.execute("CREATE TABLE wide AS SELECT randomblob(100000) AS pad")
        conn.execute("UPDATE feedback SET note = 'the last moment'")
        data = bytearray(live.read_bytes())
        wal = live.with_name("live.db-wal").read_bytes()
    page = int.from_bytes(wal[8:12], "big")
    frames = range(32, len(wal), 24 + page)
    first = [at for at in frames if wal[at : at + 4] == (1).to_bytes(4, "big")][-1]
    data[:page] = wal[first + 24 : first + 24 + page]
    assert int.from_bytes(data[28:32], "big") * page > len(data)
    path.write_bytes(data)
    path.with_name("ctx.db-wal").write_bytes(wal)
    assert read_version(path) == NEWEST
    with open_store(path) as store:
        assert store.check() == ()
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT note FROM feedback").fetchone()[0] == "the last moment"
