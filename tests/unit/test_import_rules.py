"""Rows that break the labelling rules come in, and whoever brings them hears of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.dataset.importing import bring, preview
from db.store import Origin, Store, open_store
from engine.rules import RULES
from engine.sense import ask
from ui.strings import STRINGS

GOOD = {"context": "Call me back.", "target": "back", "idx": 1, "class": "adverb", "zh": "回"}
SEVERAL = GOOD | {"target": "me", "class": "pronoun", "zh": "我，我的"}
LONG = GOOD | {"target": "Call", "class": "verb", "zh": "打电话给某一个人，通话"}
PEOPLE = Origin("rows", "", who="Ann", source="person", status="accepted")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    rows = [json.dumps(row) for row in (GOOD, SEVERAL, LONG)]
    file.write_text("\n".join([*rows, "{broken"]))
    return file


@pytest.fixture
def store(tmp_path: Path):
    with open_store(tmp_path / "ctx.db") as store:
        yield store


def test_a_preview_counts_rows_that_break_rules_and_shows_some(file: Path) -> None:
    found = preview(file)
    assert (found.rows, found.against) == (3, 2)
    assert found.broken == {"several_meanings": 2, "meaning_too_long": 1}
    assert [(one.number, one.detail) for one in found.odd] == [
        (2, "several_meanings"),
        (3, "meaning_too_long several_meanings"),
    ]
    assert set(found.refused) != set() and len(found.good) == 3


@pytest.mark.parametrize("origin", [PEOPLE, Origin("rows", "", who="T")])
def test_they_are_kept_and_counted_whoever_gave_them(
    store: Store, file: Path, origin: Origin
) -> None:
    number, counts = bring(store, file, origin)
    assert (counts.labels, counts.against) == (3, 2)
    assert counts.broken == {"several_meanings": 2, "meaning_too_long": 1}
    (label,) = store.labels.history(ask("Call me back.", "me"))
    assert (label.status, label.sense.meaning) == (origin.status, "我，我的")
    (found,) = store.imports.list_imports()
    assert (found.against, found.broken, sum(found.refused.values())) == (2, counts.broken, 1)
    assert [one.detail for one in store.imports.against(number)] == [
        "several_meanings",
        "meaning_too_long several_meanings",
    ]
    assert [one.number for one in store.imports.against(number, after=2)] == [3]
    assert [one.raw for one in store.imports.refused(number)] == ["{broken"]


def test_another_who_says_the_same_hears_of_it_too(store: Store, file: Path) -> None:
    bring(store, file, PEOPLE)
    _, again = bring(store, file, PEOPLE)
    assert (again.labels, again.against) == (0, 2)


def test_every_rule_is_said_in_both_languages() -> None:
    for strings in STRINGS.values():
        assert {f"rule_{rule}" for rule in RULES} <= strings.keys()
