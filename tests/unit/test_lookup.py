"""The lookup service over an engine that counts: order, sharing, keeping, look-ahead, failure."""

import asyncio
import random
import threading
import time

import pytest

from engine.lookup import Lookup, LookupFailed, level
from engine.sense import Answer, Phrase, Query, QueryError, Sense, context_words

CONTEXT = "I call you back."
OTHERS = [f"Sentence number {i} is here." for i in range(30)]


class CountingEngine:
    """Answers each word with its own number; can be held up and made to fail."""

    id, detail = "counting@1", "an engine that counts"
    title, version, form = "counting", "1", ""

    def __init__(self):
        self.asked = []
        self.go = threading.Event()
        self.go.set()

    def answer(self, view, people):
        self.go.wait(10)
        self.asked.append(view.text)
        if "fail" in view.text:
            raise RuntimeError("cannot")
        return tuple(
            Answer(Sense("noun", view.words[i - view.offset].text), engine=self.id)
            for i in view.asked
        )


class MemoryStore:
    def __init__(self):
        self.kept = {}

    def get(self, engine, pair, context):
        return dict(self.kept.get((engine, pair, context), {}))

    def put(self, engine, pair, context, answers):
        self.kept.setdefault((engine, pair, context), {}).update(answers)

    def forget(self, contexts):
        gone = [key for key in self.kept if key[2] in set(contexts)]
        for key in gone:
            del self.kept[key]
        return len(gone)


class Labels:
    """Accepted answers for words of any context, and no phrases."""

    def __init__(self):
        self.answers = {}

    def accepted(self, pair, context):
        return self.answers

    def phrases(self, pair):
        return ()

    def decided_since(self, moment):
        return moment, False


@pytest.fixture
def engine():
    return CountingEngine()


@pytest.fixture
def lookup(engine):
    service = Lookup(lambda progress: engine)
    service.start()
    yield service
    engine.go.set()
    service.close()


def ask_all(lookup, queries):
    async def gather():
        return await asyncio.gather(*(lookup.answer(q) for q in queries))

    return asyncio.run(gather())


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_clicks_on_one_sentence_ask_the_engine_once(lookup, engine):
    answers = ask_all(lookup, [Query(CONTEXT, i) for i in (3, 0, 2, 1, 3)])
    assert [a.sense.meaning for a in answers] == ["back", "I", "you", "call", "back"]
    assert engine.asked == [CONTEXT]


def test_the_order_of_asking_never_matters():
    contexts = [*OTHERS[:5], " ".join(["long"] * 130), CONTEXT]
    queries = [Query(c, i) for c in contexts for i in range(len(context_words(c)))]
    seen = []
    for seed in range(3):
        service = Lookup(lambda progress: CountingEngine())
        service.start()
        shuffled = random.Random(seed).sample(queries, len(queries))
        seen.append(dict(zip(shuffled, ask_all(service, shuffled))))
        service.close()
    assert seen[0] == seen[1] == seen[2]


def test_clicks_go_before_look_ahead(lookup, engine):
    engine.go.clear()
    lookup.look_ahead("reader", OTHERS)
    clicked = threading.Thread(target=ask_all, args=(lookup, [Query(CONTEXT, 0)]))
    clicked.start()
    until(lambda: lookup._waiting)
    engine.go.set()
    clicked.join()
    assert engine.asked.index(CONTEXT) <= 1


def test_readers_look_ahead_in_turns(lookup, engine):
    engine.go.clear()
    lookup.look_ahead("first", OTHERS[:10])
    lookup.look_ahead("second", OTHERS[10:20])
    engine.go.set()
    until(lambda: len(engine.asked) == 20)
    assert OTHERS[10] in engine.asked[:4]


def test_a_closed_page_is_not_looked_up(lookup, engine):
    engine.go.clear()
    lookup.look_ahead("reader", OTHERS)
    lookup.leave("reader")
    engine.go.set()
    ask_all(lookup, [Query(CONTEXT, 0)])
    assert len(engine.asked) <= 2  # at most the one already begun


def test_a_new_look_ahead_replaces_the_old_one(lookup, engine):
    engine.go.clear()
    lookup.look_ahead("reader", OTHERS[:10])
    lookup.look_ahead("reader", OTHERS[10:12])
    engine.go.set()
    until(lambda: OTHERS[11] in engine.asked)
    assert not set(OTHERS[1:10]) & set(engine.asked)


def test_answers_are_kept_for_one_engine_version_and_can_be_forgotten():
    store, first, second, other = MemoryStore(), *(CountingEngine() for _ in range(3))
    other.id = "counting@2"
    for engine, asked in ((first, 1), (second, 0), (other, 1)):
        service = Lookup(lambda progress, e=engine: e, store)
        service.start()
        ask_all(service, [Query(CONTEXT, 1)])
        assert len(engine.asked) == asked
        service.close()
    assert len(store.kept) == 2
    service = Lookup(lambda progress: other, store)
    service.start()
    service.forget([CONTEXT])
    assert not store.kept and service.kept(CONTEXT) is None
    ask_all(service, [Query(CONTEXT, 1)])
    assert len(other.asked) == 2
    service.close()


def test_a_persons_correction_is_shown_and_says_so(engine):
    phrase = Phrase((1, 3), "回电话")
    person = Answer(Sense("verb", "打电话", phrase), source="person", engine="Ann")
    labels = Labels()
    service = Lookup(lambda progress: engine, labels=labels)
    service.start()
    (before,) = ask_all(service, [Query(CONTEXT, 1)])
    labels.answers[1] = person
    after, member = ask_all(service, [Query(CONTEXT, 1), Query(CONTEXT, 3)])
    service.close()
    assert before.source == "model" and after == person and level(after) == "sure"
    assert member.sense.phrase == phrase and member.source == "model"


def test_one_failure_is_said_and_the_next_lookup_works(lookup):
    with pytest.raises(LookupFailed) as caught:
        ask_all(lookup, [Query("This will fail.", 0)])
    assert caught.value.code == "failed"
    assert ask_all(lookup, [Query(CONTEXT, 0)])


def test_a_model_that_cannot_load_fails_what_waits_and_says_why():
    def load(progress):
        progress("converting", 0.5)
        raise RuntimeError("no weights here")

    service = Lookup(load)
    service.start()
    with pytest.raises(LookupFailed, match="no weights here"):
        ask_all(service, [Query(CONTEXT, 0)])
    until(lambda: service.status().state == "failed")
    assert service.status().error == "no weights here"
    service.close()


def test_status_follows_the_loading():
    go = threading.Event()
    engine = CountingEngine()

    def load(progress):
        progress("converting", 0.25)
        go.wait(10)
        return engine

    service = Lookup(load)
    assert service.status().state == "starting"
    service.start()
    until(lambda: service.status().state == "converting")
    assert service.status().progress == 0.25
    go.set()
    until(lambda: service.status().state == "ready")
    assert service.status().detail == engine.detail
    service.close()


def test_too_many_waiting_are_refused(lookup, engine, monkeypatch):
    monkeypatch.setattr("engine.lookup._MOST_WAITING", 3)
    engine.go.clear()

    async def crowd():
        tasks = [asyncio.create_task(lookup.answer(Query(c, 0))) for c in OTHERS[:6]]
        await asyncio.sleep(0.2)
        engine.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(crowd())
    refused = [r for r in results if isinstance(r, LookupFailed)]
    assert refused and all(r.code == "busy" for r in refused) and len(refused) < 6


def test_a_reader_who_goes_away_takes_no_answer_from_others(lookup, engine):
    engine.go.clear()

    async def two():
        gone = asyncio.create_task(lookup.answer(Query(CONTEXT, 0)))
        stays = asyncio.create_task(lookup.answer(Query(CONTEXT, 1)))
        await asyncio.sleep(0.1)
        gone.cancel()
        engine.go.set()
        return await stays

    assert asyncio.run(two()).sense.meaning == "call"


def test_an_unknown_pair_is_refused(lookup):
    with pytest.raises(QueryError) as caught:
        ask_all(lookup, [Query(CONTEXT, 0, "xx-yy")])
    assert caught.value.code == "unknown_pair"
