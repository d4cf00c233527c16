"""Jobs in which a teacher writes sentences and translations: all of it is marked as synthetic."""

from __future__ import annotations

import json

import pytest

from db.store import Outcome, Process, Refused
from engine.sense import Query
from tests.fake_server import FakeServer, Said
from tests.job_home import CONTEXT, Home, trainer
from trainer.jobs.kinds import JobError

SHOWN = {
    "kick the bucket": ["The old king kicked the bucket at last.", "He left in the morning."],
    "bank": ["We ate on the grassy bank.", "We ate on the grassy bank."],
    "put off": ["nothing", "也没有"],
}


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    yield home
    home.close()


def write(asked, n):
    at = -1 if asked.last.startswith("{") else -3
    question = json.loads(asked.body["messages"][at]["content"])
    return Said(json.dumps({"sentences": SHOWN[question["text"]]}))


def test_sentences_come_in_as_synthetic_with_their_queries(home):
    wanted = [
        {"text": "kick the bucket", "meaning": "去世", "count": 2},
        {"text": "bank", "meaning": "河岸"},
        {"text": "put off", "literal": True, "count": 1},
    ]
    with FakeServer(write) as server:
        recipe = {"url": server.url, "model": "big", "wanted": wanted}
        job = home.until_state(home.jobs.add("sentences", recipe).id, "done", "failed")
    assert (job.state, job.done, job.total) == ("done", 3, 3), job
    assert len(server.asked) == 4 and job.figures["set_aside"] == 1
    made, *_ = home.store.imports.list_imports()
    assert made.origin == "synthetic: big, template sentences-1" and made.finished
    assert (made.format, made.who, made.refused) == ("synthetic", "big", {"not_as_asked": 1})
    (bad,) = home.store.imports.refused(made.id)
    assert "He left in the morning." in bad.detail and bad.raw == json.dumps(
        {"sentences": SHOWN["kick the bucket"]}
    )
    home.store.review.work_off()
    queries = {one.query for one in home.store.browse.page("en-zh")}
    king = "The old king kicked the bucket at last."
    assert {q.target for q in queries if q.context == king} == {"kicked", "the", "bucket"}
    assert Query("We ate on the grassy bank.", 5) in queries
    opened = home.store.review.open(home.store.queries.find(Query(king, 3)), "Ann")
    assert opened.attribution == "written by big to show kick the bucket (去世)"
    (aside,) = home.jobs.requests(job.id)
    assert aside.asked["text"] == "put off" and aside.query is None
    home.store.imports.undo(made.id)
    home.store.review.work_off()
    assert not {one.query for one in home.store.browse.page("en-zh")} - {
        one for one in queries if one.context == CONTEXT
    }


def test_translations_stand_beside_their_sentences_until_they_are_taken_back(home):
    said = [""]
    with FakeServer(lambda asked, n: Said(said[0])) as server:
        recipe = {"url": server.url, "model": "big"}
        said[0] = '{"translation": "河边的旧银行中午关门了。"}'
        job = home.until_state(home.jobs.add("translations", recipe).id, "done", "failed")
        assert (job.state, job.total) == ("done", 1), job
        (found,) = home.store.synthetic.translations("en-zh", CONTEXT)
        assert (found.text, found.who) == ("河边的旧银行中午关门了。", "big")
        made, *_ = home.store.imports.list_imports()
        assert made.origin == "synthetic: big, template translation-1" and made.finished
        again = home.until_state(home.jobs.add("translations", recipe).id, "done")
        assert again.total == 0
        home.store.imports.undo(made.id)
        assert home.store.synthetic.translations("en-zh", CONTEXT) == ()
        said[0] = '{"translation": "旧银行关了。"}'
        home.until_state(home.jobs.add("translations", recipe).id, "done")
    assert [t.text for t in home.store.synthetic.translations("en-zh", CONTEXT)] == ["旧银行关了。"]
    assert home.store.check() == ()


def test_nothing_is_brought_twice(home):
    from trainer.jobs.translations import TranslationsRecipe
    from trainer.jobs.writing import origin_of

    me = Process(11, 1.5)
    job_id = home.store.jobs.add("translations", "network", {})
    home.store.jobs.take(job_id, me, None)
    home.store.requests.fill_asked(job_id, me, [{"context": CONTEXT}])
    (request,) = home.store.requests.waiting(job_id)
    origin = origin_of(TranslationsRecipe(url="http://x/v1", model="big"), "translation-1")
    keep = (job_id, me, request, origin, CONTEXT, "银行", Outcome())
    home.store.synthetic.translate(*keep)
    with pytest.raises(Refused):
        home.store.synthetic.translate(*keep)
    with pytest.raises(Refused):
        home.store.synthetic.bring(job_id, me, request, origin, [], Outcome())
    assert len(home.store.synthetic.translations("en-zh", CONTEXT)) == 1
    home.store.jobs.end(job_id, me, "done")


@pytest.mark.parametrize(
    "wanted",
    [
        [], [1], [{}], [{"text": ""}], [{"text": "bank", "literal": True}],
        [{"text": "bank", "count": 0}], [{"text": "bank", "count": 99}], [{"text": "a\x00b"}],
        [{"text": "bank", "key": 1}], [{"text": "w " * 13}], "bank", None,
    ],
)  # fmt: skip
def test_what_cannot_be_wanted(home, wanted):
    with pytest.raises(JobError):
        home.jobs.add("sentences", {"url": "http://x/v1", "model": "m", "wanted": wanted})
    assert home.jobs.list_jobs() == ()


def test_from_a_shell(home):
    with FakeServer(write) as server:
        to = ("--url", server.url, "--model", "big")
        done = trainer(
            home, "write", *to, "--show", "kick the bucket|去世", "--literally", "put off"
        )
    assert done.returncode == 0 and "job 1: done, 2 of 2, 1 set aside" in done.stdout, done.stderr
    questions = [one.body["messages"][-1]["content"] for one in server.asked]
    questions = [json.loads(one) for one in questions if one.startswith("{")]
    assert {"text": "put off", "meaning": "", "literal": True, "count": 5} in questions
    assert "'put off'" in trainer(home, "aside", "1").stdout
