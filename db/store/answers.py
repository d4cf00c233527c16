"""Model answers kept for speed, by engine, pair and context; and forgetting them for good.

A deleted row is not yet a deleted text: SQLite's secure_delete leaves copies that it made when it
rebalanced its tree (2 % of 500 texts, measured), and the WAL still has the page. So forgetting
ends in a scrub, which is noted in the same transaction: after a crash the next start does it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from db.store.connection import Connections
from db.store.errors import StoreError
from db.store.rows import answer_columns, read_answer, utc_now
from engine.sense import Answer

_log = logging.getLogger(__name__)


class AnswerStore:
    """The kept answers in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def get(self, engine: str, pair: str, context: str) -> dict[int, Answer]:
        """The kept answers for words of a context: position → answer."""
        with self._connections.read() as db:
            rows = list(db.query(_GET, [context, pair, engine]))
        return {row["position"]: _read_kept(row) for row in rows}

    def put(self, engine: str, pair: str, context: str, answers: Mapping[int, Answer]) -> None:
        """Keeps the answers for words of a context, in place of earlier ones for the same words.

        The context's age counts from when it was first kept.
        """
        if not answers:
            return
        key = [context, pair, engine]
        with self._connections.write() as db:
            db.execute(_PUT_CONTEXT, [*key, utc_now()])
            context_id = db.execute(_FIND_CONTEXT, key).fetchone()[0]
            rows = [
                {"context_id": context_id, "position": position, **_kept_columns(answer)}
                for position, answer in answers.items()
            ]
            db.conn.executemany(_PUT_ANSWER, rows)

    def forget(self, contexts: Iterable[str]) -> int:
        """Deletes the answers for these contexts, whatever the engine; returns how many."""
        return self._forget("context = ?", sorted(set(contexts)))

    def forget_older(self, days: int) -> int:
        """Deletes the answers for contexts kept `days` ago or earlier; returns how many."""
        return self._forget("created <= ?", [utc_now(minus_days=days)])

    def forget_other_engines(self, engine: str) -> int:
        """Deletes the answers of all engines but this one; returns how many."""
        return self._forget("engine <> ?", [engine])

    def _forget(self, which: str, values: Iterable[str]) -> int:
        count = 0
        with self._connections.write() as db:
            for value in values:
                counted = f"SELECT count(*) FROM kept_answer WHERE context_id IN ({_WHICH}{which})"
                count += db.execute(counted, [value]).fetchone()[0]
                gone = db.execute(f"DELETE FROM kept_context WHERE {which}", [value])
                if gone.rowcount:
                    db.execute("INSERT OR IGNORE INTO scrub_due (id) VALUES (1)")
        scrub(self._connections)
        return count


def scrub(connections: Connections) -> bool:
    """Whether no deleted text is left in the files; where another process reads it, it waits.

    What waits is done by the next scrub: after a forgetting, at close, or at the next start.
    """
    try:
        with connections.alone() as db:
            if not db.execute("SELECT 1 FROM scrub_due").fetchone():
                return True
            db.execute("VACUUM")
            busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy:
                db.execute("DELETE FROM scrub_due")
                return True
    except StoreError as error:
        _log.warning("deleted text may still stand in the database file: %s", error)
        return False
    _log.warning("deleted text may still stand in the WAL: another process is reading it")
    return False


def _kept_columns(answer: Answer) -> dict[str, Any]:
    phrase = answer.sense.phrase
    return {**answer_columns(answer), "phrase_source": phrase.source if phrase else "model"}


def _read_kept(row: Mapping[str, Any]) -> Answer:
    answer = read_answer(row)
    phrase = answer.sense.phrase and replace(answer.sense.phrase, source=row["phrase_source"])
    return replace(answer, sense=replace(answer.sense, phrase=phrase))


_WHICH = "SELECT id FROM kept_context WHERE "
_GET = """
    SELECT kept_answer.* FROM kept_context JOIN kept_answer ON context_id = kept_context.id
    WHERE kept_context.context = ? AND kept_context.pair = ? AND kept_context.engine = ?
"""
_PUT_CONTEXT = """
    INSERT INTO kept_context (context, pair, engine, created) VALUES (?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_FIND_CONTEXT = "SELECT id FROM kept_context WHERE context = ? AND pair = ? AND engine = ?"
_PUT_ANSWER = """
    INSERT INTO kept_answer
    VALUES (:context_id, :position, :class, :meaning, :members, :phrase_meaning, :second,
        :confidence, :source, :engine, :phrase_source)
    ON CONFLICT DO UPDATE SET class = excluded.class, meaning = excluded.meaning,
        members = excluded.members, phrase_meaning = excluded.phrase_meaning,
        second = excluded.second, confidence = excluded.confidence, source = excluded.source,
        engine = excluded.engine, phrase_source = excluded.phrase_source
"""
