"""Promotions: which model readers get for a pair and task, since when, by whom and why. A row is
never changed; taking one back is a row of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from db.store.checks import MAX_NAME, MAX_NOTE, check_choice, check_pair, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused
from db.store.rows import utc_now

TASKS = ("sense", "translation")
_MOST_FIGURES = 100_000  # characters


@dataclass(frozen=True)
class Promoted:
    """The model that readers get. `folder` is relative to the home, "" for what ships with the app;
    `figures`: what it was compared by."""

    pair: str
    task: str
    model: str
    version: str
    title: str = ""
    folder: str = ""
    reason: str = ""
    who: str = ""
    evaluation_id: int | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    undoes: int | None = None  # the promotion that was taken back


@dataclass(frozen=True)
class Promotion:
    """One line of the history."""

    id: int
    created: str  # UTC, ISO
    promoted: Promoted


class PromotionTable:
    """The promotions in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def add(self, promoted: Promoted, after: int = 0) -> Promotion:
        """The new last row of its pair and task. Refused where the last is not `after` (0: none):
        somebody was quicker."""
        row = _to_row(promoted)
        values = {"pair": promoted.pair, "task": promoted.task}
        with self._connections.write() as db:
            (last,) = db.execute(_LAST, values).fetchone()
            if last != after:
                raise Refused("promoted_meanwhile")
            new = insert_row(db, "promotion", row)
        return Promotion(new, row["created"], promoted)

    def history(self, pair: str = "", task: str = "") -> tuple[Promotion, ...]:
        """All promotions of a pair and task, or of all, the oldest first."""
        sql = "SELECT * FROM promotion WHERE :pair IN ('', pair) AND :task IN ('', task)"
        with self._connections.read() as db:
            rows = list(db.query(f"{sql} ORDER BY id", {"pair": pair, "task": task}))
        return tuple(_read(row) for row in rows)


_LAST = "SELECT coalesce(max(id), 0) FROM promotion WHERE pair = :pair AND task = :task"


def _to_row(promoted: Promoted) -> dict[str, Any]:
    figures = json.dumps(dict(promoted.figures), allow_nan=False, ensure_ascii=False)
    return {
        "created": utc_now(),
        "pair": check_pair(promoted.pair),
        "task": check_choice("task", promoted.task, TASKS),
        "model": check_text("model", promoted.model, MAX_NAME),
        "title": check_text("title", promoted.title, MAX_NAME),
        "version": check_text("version", promoted.version, MAX_NAME),
        "folder": check_text("folder", promoted.folder, MAX_NOTE),
        "reason": check_text("reason", promoted.reason, MAX_NOTE, lines=True),
        "who": check_text("who", promoted.who, MAX_NAME),
        "evaluation_id": promoted.evaluation_id,
        "figures": check_text("figures", figures, _MOST_FIGURES),
        "undoes": promoted.undoes,
    }


def _read(row: Mapping[str, Any]) -> Promotion:
    names = (*Promoted.__dataclass_fields__,)
    values = {name: row[name] for name in names} | {"figures": json.loads(row["figures"])}
    return Promotion(row["id"], row["created"], Promoted(**values))
