"""kill -9 at any moment: what was acknowledged is there, what was forgotten is gone.

`CTX_SOAK=1` runs many rounds.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from db.dataset.importing import bring
from db.store import Origin, open_store, schema
from db.store.connection import Connections
from db.store.migrations import migrate, read_version
from engine.sense import Answer, Query, Sense

ROOT = Path(__file__).parents[2]
SOAK = os.environ.get("CTX_SOAK") == "1"
ROUNDS = 50 if SOAK else 3
QUERY = Query("They run out.", 1)
FEEDBACK = """
import sys
from itertools import count
from pathlib import Path
from db.store import open_store
from engine.sense import Answer, Query, Sense
store = open_store(Path(sys.argv[1]))
shown = Answer(Sense("verb", "跑"))
for i in count():
    note = f"{sys.argv[2]}.{i} " + "x" * (i * 37 % 450)
    new = store.feedback.add_feedback(Query("They run out.", 1), shown, note=note)
    store.answers.put("e", "en-zh", f"context {i % 7}", {i: shown})
    print(new, note, flush=True)
"""
DECIDE = """
import sys
from pathlib import Path
from db.store import open_store
from engine.sense import Sense
store = open_store(Path(sys.argv[1]))
while (query := store.review.next("en-zh", "Ann")) is not None:
    decision = store.review.decide("Ann", "edit", query, Sense("noun", f"犬{query}"))
    print(decision, query, flush=True)
    if decision % 5 == 0:
        store.review.undo("Ann")
        print("undone", decision, flush=True)
"""
FORGET = """
import os, signal, sys
from pathlib import Path
from db.store import answers, open_store
store = open_store(Path(sys.argv[1]))
answers.scrub = lambda connections: os.kill(os.getpid(), signal.SIGKILL)
store.answers.forget([f"SECRET{i:05d};" + "x" * (i * 97 % 5000) for i in range(50, 150)])
"""
# A migration whose pages spill into the WAL before its commit: cache_size is in pages.
HEAVY = (
    "PRAGMA cache_size = 10",
    "CREATE TABLE wide AS SELECT *, hex(randomblob(2000)) AS pad FROM feedback",
    "CREATE TABLE wider AS SELECT *, hex(randomblob(2000)) AS more FROM wide",
    "DROP TABLE wide",
    "CREATE INDEX wider_pad ON wider (pad)",
)
UPGRADE = """
import os, signal, sys
from pathlib import Path
from db.store import migrations, open_store, schema
moment = int(sys.argv[2])
heavy = eval(sys.argv[3])

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def statements():
    for i, statement in enumerate(heavy):
        if i == moment:
            die()
        yield statement
    if moment == len(heavy):
        die()

finish = migrations.migrate
def migrate_and_die(db, to):
    finish(db, to)
    die()

migrations.migrate = migrate_and_die
schema.MIGRATIONS = (*schema.MIGRATIONS, statements())
open_store(Path(sys.argv[1]))
"""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with a signal")


def run_child(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_acknowledged_feedback_survives_kill(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    acknowledged: dict[int, str] = {}
    for number in range(ROUNDS):
        child = run_child(FEEDBACK, path, number)
        assert child.stdout
        lines = [child.stdout.readline()]
        time.sleep(random.uniform(0, 0.15))
        child.kill()
        lines += child.stdout.read().splitlines(keepends=True)
        child.wait()
        child.stdout.close()
        whole = [line.rstrip("\n") for line in lines if line.endswith("\n")]
        assert whole, "the child was killed before it acknowledged anything"
        acknowledged |= {int(line.split(" ", 1)[0]): line.split(" ", 1)[1] for line in whole}
        with open_store(path) as store:
            assert store.check() == ()
            there = {f.id: f.note for f in store.feedback.list_feedback(limit=10**6)}
            # Outer white space is not kept, so a note without its x's has lost its last space.
            assert {i: there.get(i, "").split() for i in acknowledged} == {
                i: note.split() for i, note in acknowledged.items()
            }


def test_acknowledged_decisions_survive_kill(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    text = tmp_path / "text.txt"
    text.write_text("".join(f"Dogs bark{n}.\n" for n in range(20_000)))
    with open_store(path) as store:
        bring(store, text, Origin("text", ""), most_words=1)
    acknowledged: dict[int, int] = {}
    undone: set[int] = set()
    for _ in range(ROUNDS):
        child = run_child(DECIDE, path)
        assert child.stdout
        lines = [child.stdout.readline()]
        time.sleep(random.uniform(0, 0.3))
        child.kill()
        lines += child.stdout.read().splitlines(keepends=True)
        child.wait()
        child.stdout.close()
        whole = [line.split() for line in lines if line.endswith("\n")]
        assert whole, "the child was killed before it acknowledged anything"
        undone |= {int(number) for word, number in whole if word == "undone"}
        acknowledged |= {int(d): int(q) for d, q in whole if d != "undone"}
        with open_store(path) as store:
            assert store.check() == ()
            for decision, query_id in acknowledged.items():
                opened = store.review.open(query_id, "Bob")
                mine = [event for event in opened.events if event.id == decision]
                assert [event.kind for event in mine] == ["edit"]
                if decision in undone:
                    assert mine[0].undone
                elif not mine[0].undone:  # taken back, and killed before it said so
                    assert f"犬{query_id}" in [label.sense.meaning for label in opened.labels]


def test_killed_between_forgetting_and_scrubbing(tmp_path: Path) -> None:
    path = tmp_path / "ctx.db"
    contexts = [f"SECRET{i:05d};" + "x" * (i * 97 % 5000) for i in range(200)]
    with open_store(path) as store:
        for context in contexts:
            store.answers.put("e", "en-zh", context, {0: Answer(Sense("noun", "x"))})
    assert run_child(FORGET, path).wait() == -9

    def left() -> list[str]:
        raw = b"".join(p.read_bytes() for p in tmp_path.iterdir())
        return [c[:12] for c in contexts[50:150] if c[:12].encode() in raw]

    with open_store(path) as store:
        assert left() == []
        assert store.answers.forget_older(0) == 100


@pytest.mark.parametrize(
    "moment", range(len(HEAVY) + 2) if SOAK else (2, len(HEAVY), len(HEAVY) + 1)
)
def test_kill_during_migration_leaves_old_or_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    path = tmp_path / "ctx.db"
    old = len(schema.MIGRATIONS)
    shown = Answer(Sense("verb", "跑"))
    connections = Connections(path)
    with connections.alone() as db:
        migrate(db, old)
    connections.close()
    with open_store(path) as store:
        for i in range(100):
            store.feedback.add_feedback(QUERY, shown, note=f"note {i}")
    assert run_child(UPGRADE, path, moment, repr(HEAVY)).wait() == -9

    committed = moment > len(HEAVY)
    assert read_version(path) == old + committed
    if moment >= 2:  # the kill found the migration half written, so there was something to undo
        assert path.with_name("ctx.db-wal").stat().st_size > 100_000
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, HEAVY))
    with open_store(path) as store:
        assert store.check() == ()
        notes = [f.note for f in store.feedback.list_feedback()]
        assert notes == [f"note {i}" for i in range(100)]
        with store._connections.read() as db:
            assert db.execute("SELECT count(*) FROM wider").fetchone() == (100,)
    assert read_version(path) == old + 1
    assert len(list((tmp_path / "backups").iterdir())) == 1 + (not committed)
