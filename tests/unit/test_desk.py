"""What the Read page may ask, asked by strangers."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest

from engine.passage import split_passage
from engine.sense import Answer, Phrase, Query, Sense
from engine.settings import Settings
from tests.fake_engine import FakeLookup
from ui.access import Access
from ui.read.desk import Desk
from ui.read.shape import find_lemma, to_card, to_pages, to_pieces
from ui.services import Services

TEXT = "She meant to call them back. The bank was unkind. 👩‍👩‍👧 It was light."


class Feedback:
    def __init__(self):
        self.kept = []

    def add_feedback(self, *values, **named):
        self.kept.append((values, named))


def make_desk(mode="ready", hosted=False, **settings):
    feedback = Feedback()
    services = Services(
        Settings(hosted=hosted, **settings),
        FakeLookup(mode),
        SimpleNamespace(feedback=feedback),
        Access(hosted),
    )
    desk = Desk(services)
    served = desk.served()

    def ask(name, question):
        return asyncio.run(served[name](question))

    return desk, ask, feedback


def opened(ask, text=TEXT, reader="r"):
    version = ask("open", {"reader": reader, "text": text})["version"]
    return {"reader": reader, "version": version}


def test_open_gives_pieces_that_join_to_the_text():
    _, ask, _ = make_desk()
    reply = ask("open", {"reader": "r", "text": TEXT})
    assert "".join("".join(pieces) for pieces in reply["sentences"]) == TEXT
    assert reply["sentences"][1][1::2] == ["The", "bank", "was", "unkind"]


@pytest.mark.parametrize("source", ["model", "book", "person"])
def test_a_card_says_whose_meaning_its_phrase_has(source):
    answer = Answer(Sense("verb", "推", Phrase((1, 3), "推迟", source)))
    card = to_card(Query("They put it off.", 1), answer, "sure")
    assert card["phraseSource"] == source and not card["person"]


def test_answer_of_any_member_is_the_phrase():
    _, ask, _ = make_desk()
    page = opened(ask)
    for word in (3, 5):
        card = ask("answer", {**page, "sentence": 0, "word": word})["card"]
        assert (card["members"], card["phraseMeaning"]) == ([3, 5], "回电话")


@pytest.mark.parametrize("name", ["open", "answer", "look_ahead", "not_right", "forget"])
@pytest.mark.parametrize(
    "asked",
    [
        None, [], "text", 7, {}, {"reader": 5}, {"reader": "x" * 99}, {"reader": "r", "text": 5},
        {"reader": "r", "version": "no"}, {"reader": "r", "version": None, "sentences": "all"},
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_one_shape(name, asked):
    _, ask, _ = make_desk()
    reply = ask(name, asked)
    assert isinstance(reply["error"], str) and reply["error"] != "unexpected"
    json.dumps(reply)


@pytest.mark.parametrize("sentence", [-1, 3, 10**30, "0", 0.0, True, None, [0]])
@pytest.mark.parametrize("name", ["answer", "not_right", "look_ahead"])
def test_words_that_are_not_there(name, sentence):
    _, ask, _ = make_desk()
    asked = {**opened(ask), "sentence": sentence, "word": 0, "sentences": [sentence]}
    assert ask(name, asked) == {"error": "no_such_word"}


def test_unpaired_surrogates_can_be_sent_back():
    _, ask, _ = make_desk()
    reply = ask("open", {"reader": "r", "text": "a \ud83d bank \udc00."})
    json.dumps(reply, ensure_ascii=False).encode("utf-8")


def test_limits():
    _, ask, _ = make_desk(max_passage=10)
    assert ask("open", {"reader": "r", "text": "x" * 11}) == {
        "error": "passage_too_long",
        "limit": 10,
    }
    desk, ask, _ = make_desk()
    for i in range(600):
        opened(ask, "A bank.", f"reader{i}")
    assert len(desk._opened) <= 500


def test_newer_text_makes_the_older_page_stale():
    _, ask, _ = make_desk()
    old = opened(ask)
    opened(ask, "Another bank.")
    assert ask("answer", {**old, "sentence": 0, "word": 0}) == {"error": "stale"}


def test_no_question_hangs_while_the_model_loads():
    _, ask, _ = make_desk("loading")
    page = opened(ask)
    assert ask("answer", {**page, "sentence": 0, "word": 0}) == {"error": "not_ready"}


def test_look_ahead_keeps_the_order_and_tells_what_is_known():
    desk, ask, _ = make_desk()
    page = opened(ask)
    assert ask("look_ahead", {**page, "sentences": [2, 0]})["known"] == {}
    assert desk._lookup.ahead["r"] == [
        "👩‍👩‍👧 It was light.", "She meant to call them back.",
    ]  # fmt: skip
    reply = ask("look_ahead", {**page, "sentences": [2, 1]})
    assert list(reply["known"]) == ["2"] and len(reply["known"]["2"]) == 3
    assert desk._lookup.ahead["r"] == ["The bank was unkind."]


def test_sentences_that_cannot_be_looked_up_do_not_stop_the_others():
    _, ask, _ = make_desk()
    page = opened(ask, "A bell \x07 rings. The bank is light.")
    assert ask("look_ahead", {**page, "sentences": [0, 1]})["impossible"] == [0]
    assert ask("answer", {**page, "sentence": 0, "word": 0})["error"] == "control_characters"


def test_not_right_keeps_what_was_shown():
    _, ask, feedback = make_desk()
    page = {**opened(ask), "sentence": 1, "word": 1}
    members = {"members": [1, 3, 1], "phraseMeaning": " 河岸 "}
    assert ask("not_right", {**page, **members, "meaning": "岸"}) == {"stored": True}
    (query, shown), named = feedback.kept[0]
    assert (query.context, query.position) == ("The bank was unkind.", 1)
    assert shown.sense.meaning == "银行" and named["better_meaning"] == "岸"
    assert (named["phrase"].members, named["phrase"].meaning) == ((1, 3), "河岸")
    for bad in ([1], [0, 2], [1, 9], ["1", "2"], 5):
        assert "error" in ask("not_right", {**page, "members": bad})
    assert len(feedback.kept) == 1


def test_hosted_app_writes_nothing():
    _, ask, feedback = make_desk(hosted=True)
    page = {**opened(ask), "sentence": 1, "word": 1}
    assert ask("not_right", page) == {"error": "hosted_read_only"}
    assert feedback.kept == []


def test_forget_drops_the_text_and_its_answers():
    desk, ask, _ = make_desk()
    page = opened(ask)
    assert ask("forget", page) == {"forgotten": True}
    assert "The bank was unkind." in desk._lookup.forgotten
    assert ask("answer", {**page, "sentence": 0, "word": 0}) == {"error": "stale"}


def test_defect_is_logged_and_not_told(caplog):
    desk, ask, _ = make_desk()
    page = opened(ask)
    desk._lookup.kept = None
    reply = ask("answer", {**page, "sentence": 0, "word": 0})
    assert reply.keys() == {"error", "id"} and reply["error"] == "unexpected"
    assert reply["id"] in caplog.text


def test_pages_cover_all_sentences_in_order():
    sentences = split_passage("\n".join(f"Line {i} ends." for i in range(130)))
    assert to_pages(sentences) == [0, 60, 120]
    long = split_passage("\n".join("word " * 700 + "end." for _ in range(5)))
    assert to_pages(long) == [0, 2, 4]
    assert to_pages(()) == [0]
    assert all("".join(to_pieces(s)) == s.text for s in sentences)


def test_card_of_a_person_and_lemmas():
    query = Query("He went to London.", 1)
    card = to_card(query, Answer(Sense("verb", "去"), second="去", source="person"), "sure")
    assert (card["lemma"], card["second"], card["person"]) == ("go", "", True)
    assert find_lemma("Going", "verb") == "go"
    assert find_lemma("London", "proper noun") == "London"
    assert find_lemma("can't", "auxiliary") == "can't"
    assert find_lemma("Kinder", "noun", "de") == "Kind"
    assert find_lemma("வீட்டில்", "noun", "ta") == "வீட்டில்"
