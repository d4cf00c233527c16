"""Requests: what a job asks of a model, one by one, and what became of each.

An answer and the end of its request are one transaction, so that after a kill only what was in
flight is asked again, and nothing is stored twice. An answer that cannot be kept is set aside with
the reason and every text that came back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from db.store.checks import MAX_NAME, check_choice, check_text
from db.store.connection import Connections
from db.store.errors import Refused
from db.store.items import work_off_all
from db.store.jobs import Process, check_owned
from db.store.labels import SOURCES, counts, keep_label
from db.store.queries import TASK
from db.store.rows import utc_now
from engine.sense import Query, Sense

STATES = ("waiting", "answered", "set_aside", "known")
MAX_REASON = 1000
MAX_RAW = 20_000  # characters of one text that came back


@dataclass(frozen=True)
class Wanted:
    """Which queries a job asks about: those of a pair that count and that `who` has not answered
    yet, or of them those of one import, or those nobody decided; `limit` of them, 0 for all."""

    pair: str
    source: str
    who: str
    import_id: int | None = None
    only_open: bool = False
    limit: int = 0


@dataclass(frozen=True)
class Outcome:
    """What asking gave: how often it was asked, each text that came back, what it took."""

    tries: int = 1
    answers: tuple[str, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Request:
    """One request as it stands. `query` is None where it asks `asked` instead; `reason` says why
    it was set aside."""

    number: int
    query: Query | None
    asked: Mapping[str, Any]
    state: str
    outcome: Outcome
    reason: str
    label_id: int | None
    ended: str | None


@dataclass(frozen=True)
class Totals:
    """A job's requests by state, those asked more than once, and what all of them took."""

    waiting: int
    answered: int
    set_aside: int
    known: int
    asked_again: int
    tokens_in: int
    tokens_out: int
    seconds: float

    @property
    def total(self) -> int:
        return self.waiting + self.answered + self.set_aside + self.known


class RequestTable:
    """The requests in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def count_wanted(self, wanted: Wanted) -> int:
        """How many queries a job would ask about."""
        work_off_all(self._connections)
        with self._connections.read() as db:
            sql, values = _wanted(wanted)
            return db.execute(f"SELECT count(*) FROM ({sql})", values).fetchone()[0]

    def fill(self, job_id: int, process: Process, wanted: Wanted) -> None:
        """Make a job's requests, one a query, unless it has some already: those come first that
        stand first in the review queue, and are then asked sentence by sentence. What `who` has
        answered meanwhile for another job is known."""
        work_off_all(self._connections)
        sql, values = _wanted(wanted)
        with self._connections.write() as db:
            check_owned(db, job_id, process)
            values["job"] = job_id
            if db.execute("SELECT 1 FROM request WHERE job_id = ?", [job_id]).fetchone():
                db.execute(_KNOWN, values)
            else:
                db.execute(_FILL.format(wanted=sql), values)

    def fill_asked(self, job_id: int, process: Process, asked: Iterable[Mapping[str, Any]]) -> None:
        """Make a job's requests for what is no query, unless it has some already."""
        rows = [(job_id, number, json.dumps(one)) for number, one in enumerate(asked, 1)]
        with self._connections.write() as db:
            check_owned(db, job_id, process)
            if not db.execute("SELECT 1 FROM request WHERE job_id = ?", [job_id]).fetchone():
                sql = "INSERT INTO request (job_id, number, asked) VALUES (?, ?, ?)"
                db.conn.executemany(sql, rows)

    def waiting(self, job_id: int, after: int = 0, limit: int = 200) -> tuple[Request, ...]:
        """Requests still to be asked with numbers above `after`, in order, at most `limit`."""
        return self.list_requests(job_id, "waiting", after, limit)

    def list_requests(
        self, job_id: int, state: str, after: int = 0, limit: int = 100
    ) -> tuple[Request, ...]:
        """A job's requests in one of STATES with numbers above `after`, in order."""
        with self._connections.read() as db:
            return tuple(_request(row) for row in db.query(_LIST, [job_id, state, after, limit]))

    def totals(self, job_id: int) -> Totals:
        """A job's requests, counted."""
        with self._connections.read() as db:
            return Totals(**next(iter(db.query(_TOTALS, [job_id]))))

    def answer(
        self,
        job_id: int,
        process: Process,
        request: Request,
        sense: Sense,
        wanted: Wanted,
        outcome: Outcome,
        confidence: float | None = None,
    ) -> int:
        """Keep the answer as a proposed label, whose id is returned, and end the request.
        Refused where the answer cannot be kept, or the request is not waiting any more."""
        if request.query is None:
            raise Refused("unknown_value", field="request", value=request.number)
        with self._connections.write() as db:
            check_owned(db, job_id, process)
            source = check_choice("source", wanted.source, SOURCES)
            label_id = keep_label(
                db, request.query, sense, source, wanted.who, "proposed", confidence
            )
            end_request(db, job_id, request.number, "answered", outcome, label_id=label_id)
        return label_id

    def set_aside(
        self, job_id: int, process: Process, request: Request, reason: str, outcome: Outcome
    ) -> None:
        """End the request without an answer, with the reason; Refused where it is not waiting."""
        with self._connections.write() as db:
            check_owned(db, job_id, process)
            end_request(db, job_id, request.number, "set_aside", outcome, reason)

    def ask_again(self, job_id: int, numbers: Sequence[int] | None = None) -> int:
        """Let requests that were set aside wait again (None: all of them), once the job is resumed;
        how many."""
        chosen = None if numbers is None else json.dumps(list(numbers))
        with self._connections.write() as db:
            return db.execute(_AGAIN, {"job": job_id, "numbers": chosen}).rowcount


def end_request(
    db: Database,
    job_id: int,
    number: int,
    state: str,
    outcome: Outcome,
    reason: str = "",
    label_id: int | None = None,
) -> None:
    """End a request inside the caller's transaction; Refused where it is not waiting."""
    reason = "".join(c if c.isprintable() else " " for c in reason)
    row = [
        state, outcome.tries, reason[:MAX_REASON],
        json.dumps([text[:MAX_RAW] for text in outcome.answers]),
        outcome.tokens_in, outcome.tokens_out, outcome.seconds, label_id, utc_now(),
    ]  # fmt: skip
    if db.execute(_END, [*row, job_id, number]).rowcount != 1:
        raise Refused("request_over", id=job_id, number=number)


def _wanted(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """SQL for the ids of wanted queries, and its values."""
    rules = ["item.pair = :pair", "query.task = :task", f"NOT EXISTS ({_ANSWERED})"]
    rules.append("item.status = 'open'" if wanted.only_open else "item.status <> 'gone'")
    if wanted.import_id is not None:
        rules.append(_OF_IMPORT)
    sql = (
        "SELECT query.id FROM item JOIN query ON query.id = item.query_id"
        f" WHERE {' AND '.join(rules)} ORDER BY item.place, query.id LIMIT :limit"
    )
    values = {
        "pair": wanted.pair,
        "task": TASK,
        "source": wanted.source,
        "who": check_text("who", wanted.who, MAX_NAME),
        "import": wanted.import_id,
        "limit": wanted.limit or -1,
    }
    return sql, values


def _request(row: dict[str, Any]) -> Request:
    known = row["context"] is not None
    query = Query(row["context"], row["position"], row["pair"]) if known else None
    taken = (row["tokens_in"], row["tokens_out"], row["seconds"])
    return Request(
        row["number"],
        query,
        json.loads(row["asked"] or "{}"),
        row["state"],
        Outcome(row["tries"], tuple(json.loads(row["answers"])), *taken),
        row["reason"],
        row["label_id"],
        row["ended"],
    )


_ANSWERED = f"""
    SELECT 1 FROM label WHERE label.query_id = query.id AND label.source = :source
        AND label.who = :who AND {counts()}
"""
_OF_IMPORT = """(
    EXISTS (
        SELECT 1 FROM imported_line
        WHERE imported_line.query_id = query.id AND imported_line.import_id = :import
    ) OR EXISTS (
        SELECT 1 FROM sentence JOIN imported_line ON imported_line.sentence_id = sentence.id
        WHERE sentence.pair = query.pair AND sentence.context = query.context
            AND imported_line.import_id = :import AND imported_line.query_id IS NULL
    )
)"""
_FILL = """
    INSERT INTO request (job_id, number, query_id)
    SELECT :job, row_number() OVER (ORDER BY id), id FROM ({wanted})
"""
_KNOWN = f"""
    UPDATE request SET state = 'known' WHERE job_id = :job AND state = 'waiting' AND EXISTS (
        SELECT 1 FROM query WHERE query.id = request.query_id AND EXISTS ({_ANSWERED})
    )
"""
_LIST = """
    SELECT request.*, query.context, query.position, query.pair
    FROM request LEFT JOIN query ON query.id = request.query_id
    WHERE job_id = ? AND state = ? AND number > ? ORDER BY number LIMIT ?
"""
_TOTALS = """
    SELECT coalesce(sum(state = 'waiting'), 0) AS waiting,
        coalesce(sum(state = 'answered'), 0) AS answered,
        coalesce(sum(state = 'set_aside'), 0) AS set_aside,
        coalesce(sum(state = 'known'), 0) AS known, coalesce(sum(tries > 1), 0) AS asked_again,
        coalesce(sum(tokens_in), 0) AS tokens_in, coalesce(sum(tokens_out), 0) AS tokens_out,
        coalesce(sum(seconds), 0.0) AS seconds
    FROM request WHERE job_id = ?
"""
_END = """
    UPDATE request SET state = ?, tries = ?, reason = ?, answers = ?, tokens_in = ?,
        tokens_out = ?, seconds = ?, label_id = ?, ended = ?
    WHERE job_id = ? AND number = ? AND state = 'waiting'
"""
_AGAIN = """
    UPDATE request SET state = 'waiting', reason = '', ended = NULL
    WHERE job_id = :job AND state = 'set_aside'
        AND (:numbers IS NULL OR number IN (SELECT value FROM json_each(:numbers)))
"""
