"""A backup back in its place: whole or not at all, and never under a running app."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from db.store import NewerDatabase, NotADatabase, Refused, StoreError, lock_home, open_store, schema
from db.store import restore as restoring
from db.store.restore import restore
from engine.sense import Query, Sense
from tests.real import ROOT

CALL = Query("Call me back.", 0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a database of two labels, and a backup from when it had one."""
    home = tmp_path / "home"
    with open_store(home / "ctx.db") as store:
        store.labels.add_label(CALL, Sense("verb", "打"), "person", "Ann", "accepted")
        store.backup(home / "copy.db")
        store.labels.add_label(CALL, Sense("verb", "叫"), "person", "Bob", "accepted")
    return home


def labels(file: Path) -> int:
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return db.execute("SELECT count(*) FROM label").fetchone()[0]


def test_the_backup_takes_the_place_and_the_former_stays(home: Path) -> None:
    done = restore(home / "copy.db", home / "ctx.db")
    assert (done.version, done.labels) == (len(schema.MIGRATIONS), 1)
    assert done.former and done.former.parent == home / "backups"
    assert labels(done.former) == 2 and labels(home / "copy.db") == 1
    with open_store(home / "ctx.db") as store:
        assert len(store.labels.history(CALL)) == 1
        store.labels.add_label(CALL, Sense("verb", "叫"), "person", "Cid", "accepted")
    again = restore(done.former, home / "ctx.db")  # and back once more
    assert again.labels == 2 and labels(home / "ctx.db") == 2
    assert (home / "ctx.db").stat().st_mode & 0o077 == 0
    left = {path.name for path in home.iterdir() if not path.name.endswith(".lock")}
    assert left == {"ctx.db", "copy.db", "backups"}


def test_where_no_database_is_it_is_put_there(home: Path, tmp_path: Path) -> None:
    done = restore(home / "copy.db", tmp_path / "new" / "ctx.db")
    assert done.former is None and labels(tmp_path / "new" / "ctx.db") == 1


def test_what_a_killed_app_left_in_its_wal_is_kept_aside(home: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    with open_store(home / "ctx.db") as store:
        store.labels.add_label(CALL, Sense("verb", "喊"), "person", "Cid", "accepted")
        shutil.copytree(home, killed)  # as after a kill: the last label is in the WAL alone
    done = restore(home / "copy.db", killed / "ctx.db")
    assert done.former and labels(done.former) == 3
    assert labels(killed / "ctx.db") == 1


def test_a_damaged_database_is_replaced_and_kept(home: Path) -> None:
    (home / "ctx.db").write_bytes(b"damaged " * 4000)
    (home / "ctx.db-wal").write_bytes(b"x")
    done = restore(home / "copy.db", home / "ctx.db")
    assert done.former and done.former.read_bytes().startswith(b"damaged")
    assert labels(home / "ctx.db") == 1


def test_never_under_a_running_app_or_job(home: Path) -> None:
    with lock_home(home), pytest.raises(StoreError, match="already running"):
        restore(home / "copy.db", home / "ctx.db")
    with open_store(home / "ctx.db"), pytest.raises(StoreError) as caught:
        restore(home / "copy.db", home / "ctx.db")  # a job has it open
    assert caught.value.code == "busy"
    assert labels(home / "ctx.db") == 2 and not (home / "backups").exists()


def damaged(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = b"\xff" * 4096
    file.write_bytes(content)


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")


def alien(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE mine (id)")


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (damaged, StoreError),
        (newer, NewerDatabase),
        (alien, NotADatabase),
        (lambda file: file.write_bytes(b""), NotADatabase),
        (lambda file: file.write_text("no database at all" * 99), NotADatabase),
        (lambda file: file.unlink(), FileNotFoundError),
    ],
)
def test_a_backup_that_is_no_good_changes_nothing(home: Path, spoil, error) -> None:
    spoil(home / "copy.db")
    before = (home / "ctx.db").read_bytes()
    with pytest.raises(error):
        restore(home / "copy.db", home / "ctx.db")
    assert (home / "ctx.db").read_bytes() == before
    assert not (home / ".ctx.db.restored").exists()


def test_not_onto_itself(home: Path) -> None:
    with pytest.raises(Refused):
        restore(home / "." / "ctx.db", home / "ctx.db")


def test_stopped_before_the_last_step_the_former_is_still_there(home: Path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restoring.os, "link", lambda *_: fail())
    with pytest.raises(KeyboardInterrupt):
        restore(home / "copy.db", home / "ctx.db")
    assert labels(home / "ctx.db") == 2


def test_from_a_shell(home: Path) -> None:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "db", *map(str, arguments)],
            cwd=ROOT, env={"CTX_HOME": str(home)}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    done = run("restore", home / "copy.db")
    assert done.returncode == 0 and "labels: 1" in done.stdout and "-replaced.db" in done.stdout
    with lock_home(home):
        refused = run("restore", home / "copy.db")
    assert refused.returncode == 2 and "already running" in refused.stderr
    assert run("restore", home / "none.db").returncode == 2
