"""Sentences for several readers at once: nobody gets another's language, words go first, answers
belong to one adapter version, and whoever leaves stops his own alone. A tiny real model writes."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.adapters import linear_sizes, open_adapter
from engine.catalogue import readers_adapter
from engine.checking import BaseShape, read_adapter
from engine.lookup import LookupFailed, Status
from engine.models import Base, BaseError
from engine.present import Pointer, write_pointers
from engine.sense import QueryError
from engine.settings import Settings
from engine.translation import TranslationPrompt, write
from engine.translations import Translations
from tests.made_adapters import make_adapter
from tests.tiny import tiny_base, tiny_tokenizer

PAIRS = ("en-es", "de-en", "en-hi")
SENTENCE = "I call the dog."
MOST = 12  # tokens of an answer


def ending_base() -> Base:
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = "<pad>"
    return tiny_base(tokenizer, "1")


@pytest.fixture(scope="module")
def shape() -> BaseShape:
    return BaseShape("tiny", "1", linear_sizes(ending_base().model))


@pytest.fixture
def settings(tmp_path, shape) -> Settings:
    """A home with an adapter for each pair, and another version of the first."""
    for number, pair in enumerate(PAIRS):
        add(tmp_path / "home", shape, pair, 37 + number, imported=True)
    add(tmp_path / "home", shape, PAIRS[0], 99)
    return Settings(home=tmp_path / "home", base="somewhere/tiny")


def add(home: Path, shape: BaseShape, pair: str, seed: int, imported: bool = False) -> Path:
    folder = home / "adapters" / f"{pair}-translation" / str(seed)
    make_adapter(folder, shape, seed, pair, strength=0.2)
    if imported:
        (folder / "imported.json").write_text("{}")
    return folder


class Loads:
    """Gives the base and counts; `gate` holds loading up."""

    def __init__(self):
        self.count, self.error, self.gate = 0, None, threading.Event()
        self.gate.set()

    def __call__(self, settings: Settings) -> Base:
        self.count += 1
        self.gate.wait()
        if self.error:
            raise self.error
        return ending_base()


class FakeWords:
    """A lookup that is busy from the `busy_at`-th time that it is asked, until `free` is set."""

    def __init__(self):
        self.state, self.free, self.asked, self.busy_at = "ready", threading.Event(), 0, 0

    def status(self) -> Status:
        return Status(self.state)

    def until_quiet(self) -> None:
        self.asked += 1
        if self.asked == self.busy_at:
            self.free.wait()


@pytest.fixture
def loads() -> Loads:
    return Loads()


@pytest.fixture
def words() -> FakeWords:
    return FakeWords()


@pytest.fixture
def service(settings, loads, words):
    service = Translations(settings, words, loads, most=MOST)
    yield service
    loads.gate.set()
    words.free.set()
    service.close()


def alone(settings: Settings, pair: str, sentence: str = SENTENCE) -> list[str]:
    """What PEFT with this adapter alone writes, as it grows."""
    base, entry = ending_base(), readers_adapter(settings, pair, "translation")
    model = open_adapter(ending_base().model, entry.adapter, base, "alone").eval()
    return list(write(model, TranslationPrompt(base.tokenizer), sentence, pair, MOST))


async def read(service, pair: str, sentence: str = SENTENCE, reader: str = "") -> list[str]:
    return [text async for text in service.stream(sentence, pair, reader)]


async def makers(service, pair: str) -> list[tuple[str, str]]:
    """Who is said to have written it."""
    told: list[tuple[str, str]] = []
    async for _ in service.stream(SENTENCE, pair, by=lambda *one: told.append(one)):
        assert told
    return told


async def until(good: Callable[[], object]) -> None:
    while not good():
        await asyncio.sleep(0.005)


def refusal(error: pytest.ExceptionInfo) -> str:
    return error.value.code


def test_pairs_are_those_that_have_an_adapter_for_this_base(service, settings, shape):
    assert service.pairs() == ("en-es", "de-en", "en-hi")
    add(settings.home, BaseShape("wide", "1", shape.matrices), "en-ta", 5, imported=True)
    assert "en-ta" not in service.pairs()
    add(settings.home, shape, "en-ta", 6, imported=True)  # a new pair is one more folder
    assert service.pairs()[-1] == "en-ta"


def test_what_is_streamed_is_what_the_adapter_writes_alone(service, settings):
    for pair in PAIRS:
        wanted = alone(settings, pair)
        grown = asyncio.run(read(service, pair))
        assert grown == wanted and len(grown) > 3
        assert all(b.startswith(a) for a, b in zip(grown, grown[1:]))
    assert len({tuple(alone(settings, pair)) for pair in PAIRS}) == 3


def test_readers_in_several_pairs_at_once_never_get_each_others_language(service, settings):
    sentences = [f"I call the dog {letter}." for letter in "abcdef"]
    wanted = {(p, s): alone(settings, p, s)[-1] for p in PAIRS for s in sentences}

    async def all_of_them():
        asked = [(pair, text) for text in sentences for pair in PAIRS]
        tasks = [read(service, pair, text, f"{pair}{n}") for n, (pair, text) in enumerate(asked)]
        return asked, await asyncio.gather(*tasks)

    asked, found = asyncio.run(all_of_them())
    for one, grown in zip(asked, found):
        assert grown[-1] == wanted[one]


def test_a_kept_answer_comes_at_once_and_belongs_to_one_version(service, settings, loads, shape):
    first = asyncio.run(read(service, "en-es"))
    assert asyncio.run(read(service, "en-es", f"  {SENTENCE}\n")) == [first[-1]]
    folder = settings.home / "adapters" / "en-es-translation" / "99"
    version = read_adapter(folder).version
    pointer = Pointer("run:1", version, folder.relative_to(settings.home).as_posix(), "mine")
    write_pointers(settings.home, {("en-es", "translation"): pointer})
    promoted = asyncio.run(read(service, "en-es"))
    assert asyncio.run(makers(service, "en-es")) == [("en-es-translation", version)]
    assert len(promoted) > 1 and promoted[-1] == alone(settings, "en-es")[-1] != first[-1]
    write_pointers(settings.home, {})
    assert asyncio.run(read(service, "en-es")) == [first[-1]] and loads.count == 1


def test_what_is_forgotten_is_not_kept_not_even_while_it_is_written(service, words):
    asyncio.run(read(service, "en-es"))
    service.forget([f" {SENTENCE} "])
    assert len(asyncio.run(read(service, "en-es"))) > 1

    async def forget_meanwhile():
        async for _ in service.stream("I call.", "en-es"):
            service.forget(["I call."])

    asyncio.run(forget_meanwhile())
    assert len(asyncio.run(read(service, "en-es", "I call."))) > 1


def test_a_word_waits_for_one_token_at_most(service, settings, words):
    words.busy_at = 3
    grown: list[str] = []

    async def click_meanwhile():
        task = asyncio.create_task(listen())
        await until(lambda: words.asked == 3 and grown)
        assert len(grown) <= 2, "a token after each time that no word waited"
        words.free.set()
        await task

    async def listen():
        async for text in service.stream(SENTENCE, "en-es"):
            grown.append(text)

    asyncio.run(click_meanwhile())
    assert grown == alone(settings, "en-es") and words.asked >= len(grown) > 2


def test_who_leaves_stops_his_own_alone(service, settings, words):
    words.busy_at = 4

    async def leave():
        stream = service.stream(SENTENCE, "en-es")
        other = asyncio.create_task(read(service, "de-en"))
        await anext(stream)
        await stream.aclose()
        words.free.set()
        return await other

    assert asyncio.run(leave())[-1] == alone(settings, "de-en")[-1]
    assert asyncio.run(read(service, "en-es")) == alone(settings, "en-es")  # was not kept half


def test_a_cancelled_task_frees_its_place(service, loads):
    async def cancel():
        loads.gate.clear()
        begun = asyncio.create_task(read(service, "en-es", "I call a.", "one"))
        await until(lambda: loads.count)
        waiting = asyncio.create_task(read(service, "en-es", "I call b.", "one"))
        await until(lambda: service._waiting)
        for task in (begun, waiting):
            task.cancel()
        loads.gate.set()
        return await read(service, "en-es", "I call c.", "one")

    assert asyncio.run(cancel())


def test_too_many_are_refused_and_the_others_answered(service, loads):
    async def flood():
        loads.gate.clear()
        first = asyncio.create_task(read(service, "en-es"))
        await until(lambda: loads.count)
        readers = [f"r{n // 2}" for n in range(60)]
        tasks = [
            asyncio.create_task(read(service, "en-es", f"I call {n}.", reader))
            for n, reader in enumerate(readers)
        ]
        mine = [asyncio.create_task(read(service, "en-hi", f"I {n}.", "me")) for n in range(8)]
        await until(lambda: sum(task.done() for task in (*tasks, *mine)) == 68 - 32)
        loads.gate.set()
        return await asyncio.gather(first, *tasks, *mine, return_exceptions=True)

    found = asyncio.run(flood())
    refused = [one for one in found if isinstance(one, LookupFailed)]
    assert {one.code for one in refused} == {"busy"}
    assert len(found) - len(refused) == 1 + 32 and isinstance(found[0], list)


def test_one_reader_cannot_fill_the_queue(service, loads):
    async def fill():
        loads.gate.clear()
        await_first = asyncio.create_task(read(service, "en-es", "I.", "other"))
        await until(lambda: loads.count)
        tasks = [
            asyncio.create_task(read(service, "en-es", f"I call {n}.", "greedy")) for n in range(9)
        ]
        await until(lambda: sum(task.done() for task in tasks) == 5)
        another = asyncio.create_task(read(service, "de-en", SENTENCE, "another"))
        await until(lambda: another.done() or len(service._waiting) == 5)
        loads.gate.set()
        await await_first
        return await another, await asyncio.gather(*tasks, return_exceptions=True)

    another, mine = asyncio.run(fill())
    assert another and sum(isinstance(one, LookupFailed) for one in mine) == 5


@pytest.mark.parametrize("pair", ["en-zh", "xx-yy", "", "../..", "en-es-translation"])
def test_an_unknown_pair_is_said(service, pair):
    with pytest.raises(QueryError) as error:
        asyncio.run(read(service, pair))
    assert refusal(error) == "unknown_pair"


def test_a_sentence_that_is_none_is_said(service):
    for text, code in (
        (" ", "no_context"),
        ("a\x00b", "control_characters"),
        ("a" * 10_001, "context_too_long"),
    ):
        with pytest.raises(QueryError) as error:
            asyncio.run(read(service, "en-es", text))
        assert refusal(error) == code


def test_before_the_readers_model_is_there_nothing_is_loaded(service, words, loads):
    words.state = "converting"
    with pytest.raises(LookupFailed) as error:
        asyncio.run(read(service, "en-es"))
    assert refusal(error) == "not_ready" and loads.count == 0


def test_a_base_that_cannot_be_loaded_is_said_and_tried_again(service, loads):
    loads.error = BaseError("memory", "it does not fit")
    for _ in range(2):
        with pytest.raises(LookupFailed, match="it does not fit") as error:
            asyncio.run(read(service, "en-es"))
        assert refusal(error) == "failed"
    loads.error = None
    assert asyncio.run(read(service, "en-es")) and loads.count == 3


def test_an_adapter_that_is_refused_takes_nobody_elses_answer(service, settings, loads):
    folder = settings.home / "adapters" / "de-en-translation" / "38"
    entry = readers_adapter(settings, "de-en", "translation")
    config = json.loads((folder / "adapter_config.json").read_text())

    async def both():
        loads.gate.clear()
        first = asyncio.create_task(read(service, "en-hi", "I."))
        await until(lambda: loads.count)
        tasks = [asyncio.create_task(read(service, pair)) for pair in ("en-es", "de-en")]
        await until(lambda: len(service._waiting) == 2)
        assert entry.version  # checked, and exchanged before it is loaded
        (folder / "adapter_config.json").write_text(json.dumps(config | {"lora_alpha": 9}))
        loads.gate.set()
        await first
        return await asyncio.gather(*tasks, return_exceptions=True)

    good, bad = asyncio.run(both())
    assert good[-1] == alone(settings, "en-es")[-1]
    assert isinstance(bad, LookupFailed) and "changed" in str(bad)


def test_the_base_is_loaded_late_and_given_back_when_nobody_asks(settings, loads):
    service = Translations(settings, None, loads, most=MOST, idle=0.1, most_kept=0)
    assert service.base_bytes() == 0 and service.loaded() == () and loads.count == 0
    before = asyncio.run(read(service, "en-es"))
    (one,) = service.loaded() or (None,)
    assert one is None or (one.pair, one.uses > 0) == ("en-es", True)
    end = time.monotonic() + 60
    while service.base_bytes() and time.monotonic() < end:
        time.sleep(0.02)
    assert service.base_bytes() == 0 and service.loaded() == ()
    assert asyncio.run(read(service, "en-es")) == before and loads.count == 2
    service.close()


def test_one_can_be_unloaded_and_comes_back(settings, loads):
    service = Translations(settings, None, loads, most=MOST, most_kept=0)
    before = asyncio.run(read(service, "en-es"))
    (one,) = service.loaded()
    assert one.bytes > 0 and service.unload(one.version) and service.loaded() == ()
    assert asyncio.run(read(service, "en-es")) == before
    service.close()


def test_closing_tells_whoever_waits(service, loads, words):
    async def wait():
        words.busy_at = 1
        task = asyncio.create_task(read(service, "en-es"))
        await until(lambda: words.asked)
        closing = asyncio.create_task(asyncio.to_thread(service.close))
        await until(lambda: service._closed)
        words.free.set()
        await closing
        return await task

    with pytest.raises(LookupFailed, match="closing"):
        asyncio.run(wait())
    with pytest.raises(LookupFailed):
        asyncio.run(read(service, "de-en"))
