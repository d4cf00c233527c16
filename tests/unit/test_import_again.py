"""A file that is brought again: nothing doubles, and its questions are found by either import."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.dataset.importing import bring
from db.store import Filter, Origin, Store, open_store
from engine.sense import Query, Sense

PAIR = "en-zh"
TEXT = "Banks lend money.\nDogs chase cats.\n"


@pytest.fixture
def store(tmp_path: Path):
    with open_store(tmp_path / "ctx.db") as store:
        yield store


def text(tmp_path: Path, content: str = TEXT, name: str = "a.txt") -> Path:
    file = tmp_path / name
    file.write_text(content)
    return file


def found(store: Store, import_id: int) -> set[str]:
    store.review.work_off()
    rows = store.browse.page(PAIR, Filter(import_id=import_id))
    assert len(rows) == store.browse.count(PAIR, Filter(import_id=import_id))
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    return {row.query.target for row in rows}


def test_known_questions_are_found_by_the_import_that_brought_them_again(store, tmp_path) -> None:
    first, _ = bring(store, text(tmp_path), Origin("a", ""))
    again, counts = bring(store, text(tmp_path), Origin("a", ""))
    part, _ = bring(store, text(tmp_path, "Dogs chase cats.\nBirds sing.\n"), Origin("b", ""))
    assert (counts.queries, counts.known) == (0, 6)
    assert found(store, first) == found(store, again) == {
        "Banks", "lend", "money", "Dogs", "chase", "cats",
    }  # fmt: skip
    assert found(store, part) == {"Dogs", "chase", "cats", "Birds", "sing"}
    opened = store.review.next(PAIR, "Ann", Filter(import_id=again))
    assert store.queries.get(opened).context in TEXT
    spread = store.browse.spread_of(PAIR)  # counted by the first import alone
    assert spread["source"] == {}


def test_what_is_taken_back_is_found_no_more(store, tmp_path) -> None:
    first, _ = bring(store, text(tmp_path), Origin("a", ""))
    again, _ = bring(store, text(tmp_path), Origin("a", ""))
    assert found(store, first)
    store.imports.undo(first)
    assert found(store, first) == set()
    assert len(found(store, again)) == 6
    store.imports.undo(again)
    assert found(store, again) == set()


def test_rows_and_sentences_alike(store, tmp_path) -> None:
    query = Query("Dogs chase cats.", 0)
    store.labels.add_label(query, Sense("noun", "狗"), "teacher", "T", "proposed")
    first, _ = bring(store, text(tmp_path), Origin("a", ""))
    row = '{"context": "Dogs chase cats.", "target": "Dogs", "class": "noun", "zh": "狗"}\n'
    rows, counts = bring(store, text(tmp_path, row, "b.jsonl"), Origin("b", "", who="T"))
    assert (counts.queries, counts.known, counts.labels) == (0, 1, 0)
    assert found(store, rows) == {"Dogs"} and len(found(store, first)) == 6


def test_an_older_database_knows_it_too(tmp_path) -> None:
    with open_store(tmp_path / "ctx.db") as store:
        bring(store, text(tmp_path), Origin("a", ""))
        again, _ = bring(store, text(tmp_path), Origin("a", ""))
        store.review.work_off()
        with store._connections.write() as db:
            db.execute("DELETE FROM item_of_import")
            from db.store.schema_review import REVIEW_MORE

            for statement in REVIEW_MORE[1:3]:
                db.execute(statement)
        assert len(found(store, again)) == 6
