"""The client of teachers: what it sends, what failures are called, and that the key stays here."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from email.utils import formatdate

import pytest

from engine.teacher import Teacher, TeacherError, check_url, read_key, retry_after
from engine.teaching import sense_schema
from tests.fake_server import FakeServer, Said
from tests.real import ROOT, free_port

KEY = "sk-secret-1234567890"
SCHEMA = sense_schema("en-zh")
TALK = [{"role": "user", "content": "?"}]


def complete(url, schema=None, times=1, **settings):
    async def run():
        teacher = Teacher(url, "m", **settings)
        try:
            return [await teacher.complete(TALK, schema) for _ in range(times)][-1]
        finally:
            await teacher.close()

    return asyncio.run(run())


def failure(said: Said | None, **settings) -> TeacherError:
    if said is None:
        with pytest.raises(TeacherError) as caught:
            complete(f"http://127.0.0.1:{free_port()}/v1", **settings)
        return caught.value
    with FakeServer(lambda asked, n: said) as server, pytest.raises(TeacherError) as caught:
        complete(server.url, **settings)
    assert len(server.asked) == 1, "nothing is repeated here"
    return caught.value


@pytest.mark.parametrize(
    "text, url",
    [
        ("http://localhost:11434", "http://localhost:11434/v1"),
        (" https://router.huggingface.co/v1/ ", "https://router.huggingface.co/v1"),
        ("http://[::1]:8080/v1/chat/completions", "http://[::1]:8080/v1"),
        ("http://host/openai/v1", "http://host/openai/v1"),
    ],
)
def test_addresses(text, url):
    assert check_url(text) == check_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "", "localhost:11434", "ftp://host/v1", "file:///etc/passwd", "http://", "http:///v1",
        "http://me:word@host/v1", "http://me@host/v1", "http://:word@host", "http://host:99999",
        "http://host/v1?key=1", "http://host/v1#x", "http://host/\nv1", "http://ho st/v1",
        "http://host:0/v1", "http://[::1/v1", "http://" + "x" * 600, "javascript://host",
    ],
)  # fmt: skip
def test_what_is_no_address(text):
    with pytest.raises(TeacherError) as caught:
        check_url(text)
    assert caught.value.code == "bad_url" and caught.value.fatal
    assert "word" not in str(caught.value).replace("password", "")


def test_what_is_sent_and_read():
    with FakeServer() as server:
        reply = complete(server.url, SCHEMA, key=KEY)
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body["model"] == "m" and asked.body["temperature"] == 0
    form = asked.body["response_format"]["json_schema"]
    assert form["strict"] and form["schema"] == SCHEMA
    assert json.loads(reply.text)["zh"] == "银行"
    assert (reply.tokens_in, reply.tokens_out, reply.whole) == (100, 10, True)


def test_answers_without_usage_or_cut_off():
    with FakeServer(lambda asked, n: Said(usage=False, finish="length")) as server:
        reply = complete(server.url)
    assert (reply.tokens_in, reply.tokens_out, reply.whole) == (0, 0, False)


@pytest.mark.parametrize("status", [400, 422, 500, 501])
def test_a_server_that_knows_no_schema_is_asked_without_one_from_then_on(status):
    def answer(asked, n):
        return Said(status=status) if "response_format" in asked.body else Said()

    with FakeServer(answer) as server:
        complete(server.url, SCHEMA, times=3)
    assert ["response_format" in asked.body for asked in server.asked] == [True] + [False] * 3


def test_a_failure_of_a_server_that_knows_schemas_is_one():
    async def run(url):
        teacher = Teacher(url, "m")
        await teacher.complete(TALK, SCHEMA)
        with pytest.raises(TeacherError) as caught:
            await teacher.complete(TALK, SCHEMA)
        assert caught.value.code == "failed"
        await teacher.complete(TALK, SCHEMA)
        await teacher.close()

    with FakeServer(lambda asked, n: Said(status=500) if n == 1 else Said()) as server:
        asyncio.run(run(server.url))
    assert ["response_format" in asked.body for asked in server.asked] == [True] * 3


def test_a_request_that_is_refused_either_way_leaves_the_schema_on():
    def answer(asked, n):
        return Said(status=400) if n < 2 else Said()

    async def run(url):
        teacher = Teacher(url, "m")
        with pytest.raises(TeacherError) as caught:
            await teacher.complete(TALK, SCHEMA)
        assert caught.value.code == "refused"
        await teacher.complete(TALK, SCHEMA)
        await teacher.close()

    with FakeServer(answer) as server:
        asyncio.run(run(server.url))
    assert ["response_format" in asked.body for asked in server.asked] == [True, False, True]


@pytest.mark.parametrize(
    "status, code",
    [
        (401, "unauthorized"), (402, "unauthorized"), (403, "unauthorized"), (404, "no_model"),
        (302, "moved"), (400, "refused"), (413, "refused"), (429, "busy"), (408, "timeout"),
        (500, "failed"), (501, "failed"), (502, "down"), (503, "down"), (504, "down"),
    ],
)  # fmt: skip
def test_what_a_status_is_called(status, code):
    error = failure(Said(status=status, headers={"Location": "http://127.0.0.1:9/v1"}))
    assert (error.code, error.status) == (code, status)
    assert error.fatal == (code in ("unauthorized", "no_model", "moved"))


def test_a_server_that_is_away_or_slow():
    assert failure(None).code == "down"
    assert failure(Said(delay=2), timeout=0.3).code == "timeout"


@pytest.mark.parametrize(
    "said",
    [
        Said(body=b"{}"),
        Said(body=b"[1, 2]"),
        Said(body=b'{"choices": []}'),
        Said(body=b'{"choices": [{"message": null}]}'),
        Said(body=b'{"choices": "x", "usage": 3}'),
        Said(body=b"<html>Welcome</html>", headers={"Content-Type": "text/html"}),
        Said(body=b"\xff\xfe not json"),
        Said(body=b""),
    ],
    ids=lambda said: str(said.body),
)
def test_what_is_no_chat_completion(said):
    assert failure(said).code == "failed"


def test_how_long_to_wait():
    assert failure(Said(status=429, headers={"Retry-After": "7"})).wait == 7
    assert failure(Said(status=503)).wait is None
    assert retry_after("0.5") == 0.5 and retry_after("-3") == 0 and retry_after("1e9") == 3600
    assert retry_after(None) is retry_after("soon") is retry_after("nan") is None
    assert 50 < retry_after(formatdate(time.time() + 60, usegmt=True)) <= 61
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("status", [401, 429, 500, 200])
def test_the_key_is_in_nothing_that_is_said(status):
    """Some servers repeat the key in what they say of it."""
    body = {"error": {"message": f"Incorrect key {KEY}", "code": KEY}}
    if status == 200:
        with FakeServer(lambda asked, n: Said(text=f"your key is {KEY}")) as server:
            assert KEY not in complete(server.url, key=KEY).text
        return
    error = failure(Said(status=status, body=json.dumps(body).encode()), key=KEY)
    assert KEY not in str(error) and KEY not in repr(error)
    assert error.__cause__ is None and error.__suppress_context__


def test_a_key_that_cannot_be_sent_is_not_repeated():
    with pytest.raises(TeacherError) as caught:
        Teacher("http://localhost/v1", "m", KEY + "\nX: y")
    assert caught.value.code == "unauthorized" and KEY not in str(caught.value)


def test_the_key_is_read_from_its_variable_alone(monkeypatch):
    monkeypatch.setenv("CTX_TEACHER_KEY", f" {KEY} ")
    assert read_key("https://api.test/v1") == ""  # for no server in particular: for none
    monkeypatch.setenv("CTX_TEACHER_URL", "https://API.test/")
    assert read_key("https://api.test/v1/chat/completions") == KEY
    for other in ("http://api.test/v1", "https://api.test:8443/v1", "https://api.test.evil/v1"):
        assert read_key(other) == ""
    monkeypatch.delenv("CTX_TEACHER_KEY")
    assert read_key("https://api.test/v1") == ""


def test_what_is_meant_for_openai_is_not_sent_to_others(monkeypatch):
    names = ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID")
    for name in names:
        monkeypatch.setenv(f"OPENAI_{name}", "theirs")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: theirs")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://theirs.example/v1")
    with FakeServer() as server:
        complete(server.url)
    assert "theirs" not in str(server.asked[0].headers)


def test_the_library_is_imported_when_it_is_needed():
    code = "import sys, engine.teacher, db.store; print('openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
