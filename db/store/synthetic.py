"""What a teacher wrote itself: new sentences, and translations of sentences. Each stands under an
import of its job that says so, and can be taken back with it.

Storing it and ending its request are one transaction, as with answers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from db.store.checks import MAX_NAME, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused
from db.store.imports import Brought, Counts, Origin, keep_lines
from db.store.jobs import Process, check_owned
from db.store.requests import Outcome, Request, end_request
from db.store.rows import utc_now
from engine.sense import clean_context

FORMAT = "synthetic"
MAX_TRANSLATION = 10_000


@dataclass(frozen=True)
class Translation:
    """A teacher's translation of a sentence."""

    text: str
    who: str
    created: str


@dataclass(frozen=True)
class Came:
    """One thing that a job wrote: a sentence with the positions of the words that it shows, or why
    it was refused; or a sentence's translation. In order of `at`."""

    at: tuple[int, int]
    context: str
    positions: tuple[int, ...] = ()
    translation: str = ""
    reason: str = ""


class SyntheticTable:
    """What teachers wrote, in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def bring(
        self,
        job_id: int,
        process: Process,
        request: Request,
        origin: Origin,
        lines: Sequence[Brought],
        outcome: Outcome,
    ) -> Counts:
        """Store a request's sentences under the job's import and end the request; what became of
        them. Refused where it is not waiting any more."""
        with self._connections.write() as db:
            check_owned(db, job_id, process)
            import_id = _import_of(db, job_id, origin)
            end_request(db, job_id, request.number, "answered", outcome)
            numbered = [replace(one, number=request.number) for one in lines]
            return keep_lines(db, import_id, origin, numbered)

    def finish(self, job_id: int) -> None:
        """Note that all of the job's sentences are there."""
        sql = f"UPDATE import SET finished = ? WHERE {_OF_JOB} AND finished IS NULL"
        with self._connections.write() as db:
            db.execute(sql, [utc_now(), FORMAT, _name(job_id)])

    def untranslated(
        self, pair: str, who: str, import_id: int | None = None, limit: int = 0
    ) -> tuple[str, ...]:
        """Contexts of sentences that count and have no translation, not even by `who`: of all
        imports or one, in the order of their coming; `limit` of them, 0 for all."""
        values = {
            "pair": pair, "who": who, "import": import_id, "limit": limit or -1,
        }  # fmt: skip
        with self._connections.read() as db:
            return tuple(row[0] for row in db.execute(_UNTRANSLATED, values))

    def count_untranslated(self, pair: str, who: str, import_id: int | None = None) -> int:
        """How many `untranslated` would give."""
        values = {"pair": pair, "who": who, "import": import_id, "limit": -1}
        with self._connections.read() as db:
            return db.execute(f"SELECT count(*) FROM ({_UNTRANSLATED})", values).fetchone()[0]

    def import_of(self, job_id: int) -> tuple[int, bool] | None:
        """The job's newest import, and whether it was taken back; None where nothing came yet."""
        sql = f"SELECT id, undone FROM import WHERE {_OF_JOB} ORDER BY id DESC LIMIT 1"
        with self._connections.read() as db:
            found = db.execute(sql, [FORMAT, _name(job_id)]).fetchone()
        return (found[0], found[1] is not None) if found else None

    def came(
        self, job_id: int, after: tuple[int, int] = (0, -1), limit: int = 50
    ) -> tuple[Came, ...]:
        """What a job wrote, behind a place, sentences or translations; what was taken back, too."""
        values = [FORMAT, _name(job_id), *after, limit]
        with self._connections.read() as db:
            rows = [*db.query(_SENTENCES, values), *db.query(_TRANSLATED, values)]
        return tuple(
            Came(
                (row["number"], row["part"]),
                row["context"] or "",
                tuple(json.loads(row["positions"])),
                row["text"],
                row["detail"] if row["reason"] else "",
            )
            for row in rows
        )

    def translate(
        self,
        job_id: int,
        process: Process,
        request: Request,
        origin: Origin,
        context: str,
        text: str,
        outcome: Outcome,
    ) -> None:
        """Store a translation beside its sentence and end the request; Refused where the sentence
        is not there, has one by the same already, or the request is not waiting any more."""
        text = check_text("translation", text, MAX_TRANSLATION, lines=True)
        if not text:
            raise Refused("no_text", field="translation")
        with self._connections.write() as db:
            check_owned(db, job_id, process)
            found = db.execute(_SENTENCE, [origin.pair, clean_context(context)]).fetchone()
            if found is None:
                raise Refused("unknown_value", field="sentence", value=context[:80])
            row = {
                "sentence_id": found[0],
                "text": text,
                "who": check_text("who", origin.who, MAX_NAME),
                "import_id": _import_of(db, job_id, origin),
                "created": utc_now(),
            }
            # One that was taken back with its import makes room.
            db.execute(_TAKEN_BACK, [found[0], origin.who])
            if db.execute(_THERE, [found[0], origin.who]).fetchone():
                raise Refused("unknown_value", field="translation", value=origin.who)
            insert_row(db, "translation", row)
            end_request(db, job_id, request.number, "answered", outcome)

    def referenced(self, pair: str) -> tuple[tuple[str, str], ...]:
        """Sentences that count and came with a translation, and that, in the order of coming."""
        with self._connections.read() as db:
            return tuple(tuple(row) for row in db.execute(_REFERENCED, [pair]))

    def reference(self, pair: str, context: str) -> str:
        """The translation that a sentence came with; "" where it came with none that counts."""
        sql = f"SELECT translation FROM ({_REFERENCED}) WHERE context = ?"
        with self._connections.read() as db:
            row = db.execute(sql, [pair, clean_context(context)]).fetchone()
        return row[0] if row else ""

    def referenced_pairs(self) -> tuple[str, ...]:
        """The pairs that sentences came with translations in."""
        with self._connections.read() as db:
            return tuple(row[0] for row in db.execute(_REFERENCED_PAIRS))

    def teachers(self, pair: str) -> dict[str, int]:
        """Who translated sentences of a pair, with how many; the most first."""
        with self._connections.read() as db:
            return dict(row for row in db.execute(_TEACHERS, [pair]))

    def translations(self, pair: str, context: str) -> tuple[Translation, ...]:
        """Teachers' translations of a sentence that count, the newest first."""
        with self._connections.read() as db:
            rows = db.query(_TRANSLATIONS, [pair, clean_context(context)])
            return tuple(Translation(**row) for row in rows)


def _import_of(db: Database, job_id: int, origin: Origin) -> int:
    """The job's import, begun with its first sentence; a new one where that was taken back."""
    sql = f"SELECT id FROM import WHERE {_OF_JOB} AND undone IS NULL"
    found = db.execute(sql, [FORMAT, _name(job_id)]).fetchone()
    if found:
        return found[0]
    row = {
        "name": _name(job_id),
        "format": FORMAT,
        "pair": origin.pair,
        "origin": origin.text,
        "who": check_text("who", origin.who, MAX_NAME),
        "created": utc_now(),
    }
    return insert_row(db, "import", row)


def _name(job_id: int) -> str:
    return f"job {job_id}"


_OF_JOB = "format = ? AND name = ?"
_SENTENCE = "SELECT id FROM sentence WHERE pair = ? AND context = ?"
_THERE = "SELECT 1 FROM translation WHERE sentence_id = ? AND who = ?"
_TAKEN_BACK = """
    DELETE FROM translation WHERE sentence_id = ? AND who = ? AND EXISTS (
        SELECT 1 FROM import WHERE import.id = translation.import_id AND import.undone NOT NULL
    )
"""
_UNTRANSLATED = """
    SELECT context FROM sentence
    WHERE pair = :pair AND translation = '' AND EXISTS (
        SELECT 1 FROM imported_line JOIN import ON import.id = imported_line.import_id
        WHERE imported_line.sentence_id = sentence.id AND import.undone IS NULL
            AND (:import IS NULL OR import.id = :import)
    ) AND NOT EXISTS (
        SELECT 1 FROM translation JOIN import ON import.id = translation.import_id
        WHERE translation.sentence_id = sentence.id AND translation.who = :who
            AND import.undone IS NULL
    )
    ORDER BY id LIMIT :limit
"""
_REFERENCED = """
    SELECT context, translation FROM sentence
    WHERE pair = ? AND translation <> '' AND EXISTS (
        SELECT 1 FROM imported_line JOIN import ON import.id = imported_line.import_id
        WHERE imported_line.sentence_id = sentence.id AND import.undone IS NULL
    )
    ORDER BY id
"""
_REFERENCED_PAIRS = "SELECT DISTINCT pair FROM sentence WHERE translation <> '' ORDER BY pair"
_TEACHERS = """
    SELECT translation.who, count(*) AS n FROM translation
    JOIN sentence ON sentence.id = translation.sentence_id AND sentence.pair = ?
    JOIN import ON import.id = translation.import_id AND import.undone IS NULL
    GROUP BY translation.who ORDER BY n DESC, translation.who
"""
_TRANSLATIONS = """
    SELECT translation.text, translation.who, translation.created
    FROM sentence JOIN translation ON translation.sentence_id = sentence.id
    JOIN import ON import.id = translation.import_id AND import.undone IS NULL
    WHERE sentence.pair = ? AND sentence.context = ? ORDER BY translation.id DESC
"""
_SENTENCES = """
    SELECT line.number, line.part, line.reason, line.detail, sentence.context, '' AS text, (
        SELECT json_group_array(position) FROM query
        WHERE query.pair = sentence.pair AND query.task = 'sense'
            AND query.context = sentence.context
    ) AS positions
    FROM import JOIN imported_line AS line ON line.import_id = import.id
    LEFT JOIN sentence ON sentence.id = line.sentence_id
    WHERE import.format = ? AND import.name = ? AND (line.number, line.part) > (?, ?)
    ORDER BY import.id, line.number, line.part LIMIT ?
"""
_TRANSLATED = """
    SELECT translation.id AS number, 0 AS part, '' AS reason, '' AS detail, sentence.context,
        translation.text, '[]' AS positions
    FROM import JOIN translation ON translation.import_id = import.id
    JOIN sentence ON sentence.id = translation.sentence_id
    WHERE import.format = ? AND import.name = ? AND (translation.id, 0) > (?, ?)
    ORDER BY translation.id LIMIT ?
"""
