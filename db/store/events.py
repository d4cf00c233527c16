"""What jobs tell while they are at work: small JSON objects in order, read on behind a number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.store.connection import Connections
from db.store.jobs import Process, check_owned
from db.store.rows import utc_now


@dataclass(frozen=True)
class Told:
    """One thing that a job told; numbers of a job count from 1."""

    number: int
    created: str
    data: Mapping[str, Any]


class EventTable:
    """The events in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def tell(self, job_id: int, process: Process, data: Mapping[str, Any]) -> None:
        """Add an event; Refused where the job is not `process`'s any more."""
        text = json.dumps(data, allow_nan=False, ensure_ascii=False)
        with self._connections.write() as db:
            check_owned(db, job_id, process)
            db.execute(_ADD, {"job": job_id, "created": utc_now(), "data": text})

    def read(self, job_id: int, after: int = 0, limit: int = 2000) -> tuple[Told, ...]:
        """The job's events with numbers above `after`, in order, at most `limit`."""
        values = [job_id, after, limit]
        with self._connections.read() as db:
            rows = db.execute(_READ, values).fetchall()
        return tuple(Told(number, created, json.loads(data)) for number, created, data in rows)


_ADD = """
    INSERT INTO event
    SELECT :job, coalesce(max(number), 0) + 1, :created, :data FROM event WHERE job_id = :job
"""
_READ = """
    SELECT number, created, data FROM event WHERE job_id = ? AND number > ? ORDER BY number LIMIT ?
"""
