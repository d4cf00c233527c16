"""Imports: what came in from which file, every line verbatim beside what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.store.checks import MAX_NAME, check_choice, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused
from db.store.labels import SOURCES, STATUSES
from db.store.lines import Brought, Checked, Counts, Origin, keep_lines
from db.store.rows import utc_now

MAX_ORIGIN = 500  # characters of where a file is from
_LAST_PART = 2**62  # no line has so many


@dataclass(frozen=True)
class Import:
    """One import as it stands; `finished` and `undone` are moments or None. `against`: rows that
    were kept though their answer breaks rules; `broken`: how often each rule."""

    id: int
    name: str
    format: str
    pair: str
    origin: str
    who: str
    created: str
    finished: str | None
    undone: str | None
    lines: int
    refused: dict[str, int]
    against: int = 0
    broken: Mapping[str, int] = field(default_factory=dict)


class ImportTable:
    """The imports in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def begin(self, origin: Origin) -> int:
        """A new import's id; Refused where what is said of it cannot be kept."""
        row = {
            "name": check_text("name", origin.name, MAX_NAME),
            "format": check_text("format", origin.format, MAX_NAME),
            "pair": origin.pair,
            "origin": check_text("origin", origin.text, MAX_ORIGIN),
            "who": check_text("who", origin.who, MAX_NAME),
            "created": utc_now(),
        }
        check_choice("source", origin.source, SOURCES)
        check_choice("status", origin.status, STATUSES)
        with self._connections.write() as db:
            return insert_row(db, "import", row)

    def find(self, name: str, origin: str) -> int | None:
        """The newest import of this name and origin that is not taken back."""
        sql = "SELECT max(id) FROM import WHERE name = ? AND origin = ? AND undone IS NULL"
        with self._connections.read() as db:
            return db.execute(sql, [name, origin]).fetchone()[0]

    def add(self, import_id: int, origin: Origin, lines: Sequence[Brought | Checked]) -> Counts:
        """Store some lines, all of them or, after an error, none; what became of them."""
        with self._connections.write() as db:
            return keep_lines(db, import_id, origin, lines)

    def finish(self, import_id: int) -> None:
        """Note that the whole file was read."""
        self._mark("finished", import_id)

    def undo(self, import_id: int) -> None:
        """Take an import back: what it alone brought counts no more. Nothing is deleted, as labels
        are history; Refused where it is undone already or never was."""
        self._mark("undone", import_id)

    def _mark(self, column: str, import_id: int) -> None:
        sql = f"UPDATE import SET {column} = ? WHERE id = ? AND {column} IS NULL"
        with self._connections.write() as db:
            if db.execute(sql, [utc_now(), import_id]).rowcount != 1:
                raise Refused("unknown_value", field="import", value=import_id)

    def list_imports(self) -> tuple[Import, ...]:
        """All imports, the newest first."""
        with self._connections.read() as db:
            rows = list(db.query("SELECT * FROM import ORDER BY id DESC"))
            found = list(db.query(_REASONS))
        return tuple(_import(row, found) for row in rows)

    def refused(
        self, import_id: int, after: int = 0, limit: int = 100, after_part: int = _LAST_PART
    ) -> tuple[Brought, ...]:
        """Refused sentences and rows with their whole lines, in order, at most `limit`: those in
        lines with numbers above `after`, and in that line those behind `after_part`."""
        with self._connections.read() as db:
            rows = db.query(_REFUSED, [import_id, after, after_part, limit])
            return tuple(Brought(**row) for row in rows)

    def against(
        self, import_id: int, after: int = 0, limit: int = 100, after_part: int = _LAST_PART
    ) -> tuple[Brought, ...]:
        """Rows that were kept though their answer breaks rules, as `refused`; `detail` names the
        rules, parted by spaces."""
        with self._connections.read() as db:
            rows = db.query(_AGAINST, [import_id, after, after_part, limit])
            return tuple(Brought(**row) for row in rows)

    def similar(self, pair: str, limit: int = 100) -> tuple[tuple[str, ...], ...]:
        """Sentences whose words are the same but for case and marks, in groups."""
        sql = """
            SELECT folded, context FROM sentence WHERE pair = ? AND folded IN (
                SELECT folded FROM sentence WHERE pair = ? GROUP BY folded HAVING count(*) > 1
                ORDER BY folded LIMIT ?
            ) ORDER BY folded, id
        """
        groups: dict[str, list[str]] = {}
        with self._connections.read() as db:
            for folded, context in db.execute(sql, [pair, pair, limit]):
                groups.setdefault(folded, []).append(context)
        return tuple(map(tuple, groups.values()))


def _import(row: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> Import:
    mine = [one for one in found if one["import_id"] == row["id"]]
    refused: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    against = 0
    for one in mine:
        if one["reason"]:
            refused[one["reason"]] += one["count"]
        elif one["detail"]:
            against += one["count"]
            broken.update(dict.fromkeys(one["detail"].split(), one["count"]))
    lines = sum(one["count"] for one in mine)
    return Import(**row, lines=lines, refused=dict(refused), against=against, broken=dict(broken))


# A refused line's detail may hold its own words; a kept one's names the rules it breaks.
# Nearly all lines are neither: they are counted as they lie, the others alone are sorted.
_REASONS = """
    SELECT import_id, '' AS reason, '' AS detail, count(*) AS count
    FROM imported_line WHERE reason = '' AND detail = '' GROUP BY import_id
    UNION ALL
    SELECT import_id, reason, iif(reason = '', detail, ''), count(*)
    FROM imported_line WHERE reason <> '' OR detail <> '' GROUP BY 1, 2, 3
"""
# A line is kept verbatim once, with its first part.
_LINES = """
    SELECT number, part, reason, detail, (
        SELECT raw FROM imported_line AS whole
        WHERE whole.import_id = line.import_id AND whole.number = line.number AND whole.part = 0
    ) AS raw
    FROM imported_line AS line
    WHERE import_id = ? AND (number, part) > (?, ?) AND {which} ORDER BY number, part LIMIT ?
"""
_REFUSED = _LINES.format(which="reason <> ''")
_AGAINST = _LINES.format(which="reason = '' AND detail <> ''")
