"""What the Import view may ask, asked by strangers: previews, imports, taking them back."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from pathlib import Path

import pytest

from db.dataset import formats, importing, incoming
from db.dataset.running import MOST_LOOKS, count_lines
from db.store import Store, checks, open_store
from engine import sense
from engine.settings import Settings
from ui.access import Access
from ui.label.bring import BringDesk
from ui.page import launch_options
from ui.services import Services
from ui.strings import STRINGS

STORY = "The bank closed early.\nYou.\n\nShe turned the old offer down.\n"
ROW = {"context": "Call me back.", "target": "back", "idx": 1, "class": "adverb", "zh": "回",
       "phrase": "Call back|回电话"}  # fmt: skip


class Page:
    """A page and the folder that its files are sent to."""

    def __init__(self, store: Store, uploads: Path, hosted: bool = False):
        services = Services(Settings(hosted=hosted), None, store, Access(hosted))  # type: ignore[arg-type]
        self.desk = BringDesk(services, uploads)
        self.served = self.desk.served()
        self.uploads = uploads

    def ask(self, name: str, **question: object) -> dict:
        reply = asyncio.run(self.served[name]({"who": "Ann", **question}))
        return json.loads(json.dumps(reply))

    def upload(self, text: str, name: str = "pasted.txt") -> str:
        file = self.uploads / name
        file.write_text(text, encoding="utf-8")
        return str(file)

    def look(self, text: str, name: str = "pasted.txt") -> dict:
        reply = self.ask("look", path=self.upload(text, name))
        while "preview" not in reply and "error" not in reply:
            reply = self.ask("looked", look=reply["look"])
        return reply

    def bring(self, text: str, name: str = "pasted.txt", **said: object) -> dict:
        look = self.look(text, name)["look"]
        return self.ask("bring", **{"look": look, "words": 12, **said})

    def end(self) -> dict:
        deadline = time.monotonic() + 60
        while (run := self.ask("progress")["run"])["state"] in ("running", "settling"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return run


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "ctx.db") as store:
        yield store


@pytest.fixture
def page(store, tmp_path):
    (tmp_path / "uploads").mkdir()
    return Page(store, tmp_path / "uploads")


def test_a_pasted_text_is_previewed_and_nothing_is_stored(page, store):
    found = page.look(STORY)["preview"]
    assert (found["format"], found["encoding"], found["whole"]) == ("text", "utf-8", True)
    assert (found["sentences"], found["rows"], found["lines"]) == (2, 0, 4)
    first, second = found["good"]
    assert "".join(first["pieces"]) == "The bank closed early."
    assert [first["pieces"][2 * w + 1] for w in first["asked"]] == ["bank", "closed", "early"]
    assert found["words"] == [[3, 2]] and len(second["asked"]) == 3
    assert found["refused"] == [["no_words", 1]]
    assert found["bad"] == [{"number": 2, "part": 0, "reason": "no_words", "rules": [],
                             "raw": "You."}]  # fmt: skip
    assert store.imports.list_imports() == () and store.exports.counts("en-zh")["queries"] == 0


def test_a_text_is_imported_listed_and_taken_back(page, store):
    reply = page.bring(STORY, name="a.txt", origin="my diary", words=2)
    number = reply["run"]["number"]
    run = page.end()
    assert (run["state"], run["queries"], run["refused"]) == ("whole", 4, 1)
    (found,) = page.ask("imports")["imports"]
    kept = ("number", "name", "origin", "who", "state", "lines", "refused")
    assert [found[key] for key in kept] == [number, "a.txt", "my diary", "Ann", "whole", 3, 1]
    assert store.browse.count("en-zh") == 4, "the queue is ready"
    lines = page.ask("refused", number=number, after=0, part=0)
    assert [line["raw"] for line in lines["lines"]] == ["You."] and not lines["more"]
    assert page.ask("take_back", number=number) == {"number": number}
    assert page.ask("imports")["imports"][0]["state"] == "undone"
    assert store.browse.count("en-zh") == 0
    assert page.ask("take_back", number=number)["error"] == "unknown_value"


@pytest.mark.parametrize("people", [False, True])
def test_whose_answers_they_are_must_be_said(page, store, people):
    text = json.dumps(ROW)
    assert page.bring(text, "a.jsonl", people=people)["error"] == "no_answerer"
    assert store.imports.list_imports() == ()
    page.bring(text, "a.jsonl", people=people, answers="Bob")
    assert page.end()["labels"] == 1
    (label,) = store.labels.history(sense.ask("Call me back.", "back"))
    told = ("person", "Bob", "accepted") if people else ("teacher", "Bob", "proposed")
    assert (label.source, label.who, label.status) == told


def test_a_preview_refuses_what_the_import_would(page):
    rows = [ROW, ROW | {"zh": "长" * 201}, ROW | {"zh": "a\x07b"}, ROW | {"target": "cat"}]
    text = "\n".join([*map(json.dumps, rows), "{broken"])
    found = page.look(text, "a.jsonl")["preview"]
    page.bring(text, "a.jsonl", answers="T")
    page.end()
    (listed,) = page.ask("imports")["imports"]
    assert found["refused"] == listed["reasons"] and listed["refused"] == 4
    assert found["good"][0]["answer"]["members"] == [0, 2]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("a.json", "[\n{}]", "unknown_format"),
        ("a.jsonl", '{"a": 1}', "unknown_format"),
        ("a.txt", "", "empty_file"),
        ("a.parquet", "not parquet", "not_text_file"),
    ],
)
def test_what_is_no_known_file_is_refused_in_words(page, name, text, code):
    assert page.look(text, name)["error"] == code
    assert all(f"error_{code}" in strings for strings in STRINGS.values())


def test_an_encoding_is_guessed_as_english_has_it_and_can_be_chosen(page, store):
    text = "The café closed. “It was naïve.”\n"
    path = page.uploads / "a.txt"
    path.write_bytes(text.encode("cp1252"))
    reply = page.ask("look", path=str(path))
    assert reply["preview"]["encoding"] == "cp1252"
    assert "".join(reply["preview"]["good"][0]["pieces"]) == "The café closed."
    path.write_bytes(text.encode("mac_roman"))
    wrong = page.ask("look", path=str(path))
    assert "".join(wrong["preview"]["good"][0]["pieces"]) != "The café closed."
    right = page.ask("look", look=wrong["look"], encoding="mac_roman")
    page.ask("bring", look=right["look"], words=12)
    page.end()
    assert store.queries.find(sense.ask("The café closed.", "café"))
    assert page.ask("look", look=wrong["look"], encoding="rot13")["error"] == "not_understood"


def test_only_uploaded_files_are_read(page, tmp_path):
    outside = tmp_path / "secret.txt"
    outside.write_text("The secret bank.")
    (page.uploads / "link.txt").symlink_to(outside)
    for path in (
        str(outside),
        str(page.uploads / ".." / "secret.txt"),
        str(page.uploads / "link.txt"),
        str(page.uploads),
        "/etc/passwd",
        "none.txt",
        "a\0b",
        "",
        "x" * 10_000,
    ):
        assert page.ask("look", path=path) == {"error": "file_gone"}, path
    assert page.ask("look", path=["a"])["error"] == "not_understood"


def test_odd_questions_are_refused(page):
    look = page.look(STORY)["look"]
    for words in (0, 41, -1, True, "9", None, 1e9):
        assert page.ask("bring", look=look, words=words)["error"] == "not_understood"
    assert page.ask("bring", look="none", words=9)["error"] == "file_gone"
    assert page.ask("bring", look=look, words=9, origin="x" * 501)["error"] == "too_long"
    assert page.ask("looked", look="none")["error"] == "file_gone"
    assert page.ask("halt", number=7)["error"] == "unknown_value"
    assert page.ask("take_back", number="1")["error"] == "not_understood"
    assert page.ask("refused", number=1, after=-1, part=0)["error"] == "not_understood"
    assert page.ask("imports")["imports"] == []


def test_a_hosted_app_refuses_all_of_it(store, tmp_path):
    page = Page(store, tmp_path, hosted=True)
    path = page.upload(STORY)
    questions = {"look": {"path": path}, "refused": {"number": 1, "after": 0, "part": 0}}
    for name in page.served:
        reply = page.ask(name, **questions.get(name, {"number": 1, "look": "x"}))
        assert reply == {"error": "hosted_read_only"}, name
    assert store.imports.list_imports() == () and page.desk._looks._looks == {}


def test_large_files_are_taken_at_home_only():
    home, hosted = (launch_options(Settings(hosted=hosted)) for hosted in (False, True))
    assert home["max_file_size"] >= 300 * 2**20
    assert hosted["max_file_size"] <= 2**20


@pytest.fixture
def slow(store, monkeypatch):
    """Batches of ten lines, each of which waits for leave."""
    leave, add = threading.Semaphore(0), store.imports.add

    def wait(*arguments):
        leave.acquire()
        return add(*arguments)

    monkeypatch.setattr(importing, "BATCH", 10)
    monkeypatch.setattr(store.imports, "add", wait)
    return leave


LONG = "".join(f"Number {n} is the bank.\n" for n in range(60))


def test_one_import_at_a_time_goes_on_without_its_page_and_can_be_stopped(page, store, slow):
    number = page.bring(LONG)["run"]["number"]
    assert page.bring(STORY)["error"] == "import_running"
    assert page.ask("take_back", number=number)["error"] == "import_running"
    slow.release(2)
    while (run := page.ask("progress")["run"])["lines"] < 20:  # another page finds it, too
        assert run["state"] == "running", run
        time.sleep(0.01)
    assert (run["state"], run["total"], run["queries"]) == ("running", 60, 60)
    assert page.ask("imports")["imports"][0]["state"] == "running"
    page.ask("halt", number=number)
    slow.release(1)
    assert page.end()["state"] == "stopped"
    (found,) = page.ask("imports")["imports"]
    assert (found["state"], found["lines"]) == ("unfinished", 30)
    assert store.browse.count("en-zh") == 90
    slow.release(100)
    page.bring(LONG)
    run = page.end()
    assert (run["state"], run["queries"], run["known"]) == ("whole", 90, 90)


def test_an_import_ends_with_the_store(page, store, slow):
    page.bring(LONG)
    slow.release(1)
    store.close()
    slow.release(100)
    run = page.end()
    assert (run["state"], run["failure"]) == ("failed", {"error": "closed"})


def test_a_preview_says_how_far_it_is_and_stops_with_what_it_has(page, monkeypatch):
    leave = threading.Semaphore(0)
    monkeypatch.setattr(importing, "_LOOKED", 10)
    monkeypatch.setattr("ui.label.bring._PATIENCE", 0.05)
    read = formats.READERS["text"]

    def reading(source, pair):
        for line in read(source, pair):
            if line.number % 10 == 5:
                leave.acquire()
            yield line

    monkeypatch.setitem(formats.READERS, "text", reading)
    path = page.upload(LONG)
    first = page.ask("look", path=path)
    assert "preview" not in first
    leave.release(2)
    while page.ask("looked", look=first["look"])["lines"] < 20:
        time.sleep(0.01)
    others = [page.ask("look", path=path) for _ in range(MOST_LOOKS)]
    assert others[-1] == {"error": "too_many_looks"}
    reply = page.ask("looked", look=first["look"], stop=True)
    leave.release(100)
    while "preview" not in reply:
        reply = page.ask("looked", look=first["look"])
    found = reply["preview"]
    assert not found["whole"] and found["lines"] == 30 and reply["total"] == 61


def test_refused_lines_come_in_pages_within_a_line_too(page, store):
    text = "The bank. " + "You. " * 120 + "\nYou.\n"
    page.bring(text)
    run = page.end()
    number, after, part, seen = run["number"], 0, 0, []
    while True:
        reply = page.ask("refused", number=number, after=after, part=part)
        seen += [(line["number"], line["part"]) for line in reply["lines"]]
        assert all(line["raw"].startswith(("The bank", "You.")) for line in reply["lines"])
        if not reply["more"]:
            break
        after, part = seen[-1]
    assert seen == [*((1, n) for n in range(1, 121)), (2, 0)]


def test_sentences_that_are_nearly_the_same_are_told(page):
    page.bring("The bank closed.\nThe bank closed!\n")
    assert page.end()["similar"] == 1
    told = page.ask("similar")
    assert told == {"groups": [["The bank closed.", "The bank closed!"]], "more": False}


def test_lines_are_counted_before_they_are_read(tmp_path):
    file = tmp_path / "a.txt"
    for text in ("a\nb\nc", "a\r\nb\r\nc", "a\rb\rc"):
        file.write_bytes(text.encode())
        assert count_lines(file) == 3


def test_every_reason_is_said_in_both_languages():
    codes = {"no_words", "malformed", "answer_does_not_fit", *incoming.REASONS}
    for module in (incoming, sense, checks):
        source = Path(module.__file__).read_text(encoding="utf-8")
        codes |= set(re.findall(r'(?:Bad|QueryError|Refused)\(\s*"(\w+)"', source))
    codes |= sense._REASONS.keys()
    assert len(codes) > 15
    for strings in STRINGS.values():
        assert {f"reason_{code}" for code in codes} <= strings.keys()
