"""What a meaning can be written with, by the language it is in; and a decoder that keeps to it."""

from __future__ import annotations

import pytest
import torch

from engine.books import Books
from engine.branches import Runner
from engine.decoding import SenseDecoder
from engine.prompt import SensePrompt
from engine.script import is_written, script_of
from engine.translation import LANGUAGES
from engine.views import views
from tests.tiny import tiny_model, tiny_tokenizer


@pytest.mark.parametrize(
    "language, meaning",
    [
        ("zh", "打电话"), ("en", "to call off"), ("es", "mañana"), ("de", "über-setzen"),
        ("hi", "वापस बुलाना"), ("ta", "திரும்ப அழை"), ("ru", "дом"), ("ja", "食べる"),
    ],
)  # fmt: skip
def test_a_meaning_is_written_in_its_own_script_alone(language: str, meaning: str) -> None:
    script = script_of(language)
    assert not script.stray.search(meaning) and script.letter.search(meaning)
    assert len(meaning) <= script.longest
    for other in ("zh", "en", "hi", "ta", "ru"):
        same = {"zh", "ja"} if language in ("zh", "ja") else {language}
        if other not in same and not (other == "en" and language in ("es", "de")):
            assert script_of(other).stray.search(meaning), other


@pytest.mark.parametrize("token", [" house", "house", "o'clock", "-", " ", " 3"])
def test_tokens_of_a_language_with_blanks(token: str) -> None:
    assert script_of("en").token.fullmatch(token)
    assert bool(script_of("en").start.search(token)) == token[0].isalpha()


@pytest.mark.parametrize("token", ["  ", "|", "\n", "a|", "房", " house ", "<bos>"])
def test_tokens_that_are_no_part_of_an_english_meaning(token: str) -> None:
    assert not script_of("en").token.fullmatch(token)


def test_every_language_that_is_translated_is_written() -> None:
    assert all(is_written(f"xx-{code}") for code in LANGUAGES)
    assert not any(map(is_written, ("en-en", "en-xx", "en", "-en")))


@pytest.mark.parametrize("seed", range(4))
def test_answers_of_a_pair_are_in_its_target_language(seed: int) -> None:
    prompt = SensePrompt(tiny_tokenizer(), language="en")
    model = tiny_model(len(prompt.tokenizer), seed)
    decoder = SenseDecoder(Runner(model), prompt, Books(), 0.2)
    (view,) = views("Das Haus ist alt, Tom.", "de-en")
    with torch.inference_mode():
        answers = decoder.answer(view)
    for answer in answers:
        sense = answer.sense
        for text in filter(
            None, (sense.meaning, answer.second, sense.phrase and sense.phrase.meaning)
        ):
            assert not prompt.script.stray.search(text), text
            assert text == " ".join(text.split()) and text[0].isalnum()
            assert len(text) <= prompt.script.longest_phrase
