"""Words of further pairs: each pair's adapter over one base, and the lookup in front of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine import beside, catalogue
from engine.adapters import linear_sizes, merged_copy
from engine.beside import PairEngines
from engine.books import Books
from engine.branches import Runner
from engine.bringing import bring_adapter
from engine.checking import BaseShape
from engine.decoding import SenseDecoder
from engine.lookup import Lookup
from engine.prompt import SensePrompt
from engine.residents import Residents
from engine.sense import Query, QueryError
from engine.settings import Settings
from engine.translations import Translations
from engine.views import views
from tests.made_adapters import make_adapter
from tests.tiny import tiny_base
from tests.unit.test_lookup import CountingEngine

GERMAN, ENGLISH = "Das Haus ist alt.", "The old house is here."
WORDS = {"task": "sense", "style": "last", "strength": 0.4}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch) -> Settings:
    (tmp_path / "app" / "adapters").mkdir(parents=True)
    monkeypatch.setattr(catalogue, "assets", lambda: tmp_path / "app")
    monkeypatch.setattr(beside, "_SECONDS", 0.0)
    return Settings(home=tmp_path / "home", base="somewhere/tiny")


class Pairs:
    """Two pairs' adapters, and how often the base was opened."""

    def __init__(self, settings: Settings, folder: Path):
        self.base, self.settings, self.opened = tiny_base(), settings, 0
        self.residents = Residents(self.base)
        self.shape = BaseShape("tiny", "0", linear_sizes(self.base.model))
        self.folder = folder
        self.entries = {p: self.bring(p, n) for n, p in enumerate(("de-en", "en-es"))}
        self.engines = PairEngines(settings, self.open)

    def bring(self, pair: str, seed: int):
        made = make_adapter(self.folder / f"{pair}{seed}", self.shape, seed, pair, **WORDS)
        return bring_adapter(made, self.settings.home, self.shape)

    def open(self) -> Residents:
        self.opened += 1
        return self.residents


@pytest.fixture
def pairs(settings: Settings, tmp_path: Path) -> Pairs:
    return Pairs(settings, tmp_path)


@pytest.mark.parametrize("pair, context", [("de-en", GERMAN), ("en-es", ENGLISH)])
def test_a_pair_is_answered_as_its_adapter_alone_answers(pairs, pair, context):
    entry, (view,) = pairs.entries[pair], views(context, pair)
    prompt = SensePrompt(pairs.base.tokenizer, language=pair[3:])
    alone = SenseDecoder(Runner(merged_copy(pairs.base, entry.adapter)), prompt, Books())
    engine = pairs.engines.open(pair)
    assert (engine.version, engine.title) == (entry.version, f"{pair}-sense")
    found = engine.answer(view)
    assert [a.sense for a in found] == [a.sense for a in alone.answer(view)]
    assert {a.engine for a in found} == {engine.id}


def test_nothing_is_loaded_before_somebody_asks(pairs):
    assert set(pairs.engines.pairs()) == {"de-en", "en-es"}
    assert pairs.engines.find("de-en") is None and pairs.opened == 0
    engine = pairs.engines.open("de-en")
    assert pairs.engines.find("de-en").id == engine.id
    assert pairs.engines.find("en-es").id != engine.id
    assert pairs.engines.find("en-hi") is None
    with pytest.raises(QueryError):
        pairs.engines.open("en-hi")


def test_readers_of_several_pairs_at_once_get_their_own(pairs):
    lookup = Lookup(lambda progress: CountingEngine())
    lookup.also(pairs.engines)
    assert lookup.pairs() == ("en-zh", "en-es", "de-en")
    lookup.start()

    async def ask():
        asked = [("de-en", GERMAN), ("en-es", ENGLISH), ("en-zh", ENGLISH)] * 3
        return await asyncio.gather(*(lookup.answers(text, pair) for pair, text in asked))

    german, spanish, chinese = (asyncio.run(ask())[n] for n in range(3))
    assert {a.engine for a in german} == {lookup.engine_of("de-en").id}
    assert {a.engine for a in spanish} == {lookup.engine_of("en-es").id}
    assert [a.sense.meaning for a in chinese] == ["The", "old", "house", "is", "here"]
    assert lookup.kept(GERMAN, "de-en") == german
    lookup.close()


def test_a_promoted_adapter_answers_from_the_next_question_on(pairs):
    lookup = Lookup(lambda progress: CountingEngine())
    lookup.also(pairs.engines)
    lookup.start()
    before = asyncio.run(lookup.answer(Query(GERMAN, 1, "de-en")))
    newer = pairs.bring("de-en", 7)  # of imported ones the last counts
    assert lookup.kept(GERMAN, "de-en") is None, "an answer belongs to one version"
    after = asyncio.run(lookup.answer(Query(GERMAN, 1, "de-en")))
    assert after.engine != before.engine and after.engine.endswith(newer.version)
    lookup.close()


def test_loaded_before_anybody_asks_and_given_back_between_two_questions(pairs):
    translations = Translations(pairs.settings, load=lambda settings: pairs.base)
    lookup = Lookup(lambda progress: CountingEngine())
    lookup.also(PairEngines(pairs.settings, translations.opened))
    lookup.start()
    adapter = pairs.entries["de-en"].adapter
    translations.load(adapter)
    (loaded,) = translations.loaded()
    assert (loaded.version, loaded.bytes, loaded.uses) == (adapter.version, adapter.needs, 1)
    assert lookup.last_used(adapter.version) is None
    first = asyncio.run(lookup.answers(GERMAN, "de-en"))
    (asked,) = translations.loaded()
    assert asked.uses > 1 and asked.seconds == loaded.seconds, "it was not loaded again"
    used = lookup.last_used(adapter.version)
    assert used and lookup.kept(GERMAN, "de-en") == first
    assert lookup.last_used(adapter.version) > used, "what is kept is an answer of it, too"
    assert translations.unload(adapter.version) and translations.loaded() == ()
    lookup.forget([GERMAN])
    assert asyncio.run(lookup.answers(GERMAN, "de-en")) == first
    assert [one.version for one in translations.loaded()] == [adapter.version]
    for service in (lookup, translations):
        service.close()


def test_a_pair_without_an_adapter_is_refused(pairs):
    lookup = Lookup(lambda progress: CountingEngine())
    for context in (lookup.kept, lambda *asked: asyncio.run(lookup.answers(*asked))):
        with pytest.raises(QueryError) as error:
            context(GERMAN, "de-en")
        assert error.value.code == "unknown_pair"
    assert lookup.engine_of("de-en") is None
