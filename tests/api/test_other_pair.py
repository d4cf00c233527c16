"""The loop in a pair that nothing ships for: German words that people labelled are frozen, a run on
the real base learns them, it is promoted, and readers' lookup answers with it, in English.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.store import Store, open_store
from engine.beside import PairEngines
from engine.lookup import Lookup
from engine.sense import Query, QueryError, Sense, context_words
from engine.settings import Settings
from engine.split import split_of
from tests.real import ROOT, fresh_home
from tests.unit.test_lookup import CountingEngine

PAIR = "de-en"
NOUNS = {
    "Der Hund": "dog", "Die Katze": "cat", "Das Haus": "house", "Der Baum": "tree",
    "Der Mann": "man", "Die Frau": "woman", "Das Kind": "child", "Das Buch": "book",
}  # fmt: skip
ADJECTIVES = {
    "alt": "old", "klein": "small", "neu": "new", "rot": "red", "groß": "big", "gut": "good",
}  # fmt: skip


def sentences() -> dict[str, list[tuple[str, str]]]:
    """Sentences of few words, with each word's class and meaning."""
    found = {}
    for noun, meaning in NOUNS.items():
        for adjective, told in ADJECTIVES.items():
            middle = [("determiner", "the"), ("noun", meaning)]
            found[f"{noun} ist {adjective}."] = [
                *middle, ("auxiliary", "be"), ("adjective", told)
            ]  # fmt: skip
            article, word = noun.split()
            found[f"Warum ist {article.lower()} {word} {adjective}?"] = [
                ("adverb", "why"), ("auxiliary", "be"), *middle, ("adjective", told)
            ]  # fmt: skip
    return found


def label(store: Store) -> None:
    for context, told in sentences().items():
        assert len(context_words(context, PAIR)) == len(told)
        for position, (word_class, meaning) in enumerate(told):
            query, sense = Query(context, position, PAIR), Sense(word_class, meaning)
            store.labels.add_label(query, sense, "person", "Ann", "accepted")


def trainer(home: Path, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "trainer", *map(str, arguments)],
        cwd=ROOT, env=os.environ | {"CTX_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.timeout(1200)
def test_german_words_are_learnt_and_answered_in_english(models_home: Path, tmp_path: Path):
    home = fresh_home(tmp_path / "home", models_home)
    settings = Settings(home=home)
    lookup = Lookup(lambda progress: CountingEngine())
    lookup.also(PairEngines(settings))
    with open_store(settings.database) as store:
        label(store)
        frozen = store.datasets.freeze("german", PAIR)
        assert frozen.rows == 432 and min(frozen.splits.values()) > 0
    recipe = {
        "name": "de-en-sense", "pair": PAIR, "steps": 16, "epochs": 20, "batch": 16, "rate": 1e-3,
        "evaluate_every": 100, "guard_rows": 0, "scored_rows": 10, "dev_rows": 20, "rank": 8,
        "sources": [{"name": "german", "path": "german", "format": "dataset"}],
    }  # fmt: skip
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    with pytest.raises(QueryError):
        asyncio.run(lookup.answers("Der Hund ist alt.", PAIR))
    print(trainer(home, "run", tmp_path / "recipe.json")[-2000:])
    trainer(home, "promote", "run:1", "--reason", "a test")
    assert "readers have this" in trainer(home, "models")

    lookup.start()
    asked = {c: told for c, told in sentences().items() if split_of(c, PAIR) != "train"}

    async def ask() -> dict[str, tuple]:
        return {context: await lookup.answers(context, PAIR) for context in asked}

    try:
        answers = asyncio.run(ask())
        again = lookup.kept(next(iter(asked)), PAIR)
        engine = lookup.engine_of(PAIR)
    finally:
        lookup.close()
    senses = [(a.sense.word_class, a.sense.meaning) for mine in answers.values() for a in mine]
    wanted = [pair for told in asked.values() for pair in told]
    right = sum(a == b for a, b in zip(senses, wanted, strict=True))
    print(f"{right} of {len(wanted)} words of {len(asked)} held-out sentences: {senses[:8]}")
    assert right >= 0.7 * len(wanted)
    assert engine and engine.title == "de-en-sense" and again == answers[next(iter(asked))]
