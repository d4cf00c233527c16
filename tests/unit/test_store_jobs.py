"""Jobs as rows: who has one, what may be asked of it, and that a slot holds one at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from db.store import Process, Refused, Store, open_store

ME, OTHER = Process(11, 1000.5), Process(11, 2000.5)  # one id, two processes


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "ctx.db") as store:
        yield store


def add(store: Store, slot: str = "network", recipe: dict | None = None) -> int:
    return store.jobs.add("teacher", slot, recipe or {}, "Ann")


def state(store: Store, job_id: int) -> str:
    return store.jobs.get(job_id).state


def refused(act) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def test_a_job_keeps_what_it_is_given(store):
    job_id = add(store, recipe={"url": "http://x/v1", "词": ["\ud800", 1.5, None]})
    job = store.jobs.get(job_id)
    assert job.recipe == {"url": "http://x/v1", "词": ["\ud800", 1.5, None]}
    assert (job.state, job.place, job.process, job.total) == ("queued", 1, None, None)
    assert job.who == "Ann" and job.started is None


def test_places_count_in_each_slot(store):
    first, compute, second = add(store), add(store, "compute"), add(store)
    assert [store.jobs.get(i).place for i in (first, compute, second)] == [1, 1, 2]
    store.jobs.claim_next("network", ME)
    assert [store.jobs.get(i).place for i in (first, second)] == [0, 1]


def test_a_queue_can_be_put_in_another_order(store):
    ids = [add(store) for _ in range(4)]
    store.jobs.move(ids[3], 1)
    store.jobs.move(ids[0], 99)
    order = sorted(ids, key=lambda one: store.jobs.get(one).place)
    assert order == [ids[3], ids[1], ids[2], ids[0]]
    assert store.jobs.claim_next("network", ME).id == ids[3]
    assert refused(lambda: store.jobs.move(ids[3], 1)) == "job_state"


def test_a_slot_holds_one_job_and_the_other_slot_another(store):
    first, second, other = add(store), add(store), add(store, "compute")
    assert store.jobs.claim_next("network", ME).id == first
    assert store.jobs.claim_next("network", ME) is None
    assert refused(lambda: store.jobs.take(second, ME, None)) == "slot_taken"
    assert store.jobs.claim_next("compute", ME).id == other
    store.jobs.set_paused(first, ME, True)
    assert store.jobs.claim_next("network", ME) is None, "a paused job keeps its slot"
    store.jobs.end(first, ME, "failed", "down", "no\x00 server")
    assert store.jobs.claim_next("network", ME).id == second
    assert store.jobs.get(first).detail == "no  server"


def test_of_many_that_start_the_next_job_one_does(tmp_path):
    """Each with connections of its own, as processes have."""
    path = tmp_path / "ctx.db"
    stores = [open_store(path) for _ in range(8)]
    for store in stores[:3]:
        add(store)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(
            lambda n: stores[n].jobs.claim_next("network", Process(n + 1, 1.0)), range(8)
        )
        claimed = [job for job in found if job]
    assert len(claimed) == 1 and claimed[0].id == 1
    assert [state(stores[0], i) for i in (1, 2, 3)] == ["running", "queued", "queued"]
    for store in stores:
        store.close()


def test_only_its_process_speaks_for_a_job(store):
    job_id = add(store)
    store.jobs.claim_next("network", ME)
    store.jobs.report(job_id, ME, 3, 10, {"tokens": 7})
    for act in (
        lambda: store.jobs.report(job_id, OTHER, 9, 9, {}),
        lambda: store.jobs.end(job_id, OTHER, "done"),
        lambda: store.jobs.set_paused(job_id, OTHER, True),
        lambda: store.jobs.asked(job_id, OTHER),
        lambda: store.jobs.take(job_id, OTHER, Process(5, 5.0)),
    ):
        assert refused(act) == "job_lost"
    assert not store.jobs.gone(job_id, OTHER)
    assert store.jobs.hand_over(job_id, ME, OTHER) and not store.jobs.hand_over(job_id, ME, OTHER)
    assert refused(lambda: store.jobs.report(job_id, ME, 1, 1, {})) == "job_lost"
    job = store.jobs.get(job_id)
    assert (job.done, job.total, job.figures, job.process) == (3, 10, {"tokens": 7}, OTHER)


@pytest.mark.parametrize(
    "wish, after",
    [("stop", "stopped"), ("cancel", "cancelled"), ("pause", None), ("resume", None)],
)
def test_a_queued_job_that_nobody_has(store, wish, after):
    job_id = add(store)
    if after is None:
        assert refused(lambda: store.jobs.ask(job_id, wish)) == "job_state"
    else:
        assert store.jobs.ask(job_id, wish).state == after
        assert store.jobs.claim_next("network", ME) is None


def test_a_running_job_is_asked_and_answers_itself(store):
    job_id = add(store)
    store.jobs.claim_next("network", ME)
    for wish, asked in (("pause", "pause"), ("resume", ""), ("stop", "stop"), ("cancel", "cancel")):
        assert store.jobs.ask(job_id, wish).state == "running"
        assert store.jobs.asked(job_id, ME) == asked
    assert store.jobs.ask(job_id, "stop").asked == "cancel", "what is to be discarded is not saved"
    assert refused(lambda: store.jobs.ask(job_id, "resume")) == "job_state"
    store.jobs.end(job_id, ME, "cancelled")
    assert refused(lambda: store.jobs.ask(job_id, "resume")) == "job_state"


@pytest.mark.parametrize(
    "wish, after", [(None, "interrupted"), ("stop", "stopped"), ("cancel", "cancelled")]
)
def test_a_job_whose_process_is_gone(store, wish, after):
    job_id = add(store)
    store.jobs.claim_next("network", ME)
    if wish:
        store.jobs.ask(job_id, wish)
    assert store.jobs.gone(job_id, ME) and not store.jobs.gone(job_id, ME)
    assert state(store, job_id) == after


def test_resumed_jobs_go_last_in_the_queue(store):
    first, second = add(store), add(store)
    store.jobs.claim_next("network", ME)
    store.jobs.end(first, ME, "failed", "down", "why")
    job = store.jobs.ask(first, "resume")
    assert (job.state, job.place, job.error, job.detail, job.ended) == ("queued", 2, "", "", None)
    assert store.jobs.claim_next("network", ME).id == second
    store.jobs.end(second, ME, "done")
    assert refused(lambda: store.jobs.ask(second, "resume")) == "job_state"
    assert store.jobs.claim_next("network", OTHER).id == first


def test_what_is_kept_of_numbers_and_names(store):
    assert store.jobs.add("teacher", "network", {}, above=40) == 41
    assert store.jobs.add("teacher", "network", {}, above=3) == 42
    assert refused(lambda: store.jobs.add("teacher", "gpu", {})) == "unknown_value"
    assert refused(lambda: store.jobs.get(7)) == "unknown_value"
    assert refused(lambda: store.jobs.ask(41, "explode")) == "unknown_value"
    big = {"x": "y" * 200_000}
    assert refused(lambda: store.jobs.add("teacher", "network", big)) == "too_long"
    with (
        pytest.raises(sqlite3.IntegrityError, match="never deleted"),
        store._connections.write() as db,
    ):
        db.execute("DELETE FROM job")


def test_pages_of_jobs(store):
    ids = [add(store) for _ in range(5)]
    store.jobs.claim_next("network", ME)
    assert [j.id for j in store.jobs.list_jobs(limit=2)] == [ids[4], ids[3]]
    assert [j.id for j in store.jobs.list_jobs(before=ids[2])] == [ids[1], ids[0]]
    assert [j.id for j in store.jobs.list_jobs(("running",))] == [ids[0]]
