"""The migration that knows every import of an item, and lets people say why they flag. Never edited
once released, as in `schema`.
"""

from __future__ import annotations

REVIEW_MORE = (
    # All imports that hold an item's query and count; `item.import_id` is the first of them. Worked
    # out with the item.
    """
    CREATE TABLE item_of_import (
        import_id INTEGER NOT NULL REFERENCES import (id),
        query_id INTEGER NOT NULL REFERENCES query (id),
        PRIMARY KEY (import_id, query_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    INSERT OR IGNORE INTO item_of_import
    SELECT import.id, imported_line.query_id
    FROM imported_line JOIN import ON import.id = imported_line.import_id AND import.undone IS NULL
    WHERE imported_line.query_id NOT NULL
    """,
    """
    INSERT OR IGNORE INTO item_of_import
    SELECT import.id, query.id
    FROM imported_line JOIN import ON import.id = imported_line.import_id AND import.undone IS NULL
    JOIN sentence ON sentence.id = imported_line.sentence_id
    JOIN query ON query.pair = sentence.pair AND query.task = 'sense'
        AND query.context = sentence.context
    WHERE imported_line.query_id IS NULL
    """,
    "DROP INDEX item_import",
    # What somebody says of their decision afterwards; the last counts.
    """
    CREATE TABLE decision_note (
        id INTEGER PRIMARY KEY,
        decision_id INTEGER NOT NULL REFERENCES decision (id),
        note TEXT NOT NULL,
        created TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX decision_note_decision ON decision_note (decision_id)",
    *(
        f"""
        CREATE TRIGGER decision_note_never_{verb.lower()}d BEFORE {verb} ON decision_note
        BEGIN SELECT RAISE(ABORT, 'decisions are history'); END
        """
        for verb in ("UPDATE", "DELETE")
    ),
)
