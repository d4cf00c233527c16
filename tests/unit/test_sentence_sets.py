"""Frozen sets of sentences with their translations: what is in them, and a run that learns one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from db.store import Brought, Origin, Refused, Store, open_store
from db.store.schema_sentences import SENTENCES
from engine.settings import Settings
from engine.split import split_of_translation
from trainer.jobs.frozen import place
from trainer.jobs.train import prepare
from trainer.recipe import RecipeError, parse_recipe
from trainer.splits import load_splits

ROWS = [(f"Das ist Satz {n}.", f"This is sentence {n}.") for n in range(60)]


@pytest.fixture
def store(tmp_path: Path):
    with open_store(tmp_path / "ctx.db") as opened:
        bring(opened, [*ROWS, ("Ohne Übersetzung.", "")])
        yield opened


def bring(store: Store, rows: list[tuple[str, str]], name: str = "pairs.tsv") -> int:
    origin = Origin(name, "flat", "de-en")
    number = store.imports.begin(origin)
    lines = [
        Brought(n, 0, text, context=text, translation=told) for n, (text, told) in enumerate(rows)
    ]
    store.imports.add(number, origin, lines)
    return number


def test_what_came_with_a_translation_is_frozen(store):
    made = store.sentence_sets.freeze("mine", "de-en", description="numbers", who="Ann")
    assert (made.pair, made.rows, made.description, made.who) == ("de-en", 60, "numbers", "Ann")
    assert store.sentence_sets.rows("mine") == ROWS
    assert made.splits == store.sentence_sets.count("de-en")
    assert made.splits["train"] == sum(split_of_translation(*r, "de-en") == "train" for r in ROWS)
    again = store.sentence_sets.freeze("again", "de-en")
    assert again.sha256 == made.sha256 and again.id != made.id


def test_it_stays_as_it_is_whatever_is_taken_back(store):
    later = bring(store, [("Noch einer.", "One more.")], "more.tsv")
    made = store.sentence_sets.freeze("mine", "de-en")
    store.imports.undo(later)
    assert len(store.sentence_sets.rows("mine")) == 61 == made.rows
    assert sum(store.sentence_sets.count("de-en").values()) == 60
    with sqlite3.connect(store.path) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute("DELETE FROM sentence_set_row")
    assert SENTENCES


@pytest.mark.parametrize(
    "name, pair, code", [("", "de-en", "no_text"), ("a", "en-hi", "no_rows"), ("a", "x", None)]
)
def test_what_cannot_be_frozen(store, name, pair, code):
    with pytest.raises(Refused) as error:
        store.sentence_sets.freeze(name, pair)
    assert code in (None, error.value.code)


def test_a_name_is_given_once(store):
    store.sentence_sets.freeze("mine", "de-en")
    with pytest.raises(Refused) as error:
        store.sentence_sets.freeze("mine", "de-en")
    assert error.value.code == "name_taken"
    with pytest.raises(Refused) as error:
        store.datasets.freeze("mine", "en-zh")
    assert error.value.code == "name_taken"


def test_a_run_learns_what_was_frozen(store, tmp_path):
    store.sentence_sets.freeze("mine", "de-en")
    recipe = parse_recipe({
        "pair": "de-en", "task": "translation", "style": "short",
        "sources": [{"name": "mine", "path": "mine", "format": "dataset"}],
    })  # fmt: skip
    assert prepare(
        {
            "pair": "de-en",
            "task": "translation",
            "style": "short",
            "sources": [{"name": "mine", "path": "mine", "format": "dataset"}],
        }
    )
    placed, taught = place(recipe, store, tmp_path)
    assert taught == () and placed.sources[0].format == "translations"
    splits, data = load_splits(placed, tmp_path, Settings(home=tmp_path))
    counts = store.sentence_sets.get("mine").splits
    assert {name: len(splits[name]) for name in counts} == dict(counts)
    assert data[0]["rows"] == 60 and not data[0]["refused"]
    assert all(e.query.pair == "de-en" and e.text.startswith("This is") for e in splits["train"])
    assert place(recipe, store, tmp_path)[0] == placed, "the file is written once"


def test_words_and_sentences_are_not_mixed():
    for task, form in (("sense", "translations"), ("translation", "flat")):
        with pytest.raises(RecipeError):
            parse_recipe({
                "task": task, "style": "short" if task == "translation" else "last",
                "sources": [{"name": "a", "path": "a", "format": form}],
            })  # fmt: skip
