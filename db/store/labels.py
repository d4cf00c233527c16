"""Labels: every version of an answer to a query, with who gave it and when. Only ever added to.

A correction is a new label; triggers in the schema refuse any change, so that no label is lost.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace

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
        return tuple(
            Label(
                id=row["id"],
                query=query,
                version=row["version"],
                sense=read_sense(row),
                source=row["source"],
                who=row["who"],
                status=row["status"],
                created=row["created"],
            )
            for row in rows
        )

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

    def decided_since(self, label_id: int) -> tuple[int, bool]:
        """The latest label's id (at least `label_id`), and whether any label after `label_id` is a
        person's decision. Only the new labels are read."""
        with self._connections.read() as db:
            last, decided = db.execute(_NEWS, [label_id]).fetchone()
        return (label_id, False) if last is None else (last, bool(decided))


def keep_label(
    db: Database, query: Query, sense: Sense, source: str, who: str, status: str
) -> int:
    """`LabelTable.add_label` inside the caller's transaction."""
    query = check_query(query)
    columns = {
        **sense_columns(check_label(query, sense)),
        "source": check_choice("source", source, SOURCES),
        "who": check_text("who", who, MAX_NAME),
        "status": check_choice("status", status, STATUSES),
    }
    query_id = keep_query(db, query)
    last = "SELECT coalesce(max(version), 0) FROM label WHERE query_id = ?"
    version = db.execute(last, [query_id]).fetchone()[0] + 1
    columns |= {"query_id": query_id, "version": version, "created": utc_now()}
    return insert_row(db, "label", columns)


_DECISIONS = """
    SELECT query.position, label.* FROM label JOIN query ON query.id = label.query_id
    WHERE query.pair = ? AND query.task = ? AND query.context = ?
        AND label.source = 'person' AND label.status IN ('accepted', 'rejected')
    ORDER BY label.query_id, label.version
"""
# CROSS JOIN: labels are read first, then a few queries; the other way takes three times as long.
_PHRASES = """
    SELECT query.context, label.members, label.phrase_meaning
    FROM label CROSS JOIN query ON query.id = label.query_id
    WHERE query.pair = ? AND query.task = ? AND label.source = 'person'
        AND label.status = 'accepted' AND label.members IS NOT NULL AND label.phrase_meaning <> ''
        AND NOT EXISTS (
            SELECT 1 FROM label AS later
            WHERE later.query_id = label.query_id AND later.version > label.version
                AND later.source = 'person' AND later.status IN ('accepted', 'rejected')
        )
    ORDER BY label.id DESC
"""
_NEWS = """
    SELECT max(id), max(source = 'person' AND status IN ('accepted', 'rejected'))
    FROM label WHERE id > ?
"""
