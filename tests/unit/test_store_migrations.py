"""Opening databases of every age: upgraded with all their rows, or refused and left alone."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from db.store import NewerDatabase, NotADatabase, StoreError, open_store, schema
from db.store.backup import KEPT_BACKUPS, backup_before_upgrade
from db.store.connection import Connections
from db.store.migrations import migrate, read_version, upgrade
from engine.sense import Query

NEWEST = len(schema.MIGRATIONS)
# For each version, rows for the tables that it adds. A new migration needs its own here.
ROWS = {
    1: (
        "INSERT INTO query VALUES (1, 'en-zh', 'sense', 'Call me back.', 2, 'back', 1, '2026')",
        "INSERT INTO label VALUES (1, 1, 1, 'verb', '回', '[0, 2]', '回电话', 'teacher', 'T',"
        " 'proposed', '2026')",
        "INSERT INTO label VALUES (2, 1, 2, 'adverb', '回来', NULL, '', 'person', 'Ann',"
        " 'accepted', '2026')",
        "INSERT INTO feedback VALUES (1, 1, 'noun', '后背', NULL, '', '背', 0.5, 'model', 'e1',"
        " '回', '[0, 2]', '回电话', 'wrong', 'Bob', '2026')",
    ),
    2: (
        "INSERT INTO kept_context VALUES (1, 'Call me back.', 'en-zh', 'e1', '2026')",
        "INSERT INTO kept_answer VALUES (1, 2, 'adverb', '回', NULL, '', '', 0.9, 'model', 'e1')",
        "INSERT INTO scrub_due VALUES (1)",
    ),
    3: (
        "INSERT INTO kept_answer VALUES (1, 0, 'verb', '打', '[0, 2]', '回电话', '', 0.9, 'model',"
        " 'e1', 'book')",
    ),
    4: (
        "INSERT INTO import VALUES (1, 'a.tsv', 'flat', 'en-zh', 'here', 'Ann', '2026', NULL,"
        " NULL)",
        "INSERT INTO sentence VALUES (1, 1, 'en-zh', 'Call me back.', 'call me back', '', '')",
        "INSERT INTO imported_line VALUES (1, 1, 0, 'raw', '', '', 1, 1, 1)",
    ),
    5: (
        "INSERT INTO dataset VALUES (1, 'first', '', 'en-zh', 1, 'abc', 'Ann', '2026')",
        "INSERT INTO dataset_row VALUES (1, 2)",
    ),
    6: (
        "INSERT INTO decision VALUES (1, 'accept', 'Ann', '', 'once', '2026')",
        "INSERT INTO decision_query VALUES (1, 1, NULL)",
        "INSERT INTO undone VALUES (1, 1, 'Ann', '2026')",
        "INSERT INTO undone_label VALUES (1, 1)",
        "INSERT INTO lease VALUES (1, 'Ann', 0.0)",
        "INSERT INTO review_setting VALUES ('overlap', '1')",
        "INSERT INTO item VALUES (1, 'en-zh', 'open', 3.5, 1, 0, 'verb', '', 0, 0, 0, 1)",
        "INSERT INTO search (rowid, text) VALUES (1, 'back')",
    ),
    7: (
        "INSERT INTO dataset_split VALUES (1, 'train', 1)",
        "INSERT INTO shipped VALUES ('en-zh-gold', 1)",
    ),
    8: (
        "INSERT INTO job (id, kind, slot, recipe, state, place, who, created)"
        " VALUES (1, 'teacher', 'network', '{}', 'queued', 1, 'Ann', '2026')",
        "INSERT INTO request (job_id, number, query_id, state, label_id)"
        " VALUES (1, 1, 1, 'answered', 1)",
        "INSERT INTO translation VALUES (1, 1, '给我回电话。', 'T', 1, '2026')",
    ),
    9: ("INSERT INTO event VALUES (1, 1, '2026', '{}')",),
    10: (
        "INSERT OR IGNORE INTO item_of_import VALUES (1, 1)",
        "INSERT INTO decision_note VALUES (1, 1, 'two senses', '2026')",
    ),
    11: (
        "INSERT INTO promotion VALUES (1, '2026', 'en-zh', 'sense', 'run:1', 'first', 'aa', 'a',"
        " '', 'Ann', 1, '{}', NULL)",
        "INSERT INTO vote VALUES (1, '2026', 'Ann', 'en-zh', 'sense', 'shipped', 'bb', 'run:1',"
        " 'aa', 'Call me back.', 2, 'left', 'right')",
    ),
    12: (
        "INSERT INTO sentence_set VALUES (1, 'pairs', '', 'en-zh', '', 'abc', 'Ann', '2026')",
        "INSERT INTO sentence_set_row VALUES (1, 0, 'Call me back.', '给我回电话。', 'train')",
    ),
    13: (
        "INSERT INTO sentence_set_row VALUES (1, 1, 'Call her.', '给她打电话。', 'train', 'big')",
    ),
}
# What has been released never changes; append a migration instead.
HASHES = {
    1: "4ff12b6f79df82e1",
    2: "87ae98306e107f3a",
    3: "a538e87e6616ab5e",
    4: "d085035154f63f5d",
    5: "19fc08629dcaaa69",
    6: "d9f3f02a5fdc94c4",
    7: "cab7c6cfdaa20f69",
    8: "7ba6c83929be024b",
    9: "ec8b26334e63264f",
    10: "75adb9bfd2ec61d1",
    11: "b65e21d6f2e54367",
    12: "c42a844debacbf09",
    13: "cda2e11f1d7413df",
}
Rows = dict[str, list[dict[str, object]]]


def make_database(path: Path, version: int) -> None:
    """A database of an earlier app, with a row in every table."""
    connections = Connections(path)
    with connections.alone() as db:
        for number in range(1, version + 1):
            migrate(db, number)
            for statement in ROWS[number]:
                db.execute(statement)
    connections.close()


def read_rows(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as conn:
        conn.row_factory = sqlite3.Row
        tables = [r[0] for r in conn.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {t: [dict(r) for r in conn.execute(f"SELECT * FROM {t}")] for t in tables}


def read_pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as conn:
        return conn.execute(f"PRAGMA {name}").fetchone()[0]


def files(folder: Path) -> dict[str, bytes]:
    """Every file but the lock, with its bytes."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix != ".lock"}


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_every_table_of_every_version_has_a_row_here(tmp_path: Path, version: int) -> None:
    make_database(tmp_path / "ctx.db", version)
    assert all(read_rows(tmp_path / "ctx.db").values())


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_released_migrations_never_change(version: int) -> None:
    text = "\n".join(schema.MIGRATIONS[version - 1])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == HASHES[version]


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_upgrade_keeps_every_row(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, version)
    before = read_rows(path)
    with open_store(path) as store:
        assert store.check() == ()
        labels = store.labels.history(Query("Call me back.", 2))
        assert [label.sense.meaning for label in labels] == ["回", "回来"]
        assert store.labels.accepted("en-zh", "Call me back.")[2].sense.meaning == "回来"
        assert [f.note for f in store.feedback.list_feedback()] == ["wrong"]
    assert read_pragma(path, "user_version") == NEWEST
    after = read_rows(path)
    before.pop("scrub_due", None)  # not data: what was due is done on opening
    for table, rows in before.items():
        assert len(after[table]) == len(rows)
        for old, new in zip(rows, after[table], strict=True):
            assert old.items() <= new.items()


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_upgrade_backs_up_before(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, version)
    before = read_rows(path)
    open_store(path).close()
    (backup,) = (tmp_path / "backups").iterdir()
    assert read_pragma(backup, "integrity_check") == "ok"
    assert read_pragma(backup, "user_version") == version
    after = read_rows(backup)
    assert after.keys() == before.keys()
    for table in after.keys() - {"kept_context", "kept_answer"}:
        assert after[table] == before[table]
    restored = tmp_path / "restored" / "ctx.db"
    restored.parent.mkdir()
    shutil.copy(backup, restored)
    with open_store(restored) as store:
        assert store.feedback.count() == 1


def test_no_backup_where_nothing_is_upgraded(tmp_path: Path) -> None:
    open_store(tmp_path / "ctx.db").close()
    open_store(tmp_path / "ctx.db").close()
    assert not (tmp_path / "backups").exists()


def test_only_the_newest_backups_stay(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, 1)
    (tmp_path / "backups").mkdir()
    own = tmp_path / "backups" / "my own.db"
    own.write_text("mine")
    killed = tmp_path / "backups" / ".ctx-2026Z-v1.db.abc.tmp"
    killed.write_text("half")
    connections = Connections(path)
    with connections.alone() as db:
        made = [backup_before_upgrade(db, path, 1) for _ in range(KEPT_BACKUPS + 2)]
    connections.close()
    assert sorted((tmp_path / "backups").iterdir()) == sorted([*made[-KEPT_BACKUPS:], own])


def test_failed_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, NEWEST)
    before = read_rows(path)
    failing = ("DROP TABLE feedback", "CREATE TABLE more (id)", "INSERT INTO nowhere VALUES (1)")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, failing))
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            open_store(path)
    assert read_rows(path) == before
    with open_store(path) as store:
        assert store.feedback.count() == 1


def test_migration_that_orphans_rows_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, NEWEST)
    orphaning = ("DROP TRIGGER query_kept_for_labels", "DELETE FROM query")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, orphaning))
        with pytest.raises(StoreError) as caught:
            open_store(path)
    assert caught.value.code == "damaged"
    assert len(read_rows(path)["query"]) == 1


def test_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, NEWEST)
    with closing(sqlite3.connect(path)) as conn:
        conn.execute(f"PRAGMA user_version = {NEWEST + 1}")
    before = files(tmp_path)
    with pytest.raises(NewerDatabase) as caught:
        open_store(path)
    assert caught.value.code == "newer_database"
    assert str(NEWEST + 1) in str(caught.value)
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "content", [b"not a database at all\n" * 100, b"\x00" * 5000, b"x", b"my notes\n" * 50]
)
def test_garbage_is_refused_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ctx.db"
    path.write_bytes(content)
    with pytest.raises(NotADatabase) as caught:
        open_store(path)
    assert caught.value.code == "not_a_database"
    assert files(tmp_path) == {"ctx.db": content}


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE theirs (id)", "PRAGMA user_version = 1", "PRAGMA application_id = 7"],
)
def test_database_of_another_program_is_refused_untouched(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "ctx.db"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute(statement)
    before = files(tmp_path)
    with pytest.raises(NotADatabase) as caught:
        open_store(path)
    assert caught.value.code == "not_ours"
    assert files(tmp_path) == before


def test_damaged_database_is_named_and_not_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, 1)
    data = bytearray(path.read_bytes())
    page = int.from_bytes(data[16:18], "big")
    data[page : len(data)] = b"\xff" * (len(data) - page)
    path.write_bytes(data)
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert caught.value.code == "damaged"
    assert path.read_bytes()[60:64] == (1).to_bytes(4, "big")
    assert list((tmp_path / "backups").iterdir()) == []


def test_no_upgrade_where_the_backup_is_not_sound(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA ignore_check_constraints = ON")
        conn.execute("INSERT INTO label VALUES (3, 1, 3, '', '', NULL, '', 'nobody', '', '', '')")
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert caught.value.code == "damaged"
    assert read_version(path) == 1
    assert list((tmp_path / "backups").iterdir()) == []


def test_version_is_looked_at_again_before_anything_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, NEWEST)
    connections = Connections(path)
    with connections.alone() as db:
        db.execute(f"PRAGMA user_version = {NEWEST + 1}")
    with pytest.raises(NewerDatabase):
        upgrade(connections)
    connections.close()
    assert read_version(path) == NEWEST + 1


def test_new_version_stands_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, 1)
    with open_store(path):
        assert path.read_bytes()[60:64] == NEWEST.to_bytes(4, "big")


def test_many_open_one_old_database_and_one_upgrades_it(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    make_database(path, 1)
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: open_store(path), range(8)))
    for store in stores:
        assert store.feedback.count() == 1
        store.close()
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    path.touch()
    with open_store(path) as store:
        assert store.feedback.count() == 0


def test_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path)
    assert caught.value.code == "cannot_open"


def test_odd_path_opens(tmp_path: Path) -> None:
    path = tmp_path / "a b%20?mode=ro#x 数据" / "ctx.db"
    open_store(path).close()
    assert read_version(path) == NEWEST
