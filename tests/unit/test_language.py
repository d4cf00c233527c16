"""The language of a text is named only where it is sure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.language import find_language
from engine.settings import assets

SURE = {
    "en": "She meant to call them back before lunch, but one thing led to another.",
    "de": "Der Zug nach Ulm fährt heute leider erst um halb neun ab.",
    "es": "Mañana por la tarde vamos a visitar a mis abuelos en el pueblo.",
    "hi": "आज शाम को हम सब मिलकर बाज़ार जाएँगे।",
    "ta": "இன்று மாலை நாங்கள் சந்தைக்குப் போகிறோம்.",
    "zh": "今天晚上我们一起去菜市场买菜，然后回家做饭。",
    "fr": "Le train de huit heures est déjà parti, il faudra attendre le suivant.",
}


@pytest.mark.parametrize("code", SURE)
def test_a_sentence_is_enough(code: str) -> None:
    assert find_language(SURE[code]) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "Guten Morgen!",
        "1 2 3 4 5 6 7 8 9 " * 9,
        "def main(argv): return sys.exit(run(argv))",
        "\ud83d" * 50,
        "👩‍👩‍👧" * 50,
    ],
)
def test_nothing_is_said_of_short_or_unclear_texts(text: str) -> None:
    assert find_language(text) is None


def test_the_samples_are_what_they_say() -> None:
    for file in sorted((assets() / "passages").rglob("*.txt")):
        text = file.read_text(encoding="utf-8").split("\n", 2)[2]
        code = file.parent.name if file.parent.name != "passages" else "en"
        assert find_language(text) == code, file.name


@given(st.text(max_size=200))
def test_any_text_can_be_asked(text: str) -> None:
    assert find_language(text) is None or len(find_language(text) or "") in (2, 3)
