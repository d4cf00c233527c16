"""The public endpoint for sentences: what it gives, and what it refuses in the one shape."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fake_engine import FakeLookup
from tests.fake_translations import FakeTranslations
from ui.api import MAX_SENTENCE, endpoints


def translate(*asked: object, translations: Any = "fake") -> dict[str, Any]:
    fake = FakeTranslations() if translations == "fake" else translations
    services = SimpleNamespace(lookup=FakeLookup(), translations=fake)
    return asyncio.run(endpoints(services)["translate"](*asked))  # type: ignore[arg-type]


def test_a_sentence_is_translated_in_its_pair() -> None:
    assert translate("  He is\nhere. ", "en-es") == {
        "sentence": "He is here.", "pair": "en-es", "translation": "sí sí sí",
        "by": {"title": "fake-en-es", "version": "en-es-1"},
    }  # fmt: skip
    assert translate("He is here.")["translation"] == "好 好 好"


def test_what_nothing_was_written_for_is_empty() -> None:
    found = translate("wordless", "en-es")
    assert (found["translation"], found["by"]["version"]) == ("", "en-es-1")


def test_it_is_by_whoever_began_it() -> None:
    fake = FakeTranslations()

    class Promoted(FakeTranslations):
        """Readers have another adapter before the sentence is done."""

        async def stream(self, *asked: Any) -> Any:
            async for text in fake.stream(*asked):
                fake.version = 2
                yield text

    found = translate("He is here.", "en-es", translations=Promoted())
    assert found["by"] == {"title": "fake-en-es", "version": "en-es-1"}


@pytest.mark.parametrize(
    "asked, code",
    [
        (("a b", "xx-yy"), "unknown_pair"),
        (("a" * (MAX_SENTENCE + 1), "en-zh"), "context_too_long"),
        ((None, "en-zh"), "not_text"),
        (("a", 7), "not_text"),
        (("fail", "en-zh"), "failed"),
        (("busy", "en-zh"), "busy"),
        (("wait", "en-zh"), "not_ready"),
    ],
)
def test_every_refusal_has_the_one_shape(asked: tuple[object, ...], code: str) -> None:
    found = translate(*asked)
    assert set(found) == {"error"} and found["error"]["code"] == code
    assert found["error"]["message"]


def test_an_app_without_translations_says_so() -> None:
    assert translate("a", "en-zh", translations=None)["error"]["code"] == "unknown_pair"
