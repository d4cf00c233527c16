"""The queue is made ready behind a large import: how far is said, and a break loses nothing."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from db.dataset import running
from db.dataset.importing import bring
from db.dataset.running import Carrier, Settling
from db.store import Origin, Store, items

PAIR = "en-zh"


@pytest.fixture
def many(store: Store, tmp_path: Path, monkeypatch) -> Store:
    """Sixty questions that no item knows yet; they are made ready ten at a time."""
    monkeypatch.setattr(items, "BATCH", 10)
    file = tmp_path / "text.txt"
    file.write_text("".join(f"Dogs chase cats{chr(97 + n)}.\n" for n in range(20)))
    bring(store, file, Origin("text", ""))
    return store


def test_how_far_it_is_is_told_and_it_can_be_stopped(many: Store) -> None:
    told = []

    def tick(done: int, total: int) -> bool:
        told.append((done, total))
        return done < 30

    many.review.work_off(tick)
    assert told == [(10, 60), (20, 60), (30, 60)] and many.review.due() == 30
    assert many.browse.count(PAIR) == 30
    many.review.work_off()
    assert (many.review.due(), many.browse.count(PAIR)) == (0, 60)


def test_whoever_comes_meanwhile_hears_how_far_it_is(many: Store, monkeypatch) -> None:
    monkeypatch.setattr(running, "_SETTLED_AT_ONCE", 5)
    go, settling = threading.Semaphore(0), Settling(many)
    work_off = many.review.work_off

    def slowly(tick) -> None:
        def wait(done: int, total: int) -> bool:
            go.acquire()
            return tick(done, total)

        work_off(wait)

    monkeypatch.setattr(many.review, "work_off", slowly)
    assert settling.look() == (0, 60)
    go.release(2)
    deadline = time.monotonic() + 20
    while settling.look() != (20, 60) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert settling.look() == (20, 60)
    monkeypatch.setattr(many.review, "work_off", work_off)
    go.release(100)
    while settling.look() is not None:
        time.sleep(0.01)
    assert many.browse.count(PAIR) == 60


def test_a_little_is_made_ready_at_once(many: Store) -> None:
    assert Settling(many).look() is None
    assert many.review.due() == 0


def test_an_import_says_how_far_its_queue_is(store: Store, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(items, "BATCH", 10)
    far = []
    work_off = store.review.work_off
    monkeypatch.setattr(
        store.review,
        "work_off",
        lambda tick: work_off(lambda *n: far.append((run.state, *n)) or tick(*n)),
    )
    file = tmp_path / "text.txt"
    file.write_text("".join(f"Dogs chase cats{chr(97 + n)}.\n" for n in range(20)))
    carrier = Carrier(store)
    run = carrier.start(file, Origin("text", ""), 12, 20)
    while not run.over:
        time.sleep(0.01)
    assert far[0] == ("settling", 10, 60) and far[-1] == ("settling", 60, 60)
    assert (run.ready, run.due, run.state) == (60, 60, "whole")
