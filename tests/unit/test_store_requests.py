"""Requests: which queries a job asks about, and that an answer is kept once, whole or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.store import Brought, Origin, Outcome, Process, Refused, Store, Wanted, open_store
from engine.sense import Phrase, Query, Sense, context_words

ME = Process(11, 1000.5)
CONTEXTS = ("They turned it down.", "Call me back.", "The bank is closed.")
SENSE = Sense("verb", "拒绝")
WANTED = Wanted("en-zh", "teacher", "big")
TOOK = Outcome(2, ("first", "second"), 100, 20, 1.5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An import for each context, all its words asked."""
    with open_store(tmp_path / "ctx.db") as store:
        for context in CONTEXTS:
            origin = Origin(context, "text")
            import_id = store.imports.begin(origin)
            queries = tuple(Query(context, i) for i in range(len(context_words(context))))
            store.imports.add(
                import_id, origin, [Brought(1, 0, context, context=context, queries=queries)]
            )
        yield store


def start(store: Store, wanted: Wanted = WANTED) -> int:
    job_id = store.jobs.add("teacher", "network", {})
    store.jobs.take(job_id, ME, None)
    store.requests.fill(job_id, ME, wanted)
    return job_id


def end(store: Store, job_id: int, state: str = "stopped") -> None:
    store.jobs.end(job_id, ME, state)


def refused(act) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def test_every_query_that_counts_is_asked_once_sentence_by_sentence(store):
    store.queries.add(Query("Nobody brought this.", 1))  # it counts by no import
    assert store.requests.count_wanted(WANTED) == 11
    job_id = start(store)
    asked = [one.query for one in store.requests.waiting(job_id)]
    assert asked == [Query(c, i) for c in CONTEXTS for i in range(len(context_words(c)))]
    store.requests.fill(job_id, ME, WANTED)
    assert store.requests.totals(job_id).total == 11


def test_of_one_import_or_so_many(store):
    only = Wanted("en-zh", "teacher", "big", import_id=2)
    assert {one.query.context for one in store.requests.waiting(start(store, only))} == {
        CONTEXTS[1]
    }
    assert store.requests.count_wanted(Wanted("en-zh", "teacher", "big", limit=4)) == 4
    store.imports.undo(2)
    assert store.requests.count_wanted(only) == 0


def test_what_this_one_answered_is_not_asked_again_and_others_answers_do_not_count(store):
    query = Query(CONTEXTS[0], 1)
    store.labels.add_label(query, SENSE, "teacher", "small", "proposed")
    store.labels.add_label(query, SENSE, "model", "big", "proposed")
    assert store.requests.count_wanted(WANTED) == 11
    store.labels.add_label(query, SENSE, "teacher", "big", "proposed")
    assert store.requests.count_wanted(WANTED) == 10
    store.labels.add_label(Query(CONTEXTS[1], 0), SENSE, "person", "Ann", "accepted")
    assert store.requests.count_wanted(Wanted("en-zh", "teacher", "x", only_open=True)) == 10


def test_an_answer_is_a_label_and_the_end_of_its_request(store):
    job_id = start(store)
    request = store.requests.waiting(job_id)[1]
    sense = Sense("verb", "转", Phrase((1, 3), "拒绝"))
    store.requests.answer(job_id, ME, request, sense, WANTED, TOOK, 0.25)
    (label,) = store.labels.history(request.query)
    assert (label.sense, label.source, label.who) == (sense, "teacher", "big")
    assert (label.status, label.confidence) == ("proposed", 0.25)
    (ended,) = store.requests.list_requests(job_id, "answered")
    assert (ended.number, ended.outcome, ended.label_id) == (request.number, TOOK, label.id)
    totals = store.requests.totals(job_id)
    assert (totals.answered, totals.waiting, totals.asked_again) == (1, 10, 1)
    assert (totals.tokens_in, totals.tokens_out, totals.seconds) == (100, 20, 1.5)


def test_nothing_is_kept_twice(store):
    job_id = start(store)
    request = store.requests.waiting(job_id)[0]
    keep = lambda: store.requests.answer(job_id, ME, request, SENSE, WANTED, TOOK)  # noqa: E731
    keep()
    assert refused(keep) == "request_over"
    aside = lambda: store.requests.set_aside(job_id, ME, request, "why", TOOK)  # noqa: E731
    assert refused(aside) == "request_over"
    assert len(store.labels.history(request.query)) == 1


def test_nothing_is_kept_by_a_process_that_lost_the_job(store):
    job_id = start(store)
    request = store.requests.waiting(job_id)[0]
    store.jobs.gone(job_id, ME)
    keep = lambda: store.requests.answer(job_id, ME, request, SENSE, WANTED, TOOK)  # noqa: E731
    assert refused(keep) == "job_lost"
    assert store.labels.history(request.query) == ()


def test_an_answer_that_cannot_be_kept_changes_nothing(store):
    job_id = start(store)
    request = store.requests.waiting(job_id)[0]
    bad = Sense("verb", "拒\x00绝")
    keep = lambda: store.requests.answer(job_id, ME, request, bad, WANTED, TOOK)  # noqa: E731
    assert refused(keep) == "control_characters"
    assert store.requests.totals(job_id).waiting == 11


def test_what_is_set_aside_keeps_its_reason_and_texts_and_can_be_asked_again(store):
    job_id = start(store)
    requests = store.requests.waiting(job_id)
    for request in requests[:3]:
        store.requests.set_aside(job_id, ME, request, "no\nChinese " + "x" * 5000, TOOK)
    aside = store.requests.list_requests(job_id, "set_aside")
    assert [one.number for one in aside] == [1, 2, 3]
    assert aside[0].reason.startswith("no Chinese") and len(aside[0].reason) == 1000
    assert aside[0].outcome == TOOK
    for request in requests[3:]:
        store.requests.answer(job_id, ME, request, SENSE, WANTED, TOOK)
    end(store, job_id, "done")
    assert refused(lambda: store.jobs.ask(job_id, "resume")) == "job_state"
    assert store.requests.ask_again(job_id, [2]) == 1
    assert store.jobs.ask(job_id, "resume").state == "queued"
    assert [one.number for one in store.requests.waiting(job_id)] == [2]


def test_what_another_job_answered_meanwhile_is_known(store):
    first = start(store, Wanted("en-zh", "teacher", "big", import_id=1))
    end(store, first)
    second = start(store)
    for request in store.requests.waiting(second)[:2]:
        store.requests.answer(second, ME, request, SENSE, WANTED, TOOK)
    end(store, second)
    store.jobs.take(first, ME, None)
    store.requests.fill(first, ME, WANTED)
    totals = store.requests.totals(first)
    assert (totals.known, totals.waiting, totals.answered) == (2, 2, 0)


def test_a_cancelled_job_forgets_what_it_did_not_ask(store):
    job_id = start(store)
    request = store.requests.waiting(job_id)[0]
    store.requests.answer(job_id, ME, request, SENSE, WANTED, TOOK)
    end(store, job_id, "cancelled")
    assert store.requests.totals(job_id).total == 1
    assert len(store.labels.history(request.query)) == 1


def test_what_is_no_query_is_asked_in_order(store):
    job_id = store.jobs.add("sentences", "network", {})
    store.jobs.take(job_id, ME, None)
    for _ in range(2):
        store.requests.fill_asked(job_id, ME, [{"word": "bank"}, {"word": "岸"}])
    asked = store.requests.waiting(job_id)
    assert [(one.number, one.query, one.asked["word"]) for one in asked] == [
        (1, None, "bank"),
        (2, None, "岸"),
    ]
