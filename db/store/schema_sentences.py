"""The migrations that add frozen sets of sentences with their translations, and say which of these
a model wrote. Never edited once released, as in `schema`.
"""

from __future__ import annotations

SENTENCES = (
    # `teacher`: whose translations stand beside those that came with their sentences, "" for none.
    """
    CREATE TABLE sentence_set (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        description TEXT NOT NULL,
        pair TEXT NOT NULL,
        teacher TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        who TEXT NOT NULL,
        created TEXT NOT NULL
    ) STRICT
    """,
    # The texts themselves: what is taken back or translated again later changes no frozen set.
    """
    CREATE TABLE sentence_set_row (
        set_id INTEGER NOT NULL REFERENCES sentence_set (id),
        number INTEGER NOT NULL,
        context TEXT NOT NULL,
        text TEXT NOT NULL,
        split TEXT NOT NULL CHECK (split IN ('train', 'dev', 'test')),
        PRIMARY KEY (set_id, number)
    ) STRICT, WITHOUT ROWID
    """,
    *(
        f"""
        CREATE TRIGGER {table}_never_{verb.lower()}d BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, 'datasets are never changed'); END
        """
        for table in ("sentence_set", "sentence_set_row")
        for verb in ("UPDATE", "DELETE")
    ),
)

# Whose translation a row has: "" for the one that came with its sentence, else the teacher's name.
SYNTHETIC_ROWS = (
    "ALTER TABLE sentence_set_row ADD COLUMN who TEXT NOT NULL DEFAULT ''",
)  # fmt: skip
