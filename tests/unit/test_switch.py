"""Another engine in the place of the one that answers: nobody waits for nothing, and no answer of
the old one is shown as the new one's.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from engine.lookup import Lookup, LookupFailed
from engine.sense import Answer, Query, Sense

CONTEXT = "I call you back."
LONG = " ".join(["long"] * 130)  # more than one view


class Told:
    """Answers every word with its own name; can be held up."""

    def __init__(self, name: str):
        self.id = self.title = self.version = name
        self.detail, self.form = f"an engine called {name}", ""
        self.asked: list[str] = []
        self.go, self.begun = threading.Event(), threading.Event()
        self.go.set()

    def answer(self, view, people) -> tuple[Answer, ...]:
        self.asked.append(view.text)
        self.begun.set()
        self.go.wait(10)
        return tuple(Answer(Sense("noun", self.id), engine=self.id) for _ in view.asked)


@pytest.fixture
def old() -> Told:
    return Told("old")


@pytest.fixture
def lookup(old: Told) -> Iterator[Lookup]:
    service = Lookup(lambda progress: old)
    service.start()
    until(lambda: service.status().state == "ready")
    yield service
    old.go.set()
    service.close()


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def ask(lookup: Lookup, context: str = CONTEXT) -> str:
    return asyncio.run(lookup.answer(Query(context, 0))).sense.meaning


def test_the_new_one_answers_what_the_old_one_answered(lookup: Lookup, old: Told) -> None:
    assert ask(lookup) == "old"
    new = Told("new")
    lookup.switch(lambda progress: new).join(10)
    status = lookup.status()
    assert (status.state, status.version, status.detail) == ("ready", "new", new.detail)
    assert lookup.kept(CONTEXT) is None
    assert ask(lookup) == "new" and new.asked == [CONTEXT]
    lookup.switch(lambda progress: old).join(10)
    assert ask(lookup) == "old" and old.asked == [CONTEXT], "its answers were kept"


def test_the_old_one_answers_while_the_new_one_loads(lookup: Lookup) -> None:
    loading = threading.Event()

    def load(progress):
        assert loading.wait(10)
        return Told("new")

    switched = lookup.switch(load)
    assert ask(lookup) == "old" and lookup.status().state == "ready"
    loading.set()
    switched.join(10)
    assert ask(lookup) == "new"


def test_one_that_cannot_load_changes_nothing_and_is_told(lookup: Lookup) -> None:
    def load(progress):
        raise RuntimeError("weights are torn")

    lookup.switch(load).join(10)
    status = lookup.status()
    assert (status.state, status.version, status.error) == ("ready", "old", "weights are torn")
    assert ask(lookup) == "old"
    lookup.switch(lambda progress: Told("new")).join(10)
    assert lookup.status().error == "" and ask(lookup) == "new"


def test_who_waits_during_the_change_gets_the_new_ones_answer(lookup: Lookup, old: Told) -> None:
    old.go.clear()
    got: list[str] = []
    asking = threading.Thread(target=lambda: got.append(ask(lookup)))
    asking.start()
    assert old.begun.wait(10)
    switched = lookup.switch(lambda progress: Told("new"))
    until(lambda: lookup._next_engine)
    assert lookup.status().version == "old", "the unit at hand is finished first"
    old.go.set()
    asking.join(10)
    switched.join(10)
    # The old one's answer may still come where the change is a moment later than the reply.
    assert got in (["new"], ["old"])
    assert lookup.kept(CONTEXT) is None or ask(lookup) == "new"
    assert ask(lookup) == "new"


def test_all_words_of_a_context_are_one_engines(lookup: Lookup, old: Told) -> None:
    old.go.clear()
    new = Told("new")

    async def both():
        asked = asyncio.create_task(lookup.answers(LONG))
        await asyncio.to_thread(old.begun.wait, 10)
        switched = lookup.switch(lambda progress: new)
        await asyncio.to_thread(until, lambda: lookup._next_engine)
        old.go.set()
        answers = await asked
        await asyncio.to_thread(switched.join, 10)
        return answers

    answers = asyncio.run(both())
    assert len(answers) == 130 and {a.engine for a in answers} == {"new"}


def test_look_ahead_goes_on_with_the_new_one(lookup: Lookup, old: Told) -> None:
    contexts = [f"Sentence number {n} is here." for n in range(5)]
    old.go.clear()
    lookup.look_ahead("reader", contexts)
    assert old.begun.wait(10)
    new = Told("new")
    switched = lookup.switch(lambda progress: new)
    until(lambda: lookup._next_engine)
    old.go.set()
    switched.join(10)
    until(lambda: contexts[4] in new.asked)
    assert old.asked == contexts[:1] and lookup.kept(contexts[0]) is None
    assert {a.engine for a in lookup.kept(contexts[4]) or ()} == {"new"}


def test_the_last_of_several_comes(lookup: Lookup) -> None:
    first = threading.Event()

    def slow(progress):
        assert first.wait(10)
        return Told("first")

    threads = [lookup.switch(slow), lookup.switch(lambda progress: Told("last"))]
    first.set()
    for thread in threads:
        thread.join(10)
    assert lookup.status().version == "last" and ask(lookup) == "last"


def test_one_that_loads_mends_a_start_that_failed() -> None:
    def load(progress):
        raise RuntimeError("no weights here")

    service = Lookup(load)
    service.start()
    until(lambda: service.status().state == "failed")
    with pytest.raises(LookupFailed):
        ask(service)
    service.switch(lambda progress: Told("new")).join(10)
    assert service.status().state == "ready" and ask(service) == "new"
    service.close()


def test_a_switch_that_begins_before_the_first_engine_is_there_comes_after_it() -> None:
    go = threading.Event()

    def load(progress):
        assert go.wait(10)
        return Told("first")

    service = Lookup(load)
    service.start()
    switched = service.switch(lambda progress: Told("second"))
    go.set()
    switched.join(10)
    assert service.status().version == "second"
    service.close()


def test_closing_ends_a_switch_that_waits() -> None:
    service = Lookup(lambda progress: Told("never"))  # never started
    switched = service.switch(lambda progress: Told("new"))
    service.close()
    switched.join(10)
    assert not switched.is_alive()
