"""Labels: no version is ever changed or lost, and what people accepted is what readers get."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db.store import Refused, Store, StoreError, open_store
from engine.sense import Answer, Entry, Phrase, Query, QueryError, Sense

CONTEXT = "She will call me back, and back home he waits."
BACK = Query(CONTEXT, 4)
CALL_BACK = Sense("adverb", "回", Phrase((2, 4), "回电话"))
ALONE = Sense("noun", "后背")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "ctx.db") as store:
        yield store


def test_history_has_every_version_in_order(store: Store) -> None:
    first = store.labels.add_label(BACK, ALONE, "model", "e1", "proposed")
    second = store.labels.add_label(BACK, CALL_BACK, "person", "Ann", "accepted")
    store.labels.add_label(Query(CONTEXT, 6), ALONE, "teacher", "T", "proposed")
    history = store.labels.history(BACK)
    assert [(h.id, h.version, h.query, h.sense, h.source, h.who, h.status) for h in history] == [
        (first, 1, BACK, ALONE, "model", "e1", "proposed"),
        (second, 2, BACK, CALL_BACK, "person", "Ann", "accepted"),
    ]
    assert history[0].created <= history[1].created
    assert history[0].created.endswith("+00:00")
    assert store.labels.history(Query(CONTEXT, 0)) == ()


def test_a_query_is_kept_once_and_read_back(store: Store) -> None:
    query_id = store.queries.add(BACK)
    assert store.queries.add(BACK) == query_id
    store.labels.add_label(BACK, ALONE, "person", "Ann", "accepted")
    assert store.queries.find(BACK) == query_id
    assert store.queries.get(query_id) == BACK
    assert store.queries.add(Query(CONTEXT, 4, "en-de")) != query_id
    assert store.queries.find(Query(CONTEXT, 0)) is None
    assert store.queries.get(999) is None


def test_white_space_does_not_make_another_query(store: Store) -> None:
    spaced = Query("  " + CONTEXT.replace(" ", " \n "), 4)
    store.labels.add_label(spaced, ALONE, "person", "Ann", "accepted")
    assert len(store.labels.history(BACK)) == len(store.labels.history(spaced)) == 1
    assert store.labels.accepted("en-zh", CONTEXT) == store.labels.accepted("en-zh", spaced.context)
    assert store.queries.get(1) == BACK


PERSON_ACCEPTS, PERSON_REJECTS = ("person", "accepted"), ("person", "rejected")
OTHERS = (
    ("teacher", "accepted"),
    ("teacher", "rejected"),
    ("model", "accepted"),
    ("reader", "accepted"),
    ("reader", "rejected"),
    ("person", "proposed"),
)


@pytest.mark.parametrize(
    ("events", "winner"),
    [
        ([PERSON_ACCEPTS], 0),
        ([PERSON_ACCEPTS, PERSON_ACCEPTS], 1),
        ([PERSON_REJECTS], None),
        ([PERSON_ACCEPTS, PERSON_REJECTS], None),
        ([PERSON_REJECTS, PERSON_ACCEPTS], 1),
        ([PERSON_ACCEPTS, PERSON_REJECTS, PERSON_ACCEPTS], 2),
        ([PERSON_ACCEPTS, PERSON_REJECTS, ("person", "proposed")], None),
        *(([other], None) for other in OTHERS),
        *(([PERSON_ACCEPTS, other], 0) for other in OTHERS),
    ],
)
def test_the_latest_decision_of_a_person_counts(
    store: Store, events: list[tuple[str, str]], winner: int | None
) -> None:
    for number, (source, status) in enumerate(events):
        sense = Sense("noun", f"第{number}", Phrase((2, 4), "回电话"))
        store.labels.add_label(BACK, sense, source, f"who {number}", status)
    expected = {}
    if winner is not None:
        sense = Sense("noun", f"第{winner}", Phrase((2, 4), "回电话", "person"))
        expected[4] = Answer(sense, "", 1.0, "person", f"who {winner}")
    assert store.labels.accepted("en-zh", CONTEXT) == expected


def test_accepted_is_by_word_context_and_pair(store: Store) -> None:
    other = Query("Turn back.", 1)
    for query, meaning in ((BACK, "一"), (Query(CONTEXT, 6), "二"), (other, "三")):
        store.labels.add_label(query, Sense("noun", meaning), "person", "Ann", "accepted")
    store.labels.add_label(Query(CONTEXT, 4, "en-de"), ALONE, "person", "Ann", "accepted")
    found = store.labels.accepted("en-zh", CONTEXT)
    assert {position: answer.sense.meaning for position, answer in found.items()} == {
        4: "一",
        6: "二",
    }


def say(
    store: Store, query: Query, phrase: Phrase | None, status: str = "accepted", **by: str
) -> int:
    sense = Sense("noun", "义", phrase)
    return store.labels.add_label(query, sense, by.get("source", "person"), "Ann", status)


def test_phrases_are_those_that_people_accepted_in_any_context(store: Store) -> None:
    assert store.labels.phrases("en-zh") == ()
    other, third = Query("CALL her back!", 0), Query("Call back.", 0)
    say(store, BACK, Phrase((2, 4), "回电话"))
    say(store, Query(CONTEXT, 2), Phrase((2, 4), "回电话"))  # the same phrase from its other member
    say(store, other, Phrase((0, 2), "回电话"))
    say(store, third, Phrase((0, 1), "回来"))
    say(store, Query(CONTEXT, 6), None)
    say(store, Query(CONTEXT, 7), Phrase((6, 7), ""))
    say(store, Query("Not so.", 0), Phrase((0, 1), "不"), source="teacher")
    say(store, Query("Not so!", 0), Phrase((0, 1), "不"), "proposed")
    say(store, Query("Call back.", 0, "en-de"), Phrase((0, 1), "x"))
    call_back = ("call", "back")
    assert store.labels.phrases("en-zh") == (
        Entry(call_back, "回来"),
        Entry(call_back, "回电话", 2),
    )
    say(store, third, Phrase((0, 1), "回电"))
    say(store, other, Phrase((0, 2), "回电话"), "rejected")
    say(store, other, Phrase((0, 2), "呼叫"), "proposed")
    assert store.labels.phrases("en-zh") == (Entry(call_back, "回电"), Entry(call_back, "回电话"))
    say(store, third, None)
    assert store.labels.phrases("en-zh") == (Entry(call_back, "回电话"),)


def test_a_phrase_beyond_its_words_is_left_out(store: Store) -> None:
    label = say(store, BACK, Phrase((2, 4), "回电话"))
    assert len(store.labels.phrases("en-zh")) == 1
    with store._connections.write() as db:
        db.execute(
            "INSERT INTO label SELECT NULL, query_id, 2, class, meaning, '[2, 99]', phrase_meaning,"
            " source, who, status, created, NULL FROM label WHERE id = ?",
            [label],
        )
    assert store.labels.phrases("en-zh") == ()


def test_whether_people_decided_anything_is_known_from_the_last_label_on(store: Store) -> None:
    since = store.labels.decided_since
    assert since((0, 0)) == ((0, 0), False)
    first = say(store, BACK, None, source="teacher")
    assert since((0, 0)) == ((first, 0), False)
    second = say(store, BACK, None)
    assert since((0, 0)) == since((first, 0)) == ((second, 0), True)
    assert since((second, 0)) == ((second, 0), False)
    third = say(store, BACK, None, "proposed")
    assert since((second, 0)) == ((third, 0), False)
    fourth = say(store, BACK, None, "rejected")
    assert since((third, 0)) == ((fourth, 0), True)


LABEL = "1, 1, 1, 'noun', 'x', NULL, '', 'person', 'me', 'accepted', '2026', NULL"
QUERY = f"'en-zh', 'sense', '{CONTEXT}', 4, 'back', 1, '2026'"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE label SET meaning = 'x'",
        "UPDATE OR REPLACE label SET version = 1 WHERE version = 2",
        "DELETE FROM label",
        f"INSERT OR REPLACE INTO label VALUES ({LABEL})",
        f"INSERT OR REPLACE INTO label VALUES (NULL, {LABEL[3:]})",
        f"INSERT INTO label VALUES (NULL, 1, 7, {LABEL[9:]})",
        f"INSERT INTO label VALUES ({LABEL}) ON CONFLICT DO UPDATE SET meaning = 'x'",
        "UPDATE query SET context = 'x'",
        "DELETE FROM query",
        "INSERT OR REPLACE INTO query VALUES (1, 'en-zh', 'sense', 'x', 0, 'x', 1, '2026')",
        f"INSERT OR REPLACE INTO query VALUES (9, {QUERY})",
    ],
)
def test_raw_sql_cannot_change_history(store: Store, statement: str) -> None:
    store.labels.add_label(BACK, ALONE, "model", "e1", "proposed")
    store.labels.add_label(BACK, CALL_BACK, "person", "Ann", "accepted")
    before = store.labels.history(BACK)
    conn = sqlite3.connect(store.path, isolation_level=None)
    refused = pytest.raises(sqlite3.IntegrityError, match=r"never|need their query")
    with closing(conn), refused:
        conn.execute(statement)
    assert store.labels.history(BACK) == before


def bad(sense: Sense = ALONE, query: Query = BACK, **change: str) -> tuple[object, ...]:
    rest = {"source": "person", "who": "Ann", "status": "accepted"} | change
    return (query, sense, rest["source"], rest["who"], rest["status"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (bad(Sense("nonsense", "x")), "unknown_value"),
        (bad(Sense("noun", " ")), "no_text"),
        (bad(Sense("noun", "好" * 201)), "too_long"),
        (bad(Sense("noun", "a\x00b")), "control_characters"),
        (bad(Sense("noun", "好", Phrase((2, 3), "x"))), "bad_members"),
        (bad(source="stranger"), "unknown_value"),
        (bad(status="final"), "unknown_value"),
        (bad(who="x" * 201), "too_long"),
        (bad(query=Query(CONTEXT, 10)), "no_such_word"),
        (bad(query=Query(CONTEXT, -1)), "no_such_word"),
        (bad(query=Query(CONTEXT, 4, "en-zh; drop")), "unknown_value"),
    ],
)
def test_bad_labels_are_refused(store: Store, arguments: tuple, code: str) -> None:
    with pytest.raises(Refused) as caught:
        store.labels.add_label(*arguments)
    assert caught.value.code == code
    assert store.queries.find(BACK) is None


def test_a_context_that_cannot_be_one_is_refused(store: Store) -> None:
    with pytest.raises(QueryError) as caught:
        store.labels.add_label(Query("word " * 5000, 1), ALONE, "person", "Ann", "accepted")
    assert caught.value.code == "context_too_long"


def test_closed_store_says_so(tmp_path: Path) -> None:
    store = open_store(tmp_path / "ctx.db")
    store.close()
    store.close()
    for use in (lambda: store.labels.history(BACK), lambda: store.queries.add(BACK)):
        with pytest.raises(StoreError) as caught:
            use()
        assert caught.value.code == "closed"
