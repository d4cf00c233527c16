"""A job that was done elsewhere: over from the start, never anybody's, its number its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.store import Process, Store, open_store

ME = Process(11, 1000.5)
EVENTS = ({"event": "step", "step": 1}, {"event": "结果", "loss": None})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "ctx.db") as store:
        yield store


def test_it_is_over_and_tells_what_it_told(store):
    job_id = store.jobs.add_done("train", "compute", {"name": "a"}, {"fit": True}, EVENTS, above=6)
    job = store.jobs.get(job_id)
    assert (job.id, job.state, job.place, job.process) == (7, "done", 0, None)
    assert job.figures == {"fit": True} and job.ended
    told = store.events.read(job_id)
    assert [event.data for event in told] == list(EVENTS)
    assert [event.number for event in told] == [1, 2]


def test_nobody_starts_it_and_it_holds_no_slot(store):
    store.jobs.add_done("train", "compute", {}, {}, ())
    assert store.jobs.claim_next("compute", ME) is None
    waiting = store.jobs.add("train", "compute", {})
    assert store.jobs.get(waiting).place == 1
    assert store.jobs.claim_next("compute", ME).id == waiting


def test_an_event_that_is_no_json_keeps_nothing(store):
    with pytest.raises(ValueError):
        store.jobs.add_done("train", "compute", {}, {}, [{"loss": float("nan")}])
    assert store.jobs.list_jobs() == ()
