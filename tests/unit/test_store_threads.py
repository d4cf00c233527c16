"""Many threads and two processes on one database: no write is lost, none meets a lock error."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from db.store import StoreError, open_store
from engine.sense import Answer, Query, Sense

ROOT = Path(__file__).parents[2]
QUERY = Query("They run out.", 1)
RUN = Answer(Sense("verb", "跑"), engine="e1")
THREADS, ROUNDS = 8, 25
WRITER = """
import sys
from pathlib import Path
from db.store import open_store
from engine.sense import Query, Sense
print("ready", flush=True)
sys.stdin.readline()
with open_store(Path(sys.argv[1])) as store:
    for i in range(60):
        store.labels.add_label(
            Query("They run out.", 1), Sense("verb", f"{sys.argv[2]} {i}"), "model", "e", "proposed"
        )
"""


def test_threads_lose_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "ctx.db") as store:

        def work(thread: int) -> None:
            for i in range(ROUNDS):
                name = f"{thread}.{i}"
                store.labels.add_label(QUERY, RUN.sense, "model", name, "proposed")
                store.feedback.add_feedback(QUERY, RUN, note=name)
                store.answers.put("e1", "en-zh", f"context {i}", {thread: RUN})
                assert thread in store.answers.get("e1", "en-zh", f"context {i}")
                assert any(label.who == name for label in store.labels.history(QUERY))
                if i % 10 == 9:
                    store.answers.forget([f"of thread {thread}"])

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(work, range(THREADS)))  # raises what a thread raised
        everything = {f"{thread}.{i}" for thread in range(THREADS) for i in range(ROUNDS)}
        labels = store.labels.history(QUERY)
        assert [label.version for label in labels] == list(range(1, len(everything) + 1))
        assert {label.who for label in labels} == everything
        notes = [feedback.note for feedback in store.feedback.list_feedback()]
        assert len(notes) == len(everything) and set(notes) == everything
        for i in range(ROUNDS):
            assert len(store.answers.get("e1", "en-zh", f"context {i}")) == THREADS
        assert store.check() == ()


def test_two_processes_open_and_write_one_new_database(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b")
    ]
    for child in children:
        assert child.stdout and child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=60)
        assert child.returncode == 0
    with open_store(path) as store:
        labels = store.labels.history(QUERY)
        assert [label.version for label in labels] == list(range(1, 121))
        meanings = {f"{name} {i}" for name in ("a", "b") for i in range(60)}
        assert {label.sense.meaning for label in labels} == meanings


def test_a_write_that_waits_too_long_is_named(tmp_path: Path) -> None:
    with open_store(tmp_path / "ctx.db") as first, open_store(tmp_path / "ctx.db") as second:
        with second._connections.alone() as db:
            db.execute("PRAGMA busy_timeout = 20")
        with first._connections.write(), pytest.raises(StoreError) as caught:
            second.queries.add(QUERY)
        assert caught.value.code == "busy"
        assert second.queries.add(QUERY) == 1


def test_a_failed_write_leaves_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    with open_store(tmp_path / "ctx.db") as store:
        with pytest.raises(ZeroDivisionError), store._connections.write() as db:
            db.execute("INSERT INTO scrub_due VALUES (1)")
            raise ZeroDivisionError
        with store._connections.read() as db:
            assert db.execute("SELECT count(*) FROM scrub_due").fetchone() == (0,)
        assert store.queries.add(QUERY) == 1


def test_a_reopened_database_is_as_careful_as_a_new_one(tmp_path: Path) -> None:
    open_store(tmp_path / "ctx.db").close()
    with open_store(tmp_path / "ctx.db") as store, store._connections.alone() as db:
        expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
        for pragma, value in expected.items():
            assert db.execute(f"PRAGMA {pragma}").fetchone()[0] == value


def test_a_write_inside_a_write_fails_instead_of_waiting(tmp_path: Path) -> None:
    with open_store(tmp_path / "ctx.db") as store:
        refused = pytest.raises(sqlite3.OperationalError, match="within a transaction")
        with refused, store._connections.write():
            store.queries.add(QUERY)
        assert store.queries.add(QUERY) == 1


def test_readers_cannot_write(tmp_path: Path) -> None:
    with open_store(tmp_path / "ctx.db") as store:
        with pytest.raises(StoreError) as caught, store._connections.read() as db:
            db.execute("INSERT INTO scrub_due VALUES (1)")
        assert caught.value.code == "read_only"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_close_leaves_no_file_open(tmp_path: Path) -> None:
    def ours() -> list[str]:
        links = []
        for handle in os.listdir("/proc/self/fd"):
            try:
                links.append(os.readlink(f"/proc/self/fd/{handle}"))
            except OSError:  # the handle of this very listing
                continue
        return [link for link in links if link.startswith(str(tmp_path))]

    store = open_store(tmp_path / "ctx.db")
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: store.feedback.count(), range(100)))
    assert ours() != []
    store.close()
    assert ours() == []
