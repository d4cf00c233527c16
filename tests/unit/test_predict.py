"""Queries from a file: an answer a line, in their order, whatever a line holds."""

import json
from contextlib import contextmanager

import pytest

from engine import predict
from engine.lookup import LookupFailed
from engine.settings import Settings
from tests.fake_engine import FakeLookup


class Failing(FakeLookup):
    """Has no answer for one word."""

    async def answer(self, query):
        if query.target == "rain":
            raise LookupFailed("failed", "the model said nothing")
        return await super().answer(query)


@pytest.fixture
def answered(tmp_path, monkeypatch):
    """What comes of lines, read line by line."""

    @contextmanager
    def answering(settings):
        yield Failing()

    monkeypatch.setattr(predict, "_answering", answering)

    def run(lines):
        (tmp_path / "in.jsonl").write_bytes("\n".join(lines).encode())
        predict.predict_file(Settings(home=tmp_path), tmp_path / "in.jsonl", tmp_path / "out.jsonl")
        with (tmp_path / "out.jsonl").open(encoding="utf-8") as out:
            return [json.loads(line) for line in out]

    return run


def test_each_line_is_answered_in_its_place(answered):
    def asked(context, target):
        return json.dumps({"context": context, "target": target}, ensure_ascii=False)

    told = answered([
        asked("A dog runs.", "dog"), asked("Two\u2028cats\x85sleep.", "cats"), "no query",
        asked("The rain falls.", "rain"), asked("A bird sings.\u2029", "bird"),
    ])  # fmt: skip
    assert ["error" in one for one in told] == [False, False, True, True, False]
    assert told[2]["error"].startswith("no query")
    assert told[3] == {"error": "the model said nothing", "code": "failed"}
