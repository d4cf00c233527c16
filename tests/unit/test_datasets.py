"""Freezing: by filter, without what breaks the rules, with splits that never change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.dataset.importing import bring
from db.store import Filter, InvalidRows, Origin, Refused, Store, open_store
from db.store.connection import insert_row
from engine.sense import Phrase, Query, Sense, to_wire
from engine.split import SPLITS, folded, split_of

PAIR = "en-zh"
COLUMNS = ("context", "target", "idx", "class", "zh", "phrase")
GOOD = ("Call me back.", "back", 1, "adverb", "回", "Call back|回电话")
ROWS = [
    GOOD,
    ("Call me back.", "me", 1, "pronoun", "我", ""),
    ("The bank is closed.", "bank", 1, "noun", "银行", ""),
    ("The bank was old.", "bank", 1, "noun", "河岸、银行", ""),
    ("A river bank is wet.", "bank", 1, "noun", "bank of a river", ""),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(dict(zip(COLUMNS, row))) for row in ROWS))
    with open_store(tmp_path / "ctx.db") as store:
        bring(store, file, Origin("rows", "", who="T"))
        yield store


def accept(store: Store, context: str, position: int, sense: Sense) -> None:
    store.labels.add_label(Query(context, position), sense, "person", "Ann", "accepted")


def test_invalid_rows_refuse_the_set_and_are_listed(store: Store) -> None:
    with pytest.raises(InvalidRows) as refused:
        store.datasets.freeze("all", PAIR, accepted=False)
    survey = refused.value.survey
    assert (survey.rows, survey.invalid) == (3, 2)
    assert [(one.row.query.context, one.reasons) for one in survey.shown] == [
        ("A river bank is wet.", ("meaning_too_long", "meaning_no_chinese")),
        ("The bank was old.", ("several_meanings",)),
    ]
    assert store.datasets.list_datasets() == ()
    made = store.datasets.freeze("all", PAIR, accepted=False, leave_out=True)
    assert made.rows == 3
    assert made.left_out == {
        "meaning_too_long": 1, "meaning_no_chinese": 1, "several_meanings": 1,
    }  # fmt: skip


def test_what_a_person_accepted_need_not_follow_the_rules_of_taste(store: Store) -> None:
    accept(store, "The bank was old.", 1, Sense("noun", "河岸、银行"))
    made = store.datasets.freeze("mine", PAIR)
    assert (made.rows, made.left_out) == (1, {})


def test_a_row_that_could_not_be_read_again_is_invalid_whoever_gave_it(store: Store) -> None:
    accept(store, "Call me back.", 2, Sense("adverb", "回", Phrase((0, 2), "")))
    with pytest.raises(InvalidRows) as refused:
        store.datasets.freeze("mine", PAIR)
    assert refused.value.survey.reasons == {"answer_does_not_fit": 1}
    with pytest.raises(Refused, match="no such"):
        store.datasets.freeze("mine", PAIR, leave_out=True)


def test_a_label_from_other_rules_for_words_is_invalid(store: Store) -> None:
    """Labels are kept for ever, so some may name words that are none any more."""
    with store._connections.write() as db:
        query_id = db.execute("SELECT id FROM query WHERE target = 'me'").fetchone()[0]
        label = {
            "query_id": query_id, "version": 2, "class": "pronoun", "meaning": "我",
            "members": "[1, 7]", "phrase_meaning": "我", "source": "person", "who": "Ann",
            "status": "accepted", "created": "2026",
        }  # fmt: skip
        insert_row(db, "label", label)
    survey = store.datasets.survey(PAIR)
    assert (survey.rows, survey.reasons) == (0, {"bad_members": 1})


def test_freezing_by_filter(store: Store) -> None:
    chosen = Filter(word_class="noun", text="closed")
    made = store.datasets.freeze("banks", PAIR, accepted=False, chosen=chosen, who="Ann")
    assert (made.rows, made.who) == (1, "Ann")
    assert made.chosen == {"word_class": "noun", "text": "closed"}
    assert [row.query.context for row in store.exports.of_dataset("banks")] == [
        "The bank is closed."
    ]
    split = store.datasets.freeze("split", PAIR, accepted=False, chosen=Filter(shape="split"))
    assert split.rows == 1
    with pytest.raises(Refused) as taken:
        store.datasets.freeze("split", PAIR, accepted=False)
    assert taken.value.code == "name_taken"


def test_the_hash_is_that_of_all_rows_in_order(store: Store) -> None:
    made = store.datasets.freeze("all", PAIR, accepted=False, leave_out=True)
    lines = sorted(
        (row.query.context, row.query.position, PAIR, *to_wire(row.query, row.sense).values())
        for row in store.exports.of_dataset("all")
    )
    text = json.dumps(lines, ensure_ascii=False)
    assert made.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_set_says_its_splits_and_no_sentence_is_in_two(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [
        (mark.format(f"Bank {n} is open"), "bank", 1, "noun", "银行", "")
        for n in range(150)
        for mark in ("{}.", "{}!", '"{}"')
    ]
    file.write_text("\n".join(json.dumps(dict(zip(COLUMNS, row))) for row in rows))
    with open_store(tmp_path / "ctx.db") as store:
        bring(store, file, Origin("rows", "", who="T"))
        made = store.datasets.freeze("all", PAIR, accepted=False)
        assert sum(made.splits.values()) == made.rows == 450
        assert all(made.splits[split] > 0 for split in SPLITS)
        found: dict[str, set[str]] = {split: set() for split in SPLITS}
        for row in store.exports.of_dataset("all"):
            found[split_of(row.query.context)].add(folded(row.query.context))
        assert sum(len(found[split]) for split in SPLITS) == 150
        assert all(len(found[split]) * 3 == made.splits[split] for split in SPLITS)
        with store._connections.alone() as db:  # as it was before splits were counted
            db.execute("DROP TRIGGER dataset_split_never_deleted")
            db.execute("DELETE FROM dataset_split")
        assert store.datasets.get("all").splits == made.splits


@given(st.text("abc dE-'é。.!?，", min_size=1), st.sampled_from([str.upper, str.lower, str.title]))
def test_near_identical_sentences_share_a_split(text: str, change) -> None:
    if folded(text) == folded(change(text)):  # some letters change with their case
        assert split_of(text) == split_of(change(text)) == split_of(f"“{text}”!")


def test_splits_stay_what_they_were() -> None:
    """For ever: a change here moves test sentences into somebody's training rows."""
    told = [split_of(f"This is sentence number {n}.") for n in range(60)]
    assert [n for n, split in enumerate(told) if split == "dev"] == DEV
    assert [n for n, split in enumerate(told) if split == "test"] == TEST


DEV, TEST = [13, 44, 50, 53, 58], [7, 34, 55]
