"""Jobs: long work as rows, so that it is known whoever does it, and lives on when a server ends.

A job belongs to the process whose id and create time stand in its row; only that process may say
how far it is and how it ended. Starting is one transaction, and a slot holds one job at a time.
Knows no processes: whether one is alive is for `trainer.jobs` to say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from db.store.checks import MAX_NAME, MAX_NOTE, check_choice, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused
from db.store.rows import utc_now

SLOTS = ("compute", "network")
STATES = (
    "queued", "running", "paused", "stopped", "done", "failed", "interrupted", "cancelled",
)  # fmt: skip
ACTIVE = ("running", "paused")  # a process has it
RESUMABLE = ("stopped", "failed", "interrupted")
WISHES = ("pause", "resume", "stop", "cancel")
MAX_DETAIL = 2000  # characters of why a job failed
_MAX_JSON = 100_000  # characters of a recipe or of figures


@dataclass(frozen=True)
class Process:
    """A process of this machine: its id alone may come again, its create time (seconds) not."""

    pid: int
    created: float


@dataclass(frozen=True)
class Job:
    """One job as it stands. `place` counts from 1 in its slot's queue and is 0 outside it; `asked`
    is what somebody wants of it and it has not done yet; `total` is None until it is known."""

    id: int
    kind: str
    slot: str
    recipe: Mapping[str, Any]
    state: str
    place: int
    process: Process | None
    asked: str
    done: int
    total: int | None
    figures: Mapping[str, Any]
    error: str
    detail: str
    who: str
    created: str
    started: str | None
    ended: str | None
    note: str


class JobTable:
    """The jobs in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def add(
        self, kind: str, slot: str, recipe: Mapping[str, Any], who: str = "", above: int = 0
    ) -> int:
        """A new job's id, last in its slot's queue; the id is larger than `above`."""
        row = {
            "kind": check_text("kind", kind, MAX_NAME),
            "slot": check_choice("slot", slot, SLOTS),
            "recipe": _to_json("recipe", recipe),
            "state": "queued",
            "who": check_text("who", who, MAX_NAME),
            "created": utc_now(),
        }
        with self._connections.write() as db:
            (last,) = db.execute("SELECT coalesce(max(id), 0) FROM job").fetchone()
            return insert_row(db, "job", row | {"id": max(last, above) + 1, "place": _last(db)})

    def add_done(
        self,
        kind: str,
        slot: str,
        recipe: Mapping[str, Any],
        figures: Mapping[str, Any],
        told: Sequence[Mapping[str, Any]],
        above: int = 0,
    ) -> int:
        """The id of a job that was done elsewhere: over from the start, with what it told."""
        now = utc_now()
        row = {
            "kind": check_text("kind", kind, MAX_NAME),
            "slot": check_choice("slot", slot, SLOTS),
            "recipe": _to_json("recipe", recipe),
            "figures": _to_json("figures", figures),
            **{"state": "done", "place": 0, "who": "", "created": now, "ended": now},
        }
        texts = [json.dumps(one, allow_nan=False, ensure_ascii=False) for one in told]
        with self._connections.write() as db:
            (last,) = db.execute("SELECT coalesce(max(id), 0) FROM job").fetchone()
            job_id = insert_row(db, "job", row | {"id": max(last, above) + 1})
            rows = [(job_id, number, now, text) for number, text in enumerate(texts, 1)]
            db.conn.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", rows)
            return job_id

    def get(self, job_id: int) -> Job:
        """The job; Refused where there is none, or its files were removed."""
        with self._connections.read() as db:
            return _get(db, job_id)

    def list_jobs(
        self, states: Sequence[str] = STATES, before: int | None = None, limit: int = 100
    ) -> tuple[Job, ...]:
        """Jobs in these states, the newest first, at most `limit`; ids are below `before`. Those
        whose files were removed are left out."""
        sql = (
            f"{_LIST} WHERE removed IS NULL AND id < :before"
            " AND state IN (SELECT value FROM json_each(:states))"
        )
        values = {"states": json.dumps(states), "before": before or 2**62, "limit": limit}
        with self._connections.read() as db:
            rows = list(db.query(f"{sql} ORDER BY id DESC LIMIT :limit", values))
        return tuple(map(_job, rows))

    def claim_next(self, slot: str, process: Process) -> Job | None:
        """The slot's next job, which is `process`'s and running from now on; None where the slot
        is taken or its queue empty."""
        with self._connections.write() as db:
            if _taken(db, slot):
                return None
            row = db.execute(_NEXT, [slot]).fetchone()
            if row is None:
                return None
            _begin(db, row[0], process)
            return _get(db, row[0])

    def take(self, job_id: int, process: Process, instead_of: Process | None) -> Job:
        """The job, which is `process`'s and running from now on. Refused where it is not
        `instead_of`'s any more (None: nobody's), is over, or its slot is taken."""
        with self._connections.write() as db:
            job = _get(db, job_id)
            if job.process != instead_of:
                raise Refused("job_lost", id=job_id)
            if job.process is not None:
                _own(db, job_id, job.process, {"pid": process.pid, **_created(process)})
                return _get(db, job_id)
            if job.state not in ("queued", *RESUMABLE):
                raise Refused("job_state", id=job_id, state=job.state, wish="start")
            if _taken(db, job.slot):
                raise Refused("slot_taken", slot=job.slot)
            _begin(db, job_id, process)
            return _get(db, job_id)

    def hand_over(self, job_id: int, giver: Process, taker: Process) -> bool:
        """Whether the giver had the job; now the taker has it."""
        with self._connections.write() as db:
            row = {"pid": taker.pid, **_created(taker)}
            return _change(db, job_id, giver, row)

    def asked(self, job_id: int, process: Process) -> str:
        """What is asked of the job: "", pause, stop or cancel; Refused where it is not
        `process`'s any more."""
        with self._connections.read() as db:
            values = [job_id, process.pid, process.created]
            row = db.execute(f"SELECT asked FROM job WHERE {_OWNED}", values).fetchone()
        if row is None:
            raise Refused("job_lost", id=job_id)
        return row[0]

    def report(
        self, job_id: int, process: Process, done: int, total: int | None, figures: Mapping
    ) -> None:
        """Note how far the job is; Refused where it is not `process`'s any more."""
        row = {"done": done, "total": total, "figures": _to_json("figures", figures)}
        with self._connections.write() as db:
            _own(db, job_id, process, row)

    def set_paused(self, job_id: int, process: Process, paused: bool) -> None:
        """Note that the process has paused the job, or goes on with it."""
        with self._connections.write() as db:
            _own(db, job_id, process, {"state": "paused" if paused else "running"})

    def end(
        self, job_id: int, process: Process, state: str, error: str = "", detail: str = ""
    ) -> None:
        """Note that the process is done with the job; of a cancelled one nothing is left to do."""
        check_choice("state", state, ("stopped", "done", "failed", "cancelled"))
        detail = "".join(c if c.isprintable() or c == "\n" else " " for c in detail)
        with self._connections.write() as db:
            _own(db, job_id, process, _ended(state, error, detail[:MAX_DETAIL]))
            _discard(db, job_id, state)

    def gone(self, job_id: int, process: Process) -> bool:
        """Note that the process ended without a word: the job is interrupted, or what was asked of
        it. False where it has another process now, or none."""
        with self._connections.write() as db:
            job = _get(db, job_id)
            state = {"stop": "stopped", "cancel": "cancelled"}.get(job.asked, "interrupted")
            changed = _change(db, job_id, process, _ended(state))
            if changed:
                _discard(db, job_id, state)
            return changed

    def ask(self, job_id: int, wish: str) -> Job:
        """Ask one of WISHES of a job; what no process has changes at once. Refused where it is in
        no state for that. To resume one that no process has puts it last in the queue."""
        check_choice("wish", wish, WISHES)
        with self._connections.write() as db:
            job = _get(db, job_id)
            if job.state == "done" and db.execute(_LEFT, [job_id]).fetchone():
                job = replace(job, state="stopped")  # some that were set aside wait again
            change = _asked_of(job, wish)
            if change is None:
                raise Refused("job_state", id=job_id, state=job.state, wish=wish)
            if change.get("state") == "queued":
                change["place"] = _last(db)
            db.table("job").update(job_id, change)
            _discard(db, job_id, change.get("state", ""))
            return _get(db, job_id)

    def move(self, job_id: int, place: int) -> Job:
        """Put a queued job at this place, from 1, of its slot's queue."""
        with self._connections.write() as db:
            job = _get(db, job_id)
            if job.state != "queued":
                raise Refused("job_state", id=job_id, state=job.state, wish="move")
            rows = db.execute(_QUEUE, [job.slot]).fetchall()
            ids, places = [row[0] for row in rows], [row[1] for row in rows]
            ids.remove(job_id)
            ids.insert(max(0, place - 1), job_id)
            for one, at in zip(ids, places, strict=True):
                db.table("job").update(one, {"place": at})
            return _get(db, job_id)

    def write_note(self, job_id: int, note: str) -> None:
        """Keep what somebody notes on a job; Refused where there is none."""
        note = check_text("note", note, MAX_NOTE, lines=True)
        with self._connections.write() as db:
            _get(db, job_id)
            db.table("job").update(job_id, {"note": note})

    def remove(self, job_id: int) -> None:
        """List the job no more. Refused while it waits or is at work."""
        with self._connections.write() as db:
            job = _get(db, job_id)
            if job.state in (*ACTIVE, "queued"):
                raise Refused("job_state", id=job_id, state=job.state, wish="remove")
            db.table("job").update(job_id, {"removed": utc_now()})
            db.execute("DELETE FROM event WHERE job_id = ?", [job_id])


def check_owned(db: Database, job_id: int, process: Process) -> None:
    """Refused where the job is not the process's, inside the caller's transaction."""
    values = [job_id, process.pid, process.created]
    if not db.execute(f"SELECT 1 FROM job WHERE {_OWNED}", values).fetchone():
        raise Refused("job_lost", id=job_id)


def _asked_of(job: Job, wish: str) -> dict[str, Any] | None:
    """What changes in a job's row by this wish; None where it cannot be granted."""
    if job.state in ACTIVE:
        final = job.asked in ("stop", "cancel")
        if wish in ("pause", "resume"):
            return None if final else {"asked": "pause" if wish == "pause" else ""}
        return {"asked": "cancel" if job.asked == "cancel" else wish}
    if wish == "resume" and job.state in RESUMABLE:
        return {"state": "queued", "asked": "", "error": "", "detail": "", "ended": None}
    if wish == "stop" and job.state == "queued":
        return _ended("stopped")
    if wish == "cancel" and job.state in ("queued", *RESUMABLE):
        return _ended("cancelled", job.error, job.detail)
    return None


def _ended(state: str, error: str = "", detail: str = "") -> dict[str, Any]:
    nobody = {"pid": None, "process_created": None, "asked": ""}
    return {"state": state, "error": error, "detail": detail, "ended": utc_now(), **nobody}


def _begin(db: Database, job_id: int, process: Process) -> None:
    db.execute(_BEGIN, [process.pid, process.created, utc_now(), job_id])


def _created(process: Process) -> dict[str, float]:
    return {"process_created": process.created}


def _own(db: Database, job_id: int, process: Process, row: dict[str, Any]) -> None:
    if not _change(db, job_id, process, row):
        raise Refused("job_lost", id=job_id)


def _change(db: Database, job_id: int, process: Process, row: dict[str, Any]) -> bool:
    columns = ", ".join(f"{name} = ?" for name in row)
    values = [*row.values(), job_id, process.pid, process.created]
    return db.execute(f"UPDATE job SET {columns} WHERE {_OWNED}", values).rowcount == 1


def _discard(db: Database, job_id: int, state: str) -> None:
    """What a cancelled job has not asked yet is never asked."""
    if state == "cancelled":
        db.execute("DELETE FROM request WHERE job_id = ? AND state = 'waiting'", [job_id])


def _taken(db: Database, slot: str) -> bool:
    return db.execute(_TAKEN, [slot]).fetchone() is not None


def _last(db: Database) -> int:
    return db.execute("SELECT coalesce(max(place), 0) + 1 FROM job").fetchone()[0]


def _get(db: Database, job_id: int) -> Job:
    row = next(iter(db.query(f"{_LIST} WHERE removed IS NULL AND id = ?", [job_id])), None)
    if row is None:
        raise Refused("unknown_value", field="job", value=job_id)
    return _job(row)


def _job(row: dict[str, Any]) -> Job:
    pid, created = row.pop("pid"), row.pop("process_created")
    for name in ("recipe", "figures"):
        row[name] = json.loads(row[name])
    return Job(**row, process=None if pid is None else Process(pid, created))


def _to_json(field: str, value: Mapping[str, Any]) -> str:
    text = json.dumps(value, allow_nan=False)
    if len(text) > _MAX_JSON:
        raise Refused("too_long", field=field, length=len(text), limit=_MAX_JSON)
    return text


_OWNED = "id = ? AND pid = ? AND process_created = ?"
_LIST = """
    SELECT id, kind, slot, recipe, state, pid, process_created, asked, done, total, figures, error,
        detail, who, created, started, ended, note, CASE WHEN state = 'queued' THEN (
            SELECT count(*) FROM job AS other
            WHERE other.state = 'queued' AND other.slot = job.slot AND other.place <= job.place
        ) ELSE 0 END AS place
    FROM job
"""
_NEXT = "SELECT id FROM job WHERE slot = ? AND state = 'queued' ORDER BY place LIMIT 1"
_QUEUE = "SELECT id, place FROM job WHERE slot = ? AND state = 'queued' ORDER BY place"
_LEFT = "SELECT 1 FROM request WHERE job_id = ? AND state = 'waiting'"
_TAKEN = "SELECT 1 FROM job WHERE slot = ? AND state IN ('running', 'paused')"
_BEGIN = """
    UPDATE job SET state = 'running', pid = ?, process_created = ?, asked = '', error = '',
        detail = '', started = coalesce(started, ?), ended = NULL
    WHERE id = ?
"""
