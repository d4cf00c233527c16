"""Labels: every version of an answer to a query, with who gave it and when. Only ever added to.

A correction is a new label; triggers in the schema refuse any change, so that no label is lost.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from db.store.checks import MAX_NAME, check_choice, check_label, check_query, check_text
from db.store.connection import Connections, insert_row
from db.store.queries import TASK, find_query, keep_query
from db.store.rows import read_sense, sense_columns, utc_now
from engine.sense import Answer, Entry, Query, Sense, clean_context, context_words

SOURCES = ("teacher", "model", "person", "reader")
STATUSES = ("proposed", "accepted", "rejected")


@dataclass(frozen=True)
class Label:
    """One version of an answer to a query; versions count from 1."""

    id: int
    query: Query
    version: int
    sense: Sense
    source: str
    who: str
    status: str
    created: str  # UTC, ISO
    confidence: float | None = None  # of a model's answer, 0 to 1


Moment = tuple[int, int]
"""How far somebody has read: the latest label, and how much was taken back."""


def read_label(query: Query, row: Mapping[str, Any]) -> Label:
    """The label in a row's columns."""
    rest = {name: row[name] for name in _PLAIN}
    return Label(query=query, sense=read_sense(row), **rest)


class LabelTable:
    """The labels in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def add_label(self, query: Query, sense: Sense, source: str, who: str, status: str) -> int:
        """The new label's id; Refused (or QueryError, for the context) where it cannot be kept."""
        with self._connections.write() as db:
            return keep_label(db, query, sense, source, who, status)

    def history(self, query: Query) -> tuple[Label, ...]:
        """All labels of a query, the oldest first."""
        with self._connections.read() as db:
            query_id = find_query(db, query)
            sql = "SELECT * FROM label WHERE query_id = ? ORDER BY version"
            rows = list(db.query(sql, [query_id]))
        return tuple(read_label(query, row) for row in rows)

    def accepted(self, pair: str, context: str) -> dict[int, Answer]:
        """What people accepted for words of a context: position → answer.

        A query's latest label that a person accepted or rejected decides; proposals change nothing.
        """
        with self._connections.read() as db:
            rows = list(db.query(_DECISIONS, [pair, TASK, clean_context(context)]))
        answers: dict[int, Answer] = {}
        for row in rows:
            if row["status"] == "accepted":
                sense = read_sense(row)
                phrase = sense.phrase and replace(sense.phrase, source="person")
                sense = replace(sense, phrase=phrase)
                answer = Answer(sense, source="person", engine=row["who"])
                answers[row["position"]] = answer
            else:
                answers.pop(row["position"], None)
        return answers

    def phrases(self, pair: str) -> tuple[Entry, ...]:
        """The phrases that people accepted in any context, the newest first.

        A query's latest decision counts, as in `accepted`; `count` is in how many contexts.
        """
        with self._connections.read() as db:
            rows = db.execute(_PHRASES, [pair, TASK]).fetchall()
        told: dict[tuple[tuple[str, ...], str, str], None] = {}
        for context, members, meaning in rows:
            words, positions = context_words(context, pair), json.loads(members)
            if positions[-1] < len(words):  # kept for ever, so maybe from other rules for words
                told[tuple(words[i].text.lower() for i in positions), meaning, context] = None
        sentences = Counter((spelled, meaning) for spelled, meaning, _ in told)
        return tuple(Entry(*phrase, count) for phrase, count in sentences.items())

    def teachers(self, pair: str) -> dict[str, int]:
        """Who answered words of a pair as a teacher, with how many answers; the most first. Reads
        all labels: not to be asked at every step."""
        with self._connections.read() as db:
            return dict(row for row in db.execute(_TEACHERS, [pair, TASK]))

    def decided_since(self, moment: Moment) -> tuple[Moment, bool]:
        """Now, and whether a person decided anything or took it back after `moment`. Only what is
        new is read."""
        label_id, undone_id = moment
        with self._connections.read() as db:
            last, decided = db.execute(_NEWS, [label_id]).fetchone()
            (undone,) = db.execute(_TAKEN_BACK).fetchone()
        now = (label_id if last is None else last, undone)
        return now, bool(decided) or undone > undone_id


def keep_label(
    db: Database,
    query: Query,
    sense: Sense,
    source: str,
    who: str,
    status: str,
    confidence: float | None = None,
) -> int:
    """`LabelTable.add_label` inside the caller's transaction."""
    query = check_query(query)
    columns = {
        **sense_columns(check_label(query, sense)),
        "source": check_choice("source", source, SOURCES),
        "who": check_text("who", who, MAX_NAME),
        "status": check_choice("status", status, STATUSES),
        "confidence": confidence,
    }
    query_id = keep_query(db, query)
    last = "SELECT coalesce(max(version), 0) FROM label WHERE query_id = ?"
    version = db.execute(last, [query_id]).fetchone()[0] + 1
    columns |= {"query_id": query_id, "version": version, "created": utc_now()}
    return insert_row(db, "label", columns)


def counts(label: str = "label") -> str:
    """SQL for: this label counts. It does unless its decision was taken back, or every import that
    brought it."""
    return f"""
        NOT EXISTS (SELECT 1 FROM undone_label WHERE undone_label.label_id = {label}.id)
        AND (
            NOT EXISTS (SELECT 1 FROM imported_line WHERE imported_line.label_id = {label}.id)
            OR EXISTS (SELECT 1 FROM decision_query WHERE decision_query.label_id = {label}.id
                AND decision_query.query_id = {label}.query_id)
            OR EXISTS (
                SELECT 1 FROM imported_line JOIN import ON import.id = imported_line.import_id
                WHERE imported_line.label_id = {label}.id AND import.undone IS NULL
            )
        )
    """


_PLAIN = ("id", "version", "source", "who", "status", "created", "confidence")
_DECISIONS = f"""
    SELECT query.position, label.* FROM label JOIN query ON query.id = label.query_id
    WHERE query.pair = ? AND query.task = ? AND query.context = ?
        AND label.source = 'person' AND label.status IN ('accepted', 'rejected')
        AND {counts()}
    ORDER BY label.query_id, label.version
"""
# CROSS JOIN: labels are read first, then a few queries; the other way takes three times as long.
_PHRASES = f"""
    SELECT query.context, label.members, label.phrase_meaning
    FROM label CROSS JOIN query ON query.id = label.query_id
    WHERE query.pair = ? AND query.task = ? AND label.source = 'person'
        AND label.status = 'accepted' AND label.members IS NOT NULL AND label.phrase_meaning <> ''
        AND {counts()}
        AND NOT EXISTS (
            SELECT 1 FROM label AS later
            WHERE later.query_id = label.query_id AND later.version > label.version
                AND later.source = 'person' AND later.status IN ('accepted', 'rejected')
                AND {counts("later")}
        )
    ORDER BY label.id DESC
"""
_TEACHERS = """
    SELECT label.who, count(*) AS n FROM label JOIN query ON query.id = label.query_id
    WHERE label.source = 'teacher' AND query.pair = ? AND query.task = ?
    GROUP BY label.who ORDER BY n DESC, label.who
"""
_NEWS = """
    SELECT max(id), max(source = 'person' AND status IN ('accepted', 'rejected'))
    FROM label WHERE id > ?
"""
_TAKEN_BACK = """
    SELECT (SELECT coalesce(max(id), 0) FROM undone)
        + (SELECT count(*) FROM import WHERE undone NOT NULL)
"""
