"""kill -9 in the middle of an import: the file can be brought again, and nothing is there twice.

`CTX_SOAK=1` runs many rounds.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from db.dataset.importing import bring
from db.store import Origin, Store, open_store

ROOT = Path(__file__).parents[2]
ROUNDS = 50 if os.environ.get("CTX_SOAK") == "1" else 3
TEACHER = Origin("rows.jsonl", "", who="T")
BRING = """
import sys, threading
from itertools import count
from pathlib import Path
from db.dataset import importing
from db.dataset.running import Carrier
from db.store import Origin, open_store
importing.BATCH = 50
store = open_store(Path(sys.argv[1]))
add, batches = store.imports.add, count()
def add_most(*given):
    if next(batches) == 150:  # of 180: it waits to be killed
        threading.Event().wait()
    return add(*given)
store.imports.add = add_most
carrier = Carrier(store)
run = carrier.start(Path(sys.argv[2]), Origin("rows.jsonl", "", who="T"), 12, 0)
said = 0
while not run.over:
    if run.lines > said:
        said = run.lines
        print(said, flush=True)
"""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with a signal")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Rows, questions without an answer, lines that are refused, and some that come again."""
    lines = []
    for n in range(9000):
        row = {"context": f"Number {n % 7500} is the bank.", "target": "bank", "idx": 1}
        answer = {"class": "noun", "zh": "银行", "phrase": ""} if n % 3 else {}
        lines.append("{broken" if n % 50 == 7 else json.dumps(row | answer))
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def counted(store: Store) -> dict[str, int]:
    store.review.work_off()
    with store._connections.read() as db:
        rows = {name: db.table(name).count for name in ("query", "label", "sentence", "item")}
    return rows | store.exports.counts("en-zh") | store.browse.states("en-zh")


def test_a_killed_import_brought_again_is_as_one_clean_import(tmp_path: Path, file: Path) -> None:
    with open_store(tmp_path / "clean.db") as store:
        bring(store, file, TEACHER)
        clean = counted(store)
    assert 7000 < clean["query"] < 7500 and 0 < clean["label"] < clean["query"]
    path = tmp_path / "ctx.db"
    for number in range(ROUNDS):
        command = [sys.executable, "-c", BRING, str(path), str(file)]
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert child.stdout
        first = child.stdout.readline()
        time.sleep(random.uniform(0, 0.1))
        child.kill()
        told = [first, *child.stdout.read().splitlines(keepends=True)]
        child.wait()
        child.stdout.close()
        acknowledged = max(int(line) for line in told if line.endswith("\n"))
        with open_store(path) as store:
            assert store.check() == ()
            newest, *_ = store.imports.list_imports()
            assert newest.finished is None, "it was killed in the middle"
            assert newest.lines >= acknowledged
            assert len(store.imports.list_imports()) == number + 1
    with open_store(path) as store:
        _, counts = bring(store, file, TEACHER)
        assert counts.known > 0
        assert store.check() == ()
        assert counted(store) == clean
        bring(store, file, TEACHER)
        assert counted(store) == clean
