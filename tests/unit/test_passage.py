"""Any text splits into sentences and words that join back to exactly itself."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.passage import split_passage, split_words, word_at
from tests.real import soak

PASTED = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(list("aZé9 .!?\n\r\t'’-“”…\u2028\u200d👩‍你שلक\u0301\x0c\x00")),
    ),
    max_size=300,
)


@given(PASTED)
@settings(max_examples=1000 if soak() else 100, deadline=None)
def test_sentences_join_to_the_passage(text):
    sentences = split_passage(text)
    assert "".join(s.text for s in sentences) == text
    assert all(text[s.start : s.end] == s.text for s in sentences)


@given(PASTED)
@settings(max_examples=1000 if soak() else 100, deadline=None)
def test_words_stand_where_they_say_and_in_order(text):
    for sentence in split_passage(text):
        ends = [0]
        for word in sentence.words:
            assert sentence.text[word.start : word.end] == word.text
            assert word.start >= ends[-1] and word.end > word.start
            ends.append(word.end)
    split_up = [w.text for s in split_passage(text) for w in s.words]
    assert all(word.strip() == word and word for word in split_up)


@pytest.mark.parametrize(
    "text, words",
    [
        ("can't", ["can't"]),
        ("neck’s point-blank", ["neck’s", "point-blank"]),
        ("'quoted' -dash- x--y", ["quoted", "dash", "x", "y"]),
        ("café naïve e\u0301te", ["café", "naïve", "e\u0301te"]),
        ("他来了 ok שלום", ["ok"]),
        ("👩‍👩‍👧😀", []),
        ("$3.50", ["3", "50"]),
    ],
)
def test_words_follow_the_labelling_rules(text, words):
    assert [word.text for word in split_words(text)] == words


def test_other_languages_keep_their_letters():
    assert [w.text for w in split_words("नमस्ते दुनिया", "hi")] == ["नमस्ते", "दुनिया"]
    assert [w.text for w in split_words("வீட்டிற்கு போகிறேன்.", "ta")] == ["வீட்டிற்கு", "போகிறேன்"]
    assert [w.text for w in split_words("„Größe“ x--y", "de")] == ["Größe", "x", "y"]


def test_unseen_joiners_stand_inside_a_word():
    joined = "क्\u200dष"  # they shape letters in Indic scripts and Persian
    assert [w.text for w in split_words(f"{joined} एक\u200d", "hi")] == [joined, "एक"]


@pytest.mark.parametrize(
    "text, count",
    [
        ("Mr. Smith went to Washington. He left.", 2),
        ('"Really?" she asked. "Yes."', 2),
        ("A line that is\nwrapped in the middle.", 1),
        ("A heading\nA sentence.", 2),
        ("\n\nFirst.\n\nSecond.\n\n", 2),
        ("", 0),
    ],
)
def test_sentences_are_found(text, count):
    assert len([s for s in split_passage(text) if s.words]) == count


@pytest.mark.parametrize(
    "language, text, count",
    [
        ("de", "Am 3. Mai kam Dr. Müller z. B. mit dem Bus. „Ja!“, rief er.", 2),
        ("de", "Am Samstag lieh sich der junge Jonas das alte\nFahrrad seiner Nachbarin aus.", 1),
        ("de", "Das Fahrrad\nAm Samstag lieh er es sich aus.", 2),
        ("hi", "यह एक वाक्य है। वह घर गया।\nक्या तुम आओगे?", 3),
        ("hi", "यह एक बहुत लंबा वाक्य है जो अगली पंक्ति में भी\nचलता रहता है।", 1),
        ("es", "¿Vienes? El Sr. López llegó.", 2),
        ("ar", "ذهب إلى البيت. هل ستأتي؟", 2),
    ],
)
def test_sentences_of_other_languages(language, text, count):
    sentences = split_passage(text, language)
    assert "".join(s.text for s in sentences) == text
    assert len([s for s in sentences if s.words]) == count


@pytest.mark.parametrize("unit", ["word ", "x", "他", "Hi there. ", "a\n", "«»"])
def test_a_hundred_kilobytes_split_quickly(unit):
    text = (unit * 100_000)[:100_000]
    start = time.thread_time()
    assert "".join(s.text for s in split_passage(text)) == text
    assert time.thread_time() - start < 10


def test_word_at_finds_the_word_under_an_offset():
    words = split_words("ab  cd")
    assert [word_at(words, i) for i in range(7)] == [0, 0, None, None, 1, 1, None]
