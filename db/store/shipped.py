"""What ships with the app and comes into a new database once: taken back, it never comes again."""

from __future__ import annotations

from db.store.connection import Connections, insert_row
from db.store.imports import Origin
from db.store.rows import utc_now


class ShippedTable:
    """What came with the app, by name, and the import that brought it."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def begin(self, origin: Origin) -> tuple[int, int] | None:
        """The import of `origin`, begun now or before and not finished, and how many of its lines
        are stored; None where it is finished or taken back, or where people had brought answers
        of their own before it could come."""
        with self._connections.write() as db:
            row = db.execute(_FIND, [origin.name]).fetchone()
            if row is None:
                (used,) = db.execute(_USED).fetchone()
                values = {
                    "name": origin.name,
                    "format": origin.format,
                    "pair": origin.pair,
                    "origin": origin.text,
                    "who": origin.who,
                    "created": utc_now(),
                }
                import_id = None if used else insert_row(db, "import", values)
                db.execute("INSERT INTO shipped VALUES (?, ?)", [origin.name, import_id])
                return (import_id, 0) if import_id else None
        import_id, open_, lines = row
        return (import_id, lines) if open_ else None

    def imports(self) -> dict[int, str]:
        """The imports that brought what ships with the app: id → name."""
        with self._connections.read() as db:
            sql = "SELECT import_id, name FROM shipped WHERE import_id NOT NULL"
            return dict(db.execute(sql).fetchall())


_FIND = """
    SELECT import_id, import.finished IS NULL AND import.undone IS NULL AND import.id NOT NULL, (
        SELECT count(*) FROM imported_line WHERE imported_line.import_id = import.id
    ) FROM shipped LEFT JOIN import ON import.id = shipped.import_id WHERE shipped.name = ?
"""
_USED = "SELECT EXISTS (SELECT 1 FROM import) OR EXISTS (SELECT 1 FROM label)"
