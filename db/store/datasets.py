"""Datasets: named sets of labels, frozen with a hash of their content. Never changed.

The hash is of the rows in the wire format's words, in order of sentence and position, so that the
same rows have the same hash in any database.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from db.store.checks import MAX_NAME, MAX_NOTE, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused
from db.store.exports import Answered, read_answered, standing
from db.store.items import work_off
from db.store.rows import utc_now
from engine.sense import to_wire


@dataclass(frozen=True)
class Dataset:
    """A frozen set of labels."""

    name: str
    description: str
    pair: str
    accepted_only: bool
    sha256: str
    who: str
    created: str
    rows: int


class DatasetTable:
    """The frozen datasets in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def freeze(
        self, name: str, pair: str, accepted: bool = True, description: str = "", who: str = ""
    ) -> Dataset:
        """Freeze the answers that stand now; Refused where there are none, or the name is taken."""
        name = check_text("name", name, MAX_NAME)
        if not name:
            raise Refused("no_text", field="name")
        row = {
            "name": name,
            "description": check_text("description", description, MAX_NOTE, lines=True),
            "pair": pair,
            "accepted_only": int(accepted),
            "who": check_text("who", who, MAX_NAME),
            "created": utc_now(),
        }
        with self._connections.write() as db:
            if db.execute("SELECT 1 FROM dataset WHERE name = ?", [name]).fetchone():
                raise Refused("name_taken", name=name)
            work_off(db)
            found = list(db.query(standing(accepted), [pair]))
            if not found:
                raise Refused("no_rows")
            row["sha256"] = digest([read_answered(one) for one in found])
            dataset_id = insert_row(db, "dataset", row)
            rows = [(dataset_id, one["id"]) for one in found]
            db.conn.executemany("INSERT INTO dataset_row VALUES (?, ?)", rows)
        return self.get(name)

    def get(self, name: str) -> Dataset:
        """The dataset of this name; Refused where there is none."""
        for dataset in self.list_datasets():
            if dataset.name == name:
                return dataset
        raise Refused("unknown_value", field="dataset", value=name)

    def list_datasets(self) -> tuple[Dataset, ...]:
        """All datasets, the newest first."""
        sql = """
            SELECT name, description, pair, accepted_only, sha256, who, created, (
                SELECT count(*) FROM dataset_row WHERE dataset_id = dataset.id
            ) AS rows FROM dataset ORDER BY id DESC
        """
        with self._connections.read() as db:
            return tuple(
                Dataset(**row | {"accepted_only": bool(row["accepted_only"])})
                for row in db.query(sql)
            )


def digest(rows: list[Answered]) -> str:
    """SHA-256 of rows, whatever order they come in."""
    lines = sorted(
        (
            row.query.context,
            row.query.position,
            row.query.pair,
            *to_wire(row.query, row.sense).values(),
        )
        for row in rows
    )
    return hashlib.sha256(json.dumps(lines, ensure_ascii=False).encode()).hexdigest()
