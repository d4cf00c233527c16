"""Kept answers come back as they were, and forgotten text leaves no byte in the files."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.store import Refused, Store, open_store
from db.store.answers import scrub
from engine.sense import Answer, Phrase, Sense

RUN = Answer(Sense("verb", "跑", Phrase((1, 3), "用完")), "运行", 0.75, "model", "e1")
SOURCES = st.sampled_from(["model", "book", "person"])
phrases = st.builds(Phrase, st.lists(st.integers(0, 2**40)).map(tuple), st.text(), SOURCES)
senses = st.builds(Sense, st.text(), st.text(), st.none() | phrases)
answers = st.builds(Answer, senses, st.text(), st.floats(0, 1), st.text(), st.text())
_engines = count()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "home" / "ctx.db") as store:
        yield store


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("shared") / "ctx.db") as store:
        yield store


@settings(max_examples=60, deadline=None)
@given(
    pair=st.text(),
    context=st.text(),
    first=st.dictionaries(st.integers(0, 2**40), answers, max_size=5),
    second=st.dictionaries(st.integers(0, 2**40), answers, max_size=5),
)
def test_answers_come_back_as_they_were(
    shared: Store,
    pair: str,
    context: str,
    first: dict[int, Answer],
    second: dict[int, Answer],
) -> None:
    engine = f"engine {next(_engines)}"
    shared.answers.put(engine, pair, context, first)
    assert shared.answers.get(engine, pair, context) == first
    shared.answers.put(engine, pair, context, second)
    assert shared.answers.get(engine, pair, context) == first | second


def test_a_later_answer_takes_the_place_of_an_earlier_one_in_full(store: Store) -> None:
    other = Answer(Sense("noun", "奔跑"), "一回", 0.5, "person", "Ann")
    for answer in (RUN, other, RUN):
        store.answers.put("e1", "en-zh", "They run out.", {1: answer})
        assert store.answers.get("e1", "en-zh", "They run out.") == {1: answer}


def test_another_engine_pair_or_context_has_its_own_answers(store: Store) -> None:
    store.answers.put("e1", "en-zh", "They run out.", {1: RUN})
    assert store.answers.get("e1", "en-zh", "They run out.") == {1: RUN}
    assert store.answers.get("e2", "en-zh", "They run out.") == {}
    assert store.answers.get("e1", "en-de", "They run out.") == {}
    assert store.answers.get("e1", "en-zh", "They run out") == {}


def test_a_context_is_put_whole_or_not_at_all(store: Store) -> None:
    broken = Answer(Sense("verb", None))  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        store.answers.put("e1", "en-zh", "They run out.", {1: RUN, 2: broken})
    assert store.answers.get("e1", "en-zh", "They run out.") == {}


def test_forget_takes_these_contexts_from_every_engine(store: Store) -> None:
    for engine in ("e1", "e2"):
        for context in ("one", "two", "three"):
            store.answers.put(engine, "en-zh", context, {0: RUN, 1: RUN})
    assert store.answers.forget(["one", "two", "one", "never seen"]) == 8
    assert store.answers.forget(["one"]) == 0
    assert store.answers.get("e1", "en-zh", "one") == store.answers.get("e2", "en-zh", "two") == {}
    assert len(store.answers.get("e2", "en-zh", "three")) == 2


def test_forget_other_engines_keeps_this_one(store: Store) -> None:
    for engine in ("e1", "e2", "e3"):
        store.answers.put(engine, "en-zh", "one", {0: RUN})
    assert store.answers.forget_other_engines("e2") == 2
    assert store.answers.get("e1", "en-zh", "one") == {}
    assert store.answers.get("e2", "en-zh", "one") == {0: RUN}


def test_forget_older_counts_from_the_first_time(store: Store) -> None:
    for days in (0, 5, 30):
        store.answers.put("e1", "en-zh", f"{days} days", {0: RUN})
        with closing(sqlite3.connect(store.path, isolation_level=None)) as conn:
            conn.execute(
                "UPDATE kept_context SET created = strftime('%Y-%m-%dT%H:%M:%f', 'now', ?)"
                " WHERE context = ?",
                [f"-{days} days", f"{days} days"],
            )
    store.answers.put("e1", "en-zh", "30 days", {1: RUN})
    assert store.answers.forget_older(9_999_999) == 0
    assert store.answers.forget_older(31) == 0
    assert store.answers.forget_older(29) == 2
    assert store.answers.forget_older(4) == 1
    assert len(store.answers.get("e1", "en-zh", "0 days")) == 1
    assert store.answers.forget_older(0) == 1


def bytes_under(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def keep_secrets(store: Store, number: int) -> list[str]:
    """Contexts of many lengths, so that SQLite splits, merges and spills its pages."""
    rng = random.Random(7)
    contexts = []
    for i in range(number):
        length = rng.randrange(rng.choice([20, 100, 600, 3000, 9000]))
        contexts.append(f"{rng.random()} SECRET{i:05d}; " + "x" * length)
        words = rng.randrange(1, 30)
        meaning = f"秘密{i:05d};" + "y" * rng.randrange(30)
        kept = {j: Answer(Sense("noun", meaning), engine="e1") for j in range(words)}
        store.answers.put("e1", "en-zh", contexts[-1], kept)
    return contexts


def left_over(home: Path, numbers: range) -> list[int]:
    raw = bytes_under(home)
    marks = ((i, f"SECRET{i:05d};".encode(), f"秘密{i:05d};".encode()) for i in numbers)
    return [i for i, context, meaning in marks if context in raw or meaning in raw]


def test_forgotten_text_leaves_no_byte(store: Store) -> None:
    home = store.path.parent
    contexts = keep_secrets(store, 600)
    assert left_over(home, range(600)) == list(range(600))
    store.answers.forget(contexts[200:400])
    assert left_over(home, range(200, 400)) == []
    assert len(left_over(home, range(600))) == 400
    assert store.check() == ()


@pytest.mark.parametrize("how", ["older", "engine"])
def test_every_way_of_forgetting_leaves_no_byte(store: Store, how: str) -> None:
    keep_secrets(store, 20)
    if how == "older":
        store.answers.forget_older(0)
    else:
        store.answers.forget_other_engines("e2")
    assert left_over(store.path.parent, range(20)) == []


@pytest.mark.parametrize("until", ["close", "open"])
def test_what_another_process_reads_is_scrubbed_later(tmp_path: Path, until: str) -> None:
    path = tmp_path / "ctx.db"
    store = open_store(path)
    contexts = keep_secrets(store, 3)
    with store._connections.alone() as db:
        db.execute("PRAGMA busy_timeout = 50")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM kept_context").fetchone() == (3,)
    assert store.answers.forget(contexts) > 0
    assert left_over(tmp_path, range(3)) == [0, 1, 2]
    if until == "close":
        reader.execute("ROLLBACK")
        assert scrub(store._connections)
        assert left_over(tmp_path, range(3)) == []
    else:
        store.close()
        reader.close()
        with open_store(path):
            assert left_over(tmp_path, range(3)) == []
    store.close()
    reader.close()


def test_close_scrubs_what_waited(store: Store) -> None:
    contexts = keep_secrets(store, 200)
    with store._connections.write() as db:
        for context in contexts[50:150]:
            db.execute("DELETE FROM kept_context WHERE context = ?", [context])
        db.execute("INSERT INTO scrub_due VALUES (1)")
    home = store.path.parent
    assert left_over(home, range(50, 150)) != []
    store.close()
    assert left_over(home, range(50, 150)) == []


def test_backup_is_whole_but_for_kept_answers(store: Store, tmp_path: Path) -> None:
    keep_secrets(store, 5)
    to = tmp_path / "copies" / "backup.db"
    for _ in range(2):  # the second replaces the first
        store.backup(to)
    assert left_over(to.parent, range(5)) == []
    assert [path.name for path in to.parent.iterdir()] == ["backup.db"]
    assert len(left_over(store.path.parent, range(5))) == 5
    with open_store(to) as copy:
        assert copy.check() == ()


def test_backup_never_replaces_its_own_database(store: Store) -> None:
    with pytest.raises(Refused) as caught:
        store.backup(store.path.parent / "." / "ctx.db")
    assert caught.value.code == "backup_onto_itself"
    assert store.check() == ()


def test_other_people_of_the_machine_cannot_read_the_files(store: Store) -> None:
    store.answers.put("e1", "en-zh", "one", {0: RUN})
    private = [path for path in store.path.parent.iterdir() if path.suffix != ".lock"]
    assert {path.stat().st_mode & 0o077 for path in private} == {0}
