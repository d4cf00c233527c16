"""Whatever weights a model has, every answer keeps the rules: random ones show it."""

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.books import Books
from engine.branches import Runner, _Tree
from engine.decoding import SenseDecoder
from engine.phrasebook import Entry, Known, Phrasebook
from engine.prompt import STYLES
from engine.sense import CLASSES, Phrase, Query, ask, context_words, from_wire, to_wire
from engine.views import views
from engine.wordbook import Wordbook
from tests.alone import Alone
from tests.tiny import tiny_model, tiny_prompt

PROMPT = tiny_prompt()
PHRASES = Phrasebook([Entry(("calls", "back"), "回电话"), Entry(("call", "back"), "打回")])
BOOKS = Books(PHRASES, Wordbook(["call\t打电话 verb=2\t睡觉", "back\t回"]))
MODELS = [tiny_model(len(PROMPT.tokenizer), seed) for seed in range(3)]
TEXT = st.lists(
    st.sampled_from(["call", "you", "back", "Tom", "22", "the", "it's", "!", "他", "x" * 120, "a"]),
    min_size=1,
    max_size=45,
).map(" ".join)


def answers(decoder, context):
    return [a for view in views(context, "en-zh") for a in decoder.answer(view)]


@given(TEXT, st.integers(0, 2), st.sampled_from([0.05, 0.5]), st.sampled_from([0.0, 0.9]))
@settings(max_examples=15, deadline=None)
def test_every_answer_is_valid(context, model, threshold, favour):
    decoder = SenseDecoder(Runner(MODELS[model]), PROMPT, BOOKS, threshold, favour)
    found = answers(decoder, context)
    words = context_words(context)
    assert len(found) == len(words)
    for position, answer in enumerate(found):
        sense, word = answer.sense, words[position].text
        assert sense.word_class in CLASSES and 0 <= answer.confidence <= 1
        for meaning in filter(None, (sense.meaning, answer.second)):
            chinese = regex.fullmatch(r"[\p{Han}…·]{1,8}", meaning) and regex.search(
                r"\p{Han}", meaning
            )
            named = sense.word_class in ("proper noun", "numeral") and word.startswith(meaning)
            assert chinese or named, meaning
        assert answer.second != sense.meaning
        if sense.phrase:
            members = sense.phrase.members
            assert position in members and list(members) == sorted(set(members))
            assert all(found[m].sense.phrase == sense.phrase for m in members)
            assert regex.fullmatch(r"[\p{Han}…·]{1,12}", sense.phrase.meaning)
        query = Query(context, position)
        assert from_wire(query, to_wire(query, sense)).meaning == sense.meaning


def test_a_style_that_marks_the_word_in_place_is_refused():
    with pytest.raises(ValueError, match="marked"):
        SenseDecoder(Runner(MODELS[0]), tiny_prompt("marked"), BOOKS)


@given(TEXT, st.integers(0, 2), st.sampled_from([0.05, 0.5]))
@settings(max_examples=15, deadline=None)
def test_the_fast_way_gives_what_each_row_alone_gives(context, model, threshold):
    fast = SenseDecoder(Runner(MODELS[model]), PROMPT, BOOKS, threshold)
    slow = SenseDecoder(Alone(MODELS[model]), PROMPT, BOOKS, threshold)
    for mine, alone in zip(answers(fast, context), answers(slow, context), strict=True):
        assert mine.sense == alone.sense
        assert mine.confidence == pytest.approx(alone.confidence, abs=1e-3)


@pytest.mark.parametrize("style", ["last", "neighbours", "hinted"])
def test_the_same_view_always_gives_the_same_answers(style):
    prompt = tiny_prompt(style)
    decoder = SenseDecoder(Runner(MODELS[0]), prompt, BOOKS, 0.1)
    (view,) = views("I call you back, Tom, at the 22 call.", "en-zh")
    first = decoder.answer(view)
    answers(decoder, "Something else in between.")
    assert decoder.answer(view) == first


@given(st.lists(TEXT, min_size=1, max_size=4), st.integers(0, 2), st.sampled_from([0.05, 0.5]))
@settings(max_examples=10, deadline=None)
def test_some_words_of_many_views_get_what_all_words_of_each_alone_get(texts, model, threshold):
    decoder = SenseDecoder(Runner(MODELS[model]), PROMPT, BOOKS, threshold)
    cut = [view for text in texts for view in views(text, "en-zh")]
    asking = [(view, [i for i in view.asked if i % 3 != 1]) for view in cut]
    whole, brief = decoder.answer_many(asking), decoder.answer_many(asking, brief=True)
    for (view, wanted), found, short in zip(asking, whole, brief, strict=True):
        alone = dict(zip(view.asked, decoder.answer(view)))
        assert list(found) == list(short) == wanted
        for i in wanted:
            assert found[i].sense == short[i].sense == alone[i].sense
            assert short[i].confidence == pytest.approx(alone[i].confidence, abs=1e-3)
            assert (found[i].second, short[i].second) == (alone[i].second, "")


def test_brief_answers_take_fewer_tokens(monkeypatch):
    decoder = SenseDecoder(Runner(MODELS[0]), PROMPT, BOOKS, 0.5)
    asking = [(view, view.asked) for view in views("I call you back, Tom, at the bed.", "en-zh")]
    taken = []
    grow = _Tree.grow

    def counted(tree, pieces):
        taken[-1] += sum(len(tokens) for _, tokens in pieces)
        return grow(tree, pieces)

    monkeypatch.setattr(_Tree, "grow", counted)
    for brief in (False, True):
        taken.append(0)
        decoder.answer_many(asking, brief)
    assert taken[1] < taken[0]


PERSONS = Known("打人", "person")
LONG = Known("（打）人，" * 40, "person")  # what the model never writes, and longer


@pytest.mark.parametrize("lead, mine", [(100.0, True), (-100.0, False)])
@pytest.mark.parametrize("known", [PERSONS, LONG])
def test_a_phrase_says_whose_meaning_it_has(monkeypatch, lead, mine, known):
    monkeypatch.setattr("engine.decoding._PERSONS_LEAD", lead)
    decoder = SenseDecoder(Runner(MODELS[0]), PROMPT, BOOKS, threshold=0.5, favour=0.9)
    (view,) = views("I call you back at the bed.", "en-zh")
    people = {(1, 3): (known,), (4, 6): (PERSONS,)}
    phrases = [answer.sense.phrase for answer in decoder.answer(view, people)]
    assert phrases[1] == phrases[3] and phrases[1].members == (1, 3)
    assert (phrases[1].source == "person") == (phrases[1].meaning == known.meaning) == mine
    assert phrases[4] == phrases[6] == Phrase((4, 6), PERSONS.meaning, "person")
    assert {p.source for p in (decoder.answer(view)[i].sense.phrase for i in (1, 3))} == {"book"}


def test_one_word_and_no_word_contexts():
    decoder = SenseDecoder(Runner(MODELS[0]), PROMPT, BOOKS, 0.05)
    (only,) = answers(decoder, "Hello")
    assert only.sense.phrase is None
    assert answers(decoder, "…!") == []


def test_a_question_names_the_occurrence_only_where_it_is_needed():
    words = context_words("the cat and the dog")
    tokens = PROMPT.tokenizer.convert_ids_to_tokens
    assert "".join(tokens(PROMPT.question(words, 0))) == "▁the:"
    assert "".join(tokens(PROMPT.question(words, 3))) == "▁the▁2:"


@pytest.mark.parametrize("style", STYLES)
def test_an_answer_is_written_as_the_rules_say(style):
    prompt = tiny_prompt(style)
    query = ask("I call Tom back", "back")
    sense = from_wire(query, {"class": "adverb", "zh": "回", "phrase": "call back|回电话"})
    tokens = prompt.answer(query, sense)
    texts = ["".join(prompt.tokenizer.convert_ids_to_tokens(f)) for f in tokens.fields()]
    assert texts == ["▁adverb", "▁call▁back|", "回|", "回电话\n"]
    prefix, question = prompt.parts(query)
    assert ("[" in "".join(prompt.tokenizer.convert_ids_to_tokens(prefix))) == (style == "marked")
    assert question


def test_a_style_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="style"):
        tiny_prompt("sideways")
