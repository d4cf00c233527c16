"""A teacher's words in any pair whose second language is known to be written: how it is asked, what
counts as its answer, the job that keeps it, and a server's sentences in an evaluation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.dataset.importing import bring
from db.store import Origin, Store, open_store
from engine.sense import Phrase, Query, Sense, ask
from engine.settings import Settings
from engine.teaching import BadAnswer, load_template, read_sense, sense_schema, usual_template
from tests.fake_server import FakeServer, Said
from trainer.evaluation.answering import Remote as RemoteWords
from trainer.evaluation.translators import Remote
from trainer.jobs.kinds import JobError
from trainer.jobs.process import this_process
from trainer.jobs.teacher import prepare, run
from trainer.jobs.work import Work

PAIR = "de-en"
QUERY = ask("Sie ruft ihn morgen an.", "ruft", 1, PAIR)
SAID = {"class": "verb", "meaning": "call", "phrase": "ruft an|phone"}


def say(**changes) -> str:
    return json.dumps(SAID | changes, ensure_ascii=False)


def question(asked) -> dict:
    return json.loads(next(m for m in asked.body["messages"] if m["role"] == "user")["content"])


def test_an_answer_in_another_language_is_read():
    assert read_sense(QUERY, say()) == Sense("verb", "call", Phrase((1, 4), "phone"))
    assert sense_schema(PAIR)["required"] == ["class", "meaning", "phrase"]
    hindi = Query("I saw a dog.", 3, "en-hi")
    said = '{"class": "noun", "meaning": "कुत्ता", "phrase": ""}'
    assert read_sense(hindi, said) == Sense("noun", "कुत्ता", None)


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"meaning": "打电话"}, "not written in the target language"),
        ({"meaning": "call, phone"}, '"meaning" lists several'),
        ({"meaning": "x" * 41}, "more than 40 characters"),
        ({"meaning": None, "zh": "call"}, "no meaning"),
        ({"phrase": "ruft an|打电话"}, "half behind the bar is not"),
        ({"phrase": "ruft auf|call"}, "an|auf|stand|position"),
    ],
)
def test_what_breaks_the_rules_is_refused_and_named(changes, reason):
    with pytest.raises(BadAnswer, match=reason):
        read_sense(QUERY, say(**changes))


def test_it_is_asked_by_the_languages_of_the_pair():
    assert usual_template("sense", "en-zh") == "sense-1"
    template = load_template(usual_template("sense", PAIR))
    system = template.messages(source="German", target="English")[0]["content"]
    assert "label German words for learners who read English" in system
    assert "{source}" not in system and "{target}" not in system


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    text = tmp_path / "text.txt"
    text.write_text("Sie ruft ihn morgen an.", encoding="utf-8")
    with open_store(tmp_path / "ctx.db") as store:
        bring(store, text, Origin("text.txt", "", PAIR), 100)
        yield store


def test_a_job_keeps_what_it_says(store, tmp_path):
    def answer(asked, n):
        word = question(asked)["target"]
        return Said(say() if word in ("ruft", "an") else say(meaning="他", phrase=""))

    with FakeServer(answer) as server:
        recipe = prepare({"url": server.url, "model": "big", "pair": PAIR}).recipe
        assert recipe["template"] == "sense-2"
        job = store.jobs.take(
            store.jobs.add("teacher", "network", dict(recipe)), this_process(), None
        )
        assert run(Work(job, this_process(), store, Settings(home=tmp_path)))
    schema = server.asked[0].body["response_format"]["json_schema"]["schema"]
    assert "meaning" in schema["properties"]
    aside = store.requests.list_requests(job.id, "set_aside")
    assert "morgen" in {one.query.target for one in aside}
    assert all("target language" in one.reason for one in aside)
    (label,) = store.labels.history(QUERY)
    assert (label.sense.meaning, label.who, label.status) == ("call", "big", "proposed")


@pytest.mark.parametrize(
    "wrong", [{"pair": "en-en"}, {"pair": "de-xx"}, {"pair": "xx-de"}, {"pair": 7}]
)
def test_pairs_that_nobody_can_ask_about_are_refused(wrong):
    with pytest.raises(JobError):
        prepare({"url": "http://127.0.0.1:1/v1", "model": "m"} | wrong)
    with pytest.raises(JobError):
        prepare({"engine": "shipped", "pair": PAIR})


def test_a_server_is_evaluated_on_words_and_sentences_of_any_pair():
    with FakeServer(lambda asked, n: Said(say())) as server:
        (told,) = RemoteWords("big", PAIR, server.url).answer([(QUERY.context, (1, 4))])
    assert [told[i].sense.meaning for i in (1, 4)] == ["call", "call"]
    said = '{"translation": "She will call him tomorrow."}'
    with FakeServer(lambda asked, n: Said(said)) as server:
        (written,) = Remote("big", PAIR, server.url).translate([QUERY.context])
    assert written.text == "She will call him tomorrow."
    assert "from German to English" in server.asked[0].body["messages"][0]["content"]
