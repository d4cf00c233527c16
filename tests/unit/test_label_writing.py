"""What the Teacher view may ask about sentences and translations that a model writes."""

from __future__ import annotations

import asyncio
import json

import pytest

from db.store import Brought, Origin
from engine.sense import Query
from engine.settings import Settings
from tests.fake_server import FakeServer, Said
from tests.job_home import CONTEXT, Home
from ui.access import Access
from ui.desk import Bad
from ui.label.queue import QueueDesk
from ui.label.teacher import TeacherDesk
from ui.label.writing import MOST_SHOWN, WritingDesk, read_wanted
from ui.services import Services

PACE = {"concurrency": 2, "rate": 0}
SHOWN = {
    ("put off", False): ["They put off the trip.", "Nothing like it here."],
    ("put off", True): ["She put it off the table."],
    ("bank", False): ["We ate on the grassy bank."],
}


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    yield home
    home.close()


def ask(home: Home, name: str, desk=WritingDesk, hosted: bool = False, **question: object) -> dict:
    services = Services(Settings(hosted=hosted), None, home.store, Access(hosted), home.jobs)  # type: ignore[arg-type]
    reply = asyncio.run(desk(services).served()[name]({"who": "Ann", **question}))
    return json.loads(json.dumps(reply))


def write(asked, n) -> Said:
    at = -1 if asked.last.startswith("{") else -3
    wanted = json.loads(asked.body["messages"][at]["content"])
    return Said(json.dumps({"sentences": SHOWN[wanted["text"], wanted["literal"]]}))


def test_sentences_are_asked_for_with_their_literal_twins_and_shown(home) -> None:
    with FakeServer(write) as server:
        made = ask(
            home, "write", url=server.url, model="big", show="put off | 推迟\n\n bank \n", count=3,
            twins=True, **PACE,
        )["job"]  # fmt: skip
        job = home.until_state(made["id"], "done", "failed")
    assert (made["kind"], made["name"], job.state, job.total) == ("sentences", "big", "done", 3)
    assert [
        (one["text"], one["meaning"], one["literal"], one["count"]) for one in job.recipe["wanted"]
    ] == [("put off", "推迟", False, 3), ("put off", "", True, 3), ("bank", "", False, 3)]
    came = ask(home, "came", id=job.id, after=0, part=0)
    assert not came["undone"] and not came["more"]
    told = {"".join(one["pieces"]): one for one in came["lines"]}
    trip = told["They put off the trip."]
    assert [trip["pieces"][2 * w + 1] for w in trip["shown"]] == ["put", "off"]
    assert [one["reason"] for one in came["lines"] if one["reason"]]
    rest = ask(home, "came", id=job.id, after=trip["number"], part=trip["part"] + 1)
    assert len(rest["lines"]) == len(came["lines"]) - 1
    (listed,) = [one for one in home.store.imports.list_imports() if one.format == "synthetic"]
    assert listed.id == came["import"]
    home.store.imports.undo(listed.id)
    assert ask(home, "came", id=job.id, after=0, part=0)["undone"]
    kinds = {one["kind"] for one in ask(home, "jobs", TeacherDesk)["jobs"]}
    assert kinds == {"sentences"}


def test_translations_are_counted_asked_for_and_shown(home) -> None:
    sources = ask(home, "sources")["imports"]
    assert sources and set(sources[0]) == {"number", "name"}
    assert ask(home, "untranslated", model="big") == {"count": 1}
    other = Origin("other", "text")
    row = Brought(1, 0, "x", context="Dogs bark.", queries=(Query("Dogs bark.", 0),))
    number = home.store.imports.begin(other)
    home.store.imports.add(number, other, [row])
    assert ask(home, "untranslated", model="big") == {"count": 2}
    assert ask(home, "untranslated", model="big", **{"import": number}) == {"count": 1}
    with FakeServer(lambda asked, n: Said('{"translation": "狗\u202e叫。"}')) as server:
        made = ask(
            home, "translate", url=server.url, model="big", limit=0, **{"import": number}, **PACE
        )["job"]
        job = home.until_state(made["id"], "done", "failed")
    assert (job.state, job.total) == ("done", 1)
    (line,) = ask(home, "came", id=job.id, after=0, part=0)["lines"]
    assert "".join(line["pieces"]) == "Dogs bark." and line["translation"] == "狗叫。"  # mended
    query_id = home.store.queries.find(Query("Dogs bark.", 0))
    item = ask(home, "open", QueueDesk, id=query_id)["item"]
    assert (item["translation"], item["translator"]) == ("狗叫。", "big")
    assert CONTEXT != "Dogs bark."


@pytest.mark.parametrize(
    ("name", "question", "code"),
    [
        ("write", {"show": "", "count": 5}, "nothing_to_show"),
        ("write", {"show": " \n\t", "count": 5}, "nothing_to_show"),
        ("write", {"show": "bank", "count": 0}, "bad_count"),
        ("write", {"show": "bank", "count": 99}, "bad_count"),
        ("write", {"show": "bank", "count": "5"}, "not_understood"),
        ("write", {"show": ["bank"], "count": 5}, "not_understood"),
        ("write", {"show": "bank\n" * (MOST_SHOWN + 1), "count": 5}, "too_many_to_show"),
        ("write", {"show": "w " * 13, "count": 5}, "bad_recipe"),
        ("write", {"show": "a\x1bb", "count": 5}, "bad_recipe"),
        ("write", {"show": "bank", "count": 5, "url": "ftp://x"}, "bad_url"),
        ("write", {"show": "bank", "count": 5, "model": ""}, "bad_recipe"),
        ("write", {"show": "bank", "count": 5, "rate": "fast"}, "not_understood"),
        ("translate", {"limit": -1}, "not_understood"),
        ("translate", {"limit": 0, "import": "1"}, "not_understood"),
        ("untranslated", {"import": True}, "not_understood"),
        ("came", {"id": "1", "after": 0, "part": 0}, "not_understood"),
        ("came", {"id": 1, "after": -1, "part": 0}, "not_understood"),
    ],
)
def test_strangers_questions_are_refused(home, name: str, question: dict, code: str) -> None:
    whole = {"url": "http://127.0.0.1:9/v1", "model": "m", **PACE, **question}
    assert ask(home, name, **whole)["error"] == code
    assert home.jobs.list_jobs() == ()


def test_nothing_came_of_a_job_that_is_not_there(home) -> None:
    assert ask(home, "came", id=99, after=0, part=0) == {
        "import": None, "undone": False, "lines": [], "more": False,
    }  # fmt: skip


def test_a_hosted_app_refuses_all_of_it(home) -> None:
    question = {"show": "bank", "count": 5, "limit": 0, "id": 1, "after": 0, "part": 0, **PACE}
    for name in ("write", "translate", "untranslated", "sources", "came"):
        assert ask(home, name, hosted=True, **question) == {"error": "hosted_read_only"}
    assert home.jobs.list_jobs() == ()


def test_a_single_word_has_no_literal_twin() -> None:
    assert [one["literal"] for one in read_wanted("bank\nhot dog | 热狗", 2, True)] == [
        False, False, True,
    ]  # fmt: skip
    with pytest.raises(Bad):
        read_wanted("", 2, True)
