"""en-zh-gold on a first start: brought in once, frozen, not for readers, never back after undo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.dataset import shipped
from db.dataset.importing import bring
from db.dataset.shipped import GOLD, bring_gold, bring_in_quiet
from db.store import Origin, Store, open_store
from engine.sense import Query, Sense

PAIR = "en-zh"
ROW = {
    "context": "Call me back.", "target": "back", "idx": 1, "class": "adverb", "zh": "回",
    "phrase": "Call back|回电话",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "gold"
    folder.mkdir()
    rows = [ROW, ROW | {"target": "front"}, ROW | {"zh": "回、来", "target": "Call"}]
    for name in ("b", "a"):
        lines = [json.dumps(row | {"context": f"Call me back, {name}."}) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "ctx.db") as store:
        yield store


def test_it_comes_once_as_accepted_rows_and_a_dataset(store: Store, folder: Path) -> None:
    assert bring_gold(store, folder)
    assert not bring_gold(store, folder)
    (one,) = store.imports.list_imports()
    assert (one.name, one.who, one.lines, bool(one.finished)) == (GOLD, GOLD, 6, True)
    assert one.refused == {"target_not_found": 2}
    assert store.browse.states(PAIR)["accepted"] == 4 and store.browse.states(PAIR)["open"] == 0
    (made,) = store.datasets.list_datasets()
    assert (made.name, made.rows, made.left_out) == (GOLD, 2, {"several_meanings": 2})
    assert store.review.next(PAIR, "Ann") is None


def test_readers_see_nothing_of_it(store: Store, folder: Path) -> None:
    bring_gold(store, folder)
    assert store.labels.accepted(PAIR, "Call me back, a.") == {}
    assert store.labels.phrases(PAIR) == ()


def test_taken_back_it_never_comes_again(store: Store, folder: Path) -> None:
    bring_gold(store, folder)
    store.imports.undo(1)
    assert not bring_gold(store, folder)
    store.review.work_off()
    assert store.browse.count(PAIR) == 0
    assert [made.name for made in store.datasets.list_datasets()] == [GOLD], "frozen is frozen"


def test_killed_on_its_way_it_goes_on(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "_BATCH", 4)
    monkeypatch.setattr(shipped.time, "sleep", _kill)
    with pytest.raises(KeyboardInterrupt):
        bring_gold(store, folder)
    monkeypatch.setattr(shipped.time, "sleep", lambda seconds: None)
    assert store.imports.list_imports()[0].lines == 4
    assert bring_gold(store, folder)
    (one,) = store.imports.list_imports()
    assert (one.lines, bool(one.finished)) == (6, True)
    assert len(store.datasets.list_datasets()) == 1


def test_killed_before_its_end_is_noted_it_is_frozen_once(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store.imports, "finish", _kill)
        with pytest.raises(KeyboardInterrupt):
            bring_gold(store, folder)
    assert bring_gold(store, folder)
    assert len(store.datasets.list_datasets()) == 1
    assert store.imports.list_imports()[0].lines == 6


def _kill(*_: object) -> None:
    raise KeyboardInterrupt


def test_it_does_not_mix_with_rows_that_people_had_before(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.txt"
    file.write_text("The bank is closed.")
    number, _ = bring(store, file, Origin("own", ""))
    assert not bring_gold(store, folder)
    store.imports.undo(number)
    assert not bring_gold(store, folder), "that was decided at the first start"


def test_labels_of_their_own_count_as_well(store: Store, folder: Path) -> None:
    store.labels.add_label(Query("A bank.", 1), Sense("noun", "银行"), "person", "Ann", "accepted")
    assert not bring_gold(store, folder)


def test_on_its_thread_it_waits_and_stands_a_store_that_closes(tmp_path: Path) -> None:
    looked = iter([False, True])
    store = open_store(tmp_path / "ctx.db")
    store.close()
    thread = bring_in_quiet(store, lambda: next(looked))
    thread.join(20)
    assert not thread.is_alive() and next(looked, None) is None


def test_the_real_one(tmp_path: Path) -> None:
    with open_store(tmp_path / "ctx.db") as store:
        assert bring_gold(store, pause=0)
        (one,) = store.imports.list_imports()
        assert (one.lines, sum(one.refused.values())) == (14_626, 10)
        made = store.datasets.get(GOLD)
        assert made.rows == 14_613 and sum(made.splits.values()) == made.rows
        assert made.left_out == {"meaning_is_phrase": 2, "phrase_with_article": 1}
