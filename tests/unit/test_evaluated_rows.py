"""A row of an evaluation in the review queue: found by its word's place, or brought in once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from db.store import Store, open_store
from engine.sense import Query
from engine.settings import read_settings
from tests.fake_engine import FakeLookup
from tests.stored_evaluations import add_evaluation
from trainer.jobs.process import job_folder
from trainer.jobs.queue import Jobs
from ui.access import Access
from ui.label.queue import QueueDesk
from ui.services import Services

HOSTILE = [None, [], {}, {"who": "A"}, {"who": "A", "evaluation": 1, "row": -1}]
HOSTILE += [{"who": "A", "evaluation": 1, "row": n} for n in (True, "0", 1.0, 10**9, 2**60)]
HOSTILE += [{"who": "A", "evaluation": n, "row": 0} for n in (99, "1", True, [])]
HOSTILE += [{"who": "", "evaluation": 1, "row": 0}, {"who": {}, "evaluation": 1, "row": 0}]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "ctx.db") as store:
        add_evaluation(store, tmp_path, 12)
        yield store


def make(store: Store, hosted: bool = False):
    home = store.path.parent
    settings = read_settings({"CTX_HOME": str(home)})
    services = Services(settings, FakeLookup(), store, Access(hosted), Jobs(store, home))
    served = QueueDesk(services).served()["open_row"]
    return lambda data: asyncio.run(served(data))


def row_of(store: Store, number: int) -> dict:
    lines = (job_folder(store.path.parent, 1) / "answers.jsonl").read_text().splitlines()
    return json.loads(lines[number])


def change_row(store: Store, number: int, **changes: object) -> None:
    file = job_folder(store.path.parent, 1) / "answers.jsonl"
    lines = file.read_text().splitlines()
    lines[number] = json.dumps(json.loads(lines[number]) | changes)
    file.write_text("\n".join(lines) + "\n")


def test_a_row_is_brought_in_once_with_its_reference(store: Store) -> None:
    ask, row = make(store), row_of(store, 3)
    item = ask({"who": "Ann", "evaluation": 1, "row": 3})["item"]
    assert "".join(item["pieces"]) == row["context"] and item["position"] == row["position"]
    assert item["standing"]["meaning"] == row["reference"]["zh"] and item["status"] == "open"
    (by,) = item["answers"][0]["by"]
    assert by == {"source": "teacher", "who": "en-zh-gold", "status": "proposed"}
    assert ask({"who": "Ann", "evaluation": 1, "row": 3})["item"]["id"] == item["id"]
    assert ask({"who": "Ann", "evaluation": 1, "row": 4})["item"]["id"] != item["id"]
    (found,) = store.imports.list_imports()
    assert (found.name, found.who, found.lines) == ("evaluation: en-zh-gold", "Ann", 2)
    assert found.finished


def test_a_row_that_the_store_has_is_only_opened(store: Store) -> None:
    row = row_of(store, 0)
    known = store.queries.add(Query(row["context"], row["position"]))
    reply = make(store)({"who": "Ann", "evaluation": 1, "row": 0})
    assert reply["item"]["id"] == known and not store.imports.list_imports()


def test_many_clicks_bring_a_row_once(store: Store) -> None:
    ask = make(store)
    with ThreadPoolExecutor(4) as pool:
        asked = [{"who": f"P{n}", "evaluation": 1, "row": 5} for n in range(8)]
        ids = {reply["item"]["id"] for reply in pool.map(ask, asked)}
    assert len(ids) == 1 and store.imports.list_imports()[0].lines == 1


def test_a_reference_that_is_not_whole_is_no_proposal(store: Store) -> None:
    change_row(store, 1, fields=["phrase"])
    change_row(store, 2, reference=row_of(store, 2)["reference"] | {"class": "nonsense"})
    for number in (1, 2):
        item = make(store)({"who": "Ann", "evaluation": 1, "row": number})["item"]
        assert item["answers"] == [] and item["standing"] is None


def test_what_is_taken_back_can_be_brought_anew(store: Store) -> None:
    ask = make(store)
    ask({"who": "Ann", "evaluation": 1, "row": 0})
    store.imports.undo(1)
    ask({"who": "Ann", "evaluation": 1, "row": 1})
    assert [one.lines for one in store.imports.list_imports()] == [1, 1]


@pytest.mark.parametrize("asked", HOSTILE, ids=str)
def test_hostile_questions_bring_nothing(store: Store, asked: object) -> None:
    reply = make(store)(asked)
    assert reply["error"] not in ("unexpected", "") and not store.imports.list_imports()


def test_a_sentence_without_a_word_is_no_item(store: Store) -> None:
    change_row(store, 0, position=None)
    assert make(store)({"who": "Ann", "evaluation": 1, "row": 0}) == {"error": "unknown_value"}


def test_a_hosted_app_brings_nothing(store: Store) -> None:
    reply = make(store, hosted=True)({"who": "Ann", "evaluation": 1, "row": 0})
    assert reply.keys() == {"error"} and not store.imports.list_imports()
