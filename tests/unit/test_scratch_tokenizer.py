"""The tokenizer gives any text back, and no text can name what is no text's."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer.fields import RecipeError
from trainer.scratch.tokenizer import Codec, fertility, load_codec, reserved, train_tokenizer

LINES = [
    f"Ein {noun} {verb} über {place}. The {other} runs over the bridge, doesn't it?"
    for noun in ("Hund", "Mann", "Kind", "Mädchen")
    for verb in ("läuft", "springt", "geht")
    for place in ("die Brücke", "den Fluss", "das Feld")
    for other in ("dog", "man", "child")
]
ODD = ["abcdefgh ijklmnop qrst", "αβγδε ζηθ", "жзийк лмн", "the dog the dog the dog"]
VOCABULARY = len(reserved(("de", "en"))) + 40


@pytest.fixture(scope="module")
def codec():
    return Codec(train_tokenizer(LINES, VOCABULARY))


@settings(max_examples=150, deadline=None)
@given(st.text() | st.text("▁<>/_0x4A1sdehol  ünß日🎉\n\t\u0301"))
@example("<0x41>")
@example("</s><pad><de> <hole_0>")
@example("  two  blanks, one behind ")
@example(" ▁ä\u0308👩‍👩‍👧\x00\ufffd")
def test_any_text_comes_back_and_names_no_reserved_token(codec, text):
    (ids,) = codec.encode([text])
    assert codec.decode(ids) == text
    assert codec.decode((codec.end, codec.pad, *codec.holes[:2], *ids)) == text
    letters = codec.id_of("<0x00>")
    assert all(one >= letters for one in ids)


def test_a_text_of_known_words_is_pieces_and_another_is_bytes(codec):
    known, unknown = fertility(codec, LINES[:20]), fertility(codec, ["日本語 🎉"])
    assert known["bytes_share"] < 0.05 and unknown["bytes_share"] > 0.8
    assert 1 < known["tokens_per_word"] < 6 < unknown["tokens_per_word"]


@pytest.mark.parametrize("lines, wanted", [(LINES, 40), (LINES[:9], 30), (ODD, 30)])
def test_the_same_lines_make_the_same_tokenizer(lines, wanted):
    """Characters that few lines have are what the trainer gives scores in no order."""
    size = len(reserved(("de", "en"))) + wanted
    made = {train_tokenizer(lines, size).to_str() for _ in range(6)}
    assert len(made) == 1


def test_a_words_piece_is_the_same_wherever_it_stands(codec):
    first, later = codec.encode(["Ein", "Mann, Ein"])
    assert later[-len(first) :] == first


def test_it_is_saved_whole_and_is_of_the_size_that_was_asked_for(codec, tmp_path):
    codec.save(tmp_path)
    again = load_codec(tmp_path)
    assert again.vocabulary == VOCABULARY
    assert again.encode(LINES) == codec.encode(LINES)
    with pytest.raises(RecipeError, match="no tokenizer"):
        load_codec(tmp_path / "nowhere")


def test_a_question_says_both_languages_and_an_unknown_one_is_refused(codec):
    asked = codec.question((400, 401), "de", "en")
    assert asked == (codec.id_of("<de>"), 400, 401, codec.id_of("<en>"))
    with pytest.raises(RecipeError, match="<fr>"):
        codec.question((400,), "de", "fr")


@pytest.mark.parametrize("vocabulary", [100, 20_000])
def test_a_vocabulary_that_the_texts_cannot_fill_is_refused(vocabulary):
    with pytest.raises(RecipeError, match=f"vocabulary = {vocabulary}"):
        train_tokenizer(LINES, vocabulary)
