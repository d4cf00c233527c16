"""Killed while the queue is made ready behind an import: the next start makes the rest ready."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from db.dataset.importing import bring
from db.dataset.running import Settling
from db.store import Origin, open_store
from tests.real import ROOT

PAIR, SENTENCES = "en-zh", 400
WORKER = """
import sys, threading
from pathlib import Path
from db.store import items, open_store
items.BATCH = 50
def tick(done, total):
    print(done, total, flush=True)
    if done > total / 2:  # it waits to be killed
        threading.Event().wait()
    return True
with open_store(Path(sys.argv[1])) as store:
    store.review.work_off(tick)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_what_was_not_ready_is_made_ready_later(tmp_path: Path) -> None:
    database, text = tmp_path / "ctx.db", tmp_path / "text.txt"
    text.write_text("".join(f"Dogs number{n} chase cats.\n" for n in range(SENTENCES)))
    with open_store(database) as store:
        _, counts = bring(store, text, Origin("text", ""))
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(database)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout
    told = [worker.stdout.readline().split() for _ in range(3)]
    worker.send_signal(signal.SIGKILL)
    worker.wait(30)
    worker.stdout.close()
    assert told[-1] == ["150", str(counts.queries)]
    with open_store(database) as store:
        assert store.check() == ()
        left = store.review.due()
        assert 0 < left <= counts.queries - 150
        assert store.browse.count(PAIR) == counts.queries - left  # what was told is there
        assert Settling(store).look() is None
        assert store.review.due() == 0 and store.browse.count(PAIR) == counts.queries
