"""What one person accepts helps the next reader in other sentences, at once and after a restart."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from db.store import Store, open_store
from engine.lookup import Lookup
from engine.people import People
from engine.phrasebook import Known
from engine.sense import Answer, Phrase, Query, Sense
from engine.views import View, views

LABELLED = Query("They turned down his offer.", 1)
OTHERS = "She turns my idea down, of course."
PLAIN = "The bank is here."
REJECT = Phrase((1, 2), "拒绝")


class PhraseEngine:
    """Gives people's phrases their first meaning, and knows no others."""

    id, detail = "phrases@1", "an engine that believes people"
    title, version, form = "phrases", "1", ""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = threading.Event()
        self.go.set()

    def answer(self, view: View, people: dict) -> tuple[Answer, ...]:
        self.asked.append(view.text)
        self.go.wait(10)
        phrases = {
            i + view.offset: Phrase(members, known[0].meaning, known[0].source).shifted(view.offset)
            for members, known in people.items()
            for i in members
        }
        return tuple(
            Answer(Sense("noun", "义", phrases.get(i)), engine=self.id) for i in view.asked
        )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "ctx.db") as store:
        yield store


@contextmanager
def looking_up(store: Store) -> Iterator[tuple[Callable[[str, int], Answer], PhraseEngine, Lookup]]:
    """A lookup that has just started: how to ask it, its engine and itself."""
    engine = PhraseEngine()
    lookup = Lookup(lambda progress: engine, store.answers, store.labels)
    lookup.start()
    try:
        yield (lambda *asked: asyncio.run(lookup.answer(Query(*asked)))), engine, lookup
    finally:
        engine.go.set()
        lookup.close()


def decide(store: Store, phrase: Phrase | None, status: str = "accepted", query=LABELLED) -> None:
    store.labels.add_label(query, Sense("verb", "转", phrase), "person", "Ann", status)


def test_a_correction_helps_in_other_sentences_at_once(store: Store) -> None:
    with looking_up(store) as (ask, engine, lookup):
        assert ask(OTHERS, 1).sense.phrase is None
        decide(store, REJECT)
        assert lookup.kept(OTHERS) is None
        for position in (1, 4):
            answer = ask(OTHERS, position)
            assert answer.source == "model"
            assert answer.sense.phrase == Phrase((1, 4), "拒绝", "person")
        assert engine.asked == [OTHERS, OTHERS]
        assert [a.sense.phrase is None for a in lookup.kept(OTHERS)] == [1, 0, 1, 1, 0, 1, 1]


def test_answers_without_the_phrase_stay_kept(store: Store) -> None:
    with looking_up(store) as (ask, _, _):
        before = ask(PLAIN, 1)
    decide(store, REJECT)
    with looking_up(store) as (ask, engine, _):
        assert ask(PLAIN, 1) == before
        ask(OTHERS, 1)
        decide(store, Phrase((1, 2), "回绝"))
        assert ask(PLAIN, 1) == before
        assert ask(OTHERS, 1).sense.phrase.meaning == "回绝"
        assert engine.asked == [OTHERS, OTHERS]


@pytest.mark.parametrize("undo", [(REJECT, "rejected"), (None, "accepted")])
def test_a_correction_that_is_taken_back_brings_the_old_answer_back(store: Store, undo) -> None:
    with looking_up(store) as (ask, engine, _):
        before = ask(OTHERS, 1)
        decide(store, REJECT)
        assert ask(OTHERS, 1) != before
        decide(store, *undo)
        assert ask(OTHERS, 1) == before
        assert engine.asked == [OTHERS, OTHERS]
    with looking_up(store) as (ask, engine, _):
        assert ask(OTHERS, 1) == before and engine.asked == []


def test_a_correction_outlives_a_restart(tmp_path: Path) -> None:
    with open_store(tmp_path / "ctx.db") as store, looking_up(store) as (ask, _, _):
        decide(store, REJECT)
        decide(store, Phrase((0, 2), "想出"), query=Query("Dream it up.", 0))
        corrected = ask(OTHERS, 1)
    with open_store(tmp_path / "ctx.db") as store, looking_up(store) as (ask, engine, _):
        assert ask(OTHERS, 1) == corrected and engine.asked == []
        assert ask("Who dreamed that up?", 3).sense.phrase == Phrase((1, 3), "想出", "person")


def test_proposals_and_other_pairs_change_nothing(store: Store) -> None:
    with looking_up(store) as (ask, engine, _):
        before = ask(OTHERS, 1)
        decide(store, REJECT, "proposed")
        sense = Sense("verb", "转", REJECT)
        store.labels.add_label(LABELLED, sense, "teacher", "T", "accepted")
        decide(store, REJECT, query=Query(LABELLED.context, 1, "en-de"))
        assert ask(OTHERS, 1) == before and engine.asked == [OTHERS]


def test_who_asks_after_a_decision_gets_it_even_if_the_old_answer_is_on_its_way(store) -> None:
    async def click(lookup: Lookup, engine: PhraseEngine) -> Answer:
        engine.go.clear()
        first = asyncio.create_task(lookup.answer(Query(OTHERS, 1)))
        while not engine.asked:
            await asyncio.sleep(0.005)
        decide(store, REJECT)
        second = asyncio.create_task(lookup.answer(Query(OTHERS, 1)))
        await asyncio.sleep(0.05)
        engine.go.set()
        assert await first == await second
        return await second

    with looking_up(store) as (_, engine, lookup):
        assert asyncio.run(click(lookup, engine)).sense.phrase == Phrase((1, 4), "拒绝", "person")
        decide(store, REJECT, "rejected")
        assert [a.sense.phrase for a in lookup.kept(OTHERS)] == [None] * 7


def test_forgetting_a_text_takes_its_answers_with_peoples_phrases_too(store: Store) -> None:
    with looking_up(store) as (ask, _, lookup):
        ask(OTHERS, 1)
        decide(store, REJECT)
        ask(OTHERS, 1)
        lookup.forget([OTHERS])
        assert lookup.kept(OTHERS) is None
    with store._connections.read() as db:
        assert db.execute("SELECT count(*) FROM kept_context").fetchone() == (0,)


def test_a_sentence_of_several_views_gets_it_in_each(store: Store) -> None:
    long = " ".join(["She turned it down, I know,"] * 20)
    with looking_up(store) as (ask, engine, lookup):
        decide(store, REJECT)
        ask(long, 0)
        answers = asyncio.run(lookup.answers(long))
        assert len(engine.asked) == len(views(long, "en-zh")) > 1
        assert sum(a.sense.phrase is not None for a in answers) >= 30


def test_threads_agree_on_the_newest_phrases(store: Store) -> None:
    people, cut = People(store.labels), views(OTHERS, "en-zh")

    def read() -> None:
        for _ in range(50):
            people.find("en-zh", cut)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for meaning in ("一", "二", "三", "四"):
        decide(store, Phrase((1, 2), meaning))
        assert people.find("en-zh", cut) == ({(1, 4): (Known(meaning, "person"),)},)
    for reader in readers:
        reader.join()
    assert people.find("en-zh", cut) == ({(1, 4): (Known("四", "person"),)},)
