"""A page follows the translation of one sentence, in its own pair, until it ends or is halted."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

import ui.read.translating
from engine.sense import Answer, Sense
from engine.settings import Settings
from tests.fake_engine import FakeLookup
from tests.fake_translations import PAIRS, WORDS, FakeTranslations
from ui.access import Access
from ui.desk import Reply
from ui.read.desk import Desk
from ui.services import Services

TEXT = "He came home. They will fail. We wait here."


class Page:
    """One reader's page on a desk."""

    def __init__(self, desk: Desk, reader: str = "r"):
        self._served, self._reader = desk.served(), reader
        self.version = ""

    async def ask(self, name: str, **asked: Any) -> Reply:
        return await self._served[name]({"reader": self._reader, "version": self.version, **asked})

    async def open(self, pair: str, text: str = TEXT) -> Reply:
        reply = await self.ask("open", text=text, pair=pair)
        self.version = reply.get("version", "")
        return reply

    async def read(self, sentence: int = 0) -> tuple[list[str], Reply]:
        """Every text that was shown, and the last reply."""
        shown: list[str] = []
        reply: Reply = {"step": 0, "done": False}
        while not reply.get("error") and not reply["done"]:
            reply = await self.ask("translate", sentence=sentence, step=reply["step"])
            shown.append(reply.get("text", ""))
        return shown, reply


def make(delay: float = 0.0, accepted: dict[int, Answer] | None = None) -> tuple[Desk, Any]:
    labels = SimpleNamespace(accepted=lambda pair, context: accepted or {})
    translations: Any = FakeTranslations(delay)
    lookup: Any = FakeLookup()
    store = SimpleNamespace(labels=labels)
    services = Services(Settings(), lookup, store, Access(False), translations=translations)
    return Desk(services), translations


def test_the_text_grows_until_it_is_done() -> None:
    desk, translations = make(0.01)

    async def run() -> None:
        page = Page(desk)
        await page.open("en-es")
        shown, last = await page.read()
        assert shown[-1] == "sí sí sí" and len(shown) > 1
        assert last["by"] == {"title": "fake-en-es", "version": "en-es-1"}
        assert (await page.ask("translate", sentence=0, step=0))["done"]  # known already
        assert translations.ended == ["done"]

    asyncio.run(run())


def test_a_text_is_by_the_adapter_that_wrote_it_whatever_was_promoted_meanwhile() -> None:
    desk, translations = make()
    translations.free = 1

    async def run() -> None:
        page = Page(desk)
        await page.open("en-es")
        reply = await page.ask("translate", sentence=0, step=0)
        assert reply["text"] == "sí" and reply["by"] is None
        translations.version, translations.free = 2, 9
        _, last = await page.read()
        assert last["by"] == {"title": "fake-en-es", "version": "en-es-1"}
        again = await page.ask("translate", sentence=0, step=0)
        assert again["by"]["version"] == "en-es-1"

    asyncio.run(run())


def test_readers_in_all_pairs_at_once_get_their_own_language() -> None:
    desk, _ = make(0.001)

    async def read(pair: str, number: int) -> None:
        page = Page(desk, f"{pair} {number}")
        for _ in range(3):
            await page.open(pair)
            shown, last = await page.read()
            assert {word for text in shown for word in text.split()} == {WORDS[pair]}
            assert last["by"]["title"] == f"fake-{pair}"

    async def run() -> None:
        await asyncio.gather(*(read(pair, number) for pair in PAIRS for number in range(4)))

    asyncio.run(run())


def test_halting_ends_the_writing_and_another_sentence_does() -> None:
    desk, translations = make(0.05)

    async def run() -> None:
        page = Page(desk)
        await page.open("en-hi")
        await page.ask("translate", sentence=0, step=0)
        await page.ask("halt", sentence=1)  # told late, of another one
        await asyncio.sleep(0.01)
        assert translations.ended == []
        assert await page.ask("halt", sentence=0) == {"halted": True}
        await asyncio.sleep(0.01)
        assert translations.ended == ["stopped"]
        await page.ask("translate", sentence=0, step=0)
        await page.ask("translate", sentence=2, step=0)
        await asyncio.sleep(0.01)
        assert translations.ended == ["stopped", "stopped"]
        desk.leave("r")
        await asyncio.sleep(0.01)
        assert len(translations.asked) == 3

    asyncio.run(run())


def test_a_page_that_asks_no_more_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui.read.translating, "_UNASKED", 0.0)
    desk, translations = make(0.01)

    async def run() -> None:
        page = Page(desk)
        await page.open("en-es")
        await page.ask("translate", sentence=0, step=0)
        await asyncio.sleep(0.05)
        assert translations.ended == ["stopped"]

    asyncio.run(run())


def test_refusals_are_told_and_can_be_tried_again() -> None:
    desk, translations = make()

    async def run() -> None:
        page = Page(desk)
        await page.open("en-es")
        assert await page.ask("translate", sentence=1, step=0) == {"error": "failed"}
        assert await page.ask("translate", sentence=2, step=0) == {"error": "not_ready"}
        assert (await page.read(2))[1]["done"]
        assert [one[1] for one in translations.asked].count("We wait here.") == 2
        for hostile in ({"sentence": 9}, {"sentence": "0"}, {"sentence": 0, "step": -1}):
            assert "error" in await page.ask("translate", **{"step": 0, **hostile})
        await page.open("en-es", "A \x07 bell.")
        assert await page.ask("translate", sentence=0, step=0) == {"error": "control_characters"}

    asyncio.run(run())


def test_only_pairs_there_are_can_be_read_in() -> None:
    desk, _ = make()

    async def run() -> None:
        page = Page(desk)
        for pair in ("xx-yy", "en", "zh-en", "../..", 7):
            assert "error" in await page.open(pair)  # type: ignore[arg-type]
        told = desk.status("r")["pairs"]
        assert [one["pair"] for one in told] == list(PAIRS)
        assert [one["pair"] for one in told if one["words"]] == ["en-zh"]

    asyncio.run(run())


def test_a_text_in_another_language_is_pointed_out() -> None:
    desk, _ = make()
    german = "Am Samstag lieh sich Jonas das alte Fahrrad seiner Nachbarin aus."

    async def run() -> None:
        page = Page(desk)
        assert (await page.open("en-zh", german))["language"] == "de"
        assert (await page.open("de-en", german))["language"] is None
        assert (await page.open("en-zh", "Guten Tag!"))["language"] is None

    asyncio.run(run())


def test_a_pair_without_words_shows_what_people_accepted() -> None:
    told = Answer(Sense("noun", "house"), source="person", engine="Ann")
    desk, _ = make(accepted={1: told})

    async def run() -> None:
        page = Page(desk)
        await page.open("de-en", "Das Haus ist alt.")
        assert await page.ask("answer", sentence=0, word=0) == {"card": None}
        card = (await page.ask("answer", sentence=0, word=1))["card"]
        assert (card["meaning"], card["person"]) == ("house", True)

    asyncio.run(run())


def test_forgetting_a_text_forgets_its_translations() -> None:
    desk, translations = make()

    async def run() -> None:
        page = Page(desk)
        await page.open("en-es")
        await page.read()
        await page.ask("forget")
        assert "He came home." in translations.forgotten

    asyncio.run(run())
