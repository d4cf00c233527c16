"""The migration that says what a frozen dataset holds, and what shipped. Never edited once
released, as in `schema`.
"""

from __future__ import annotations

# What a set was frozen from and without, and how many of its rows each split has. And what ships
# with the app and was brought in once; without an import where people's own rows were there first.
FREEZING = (
    "ALTER TABLE dataset ADD COLUMN chosen TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE dataset ADD COLUMN left_out TEXT NOT NULL DEFAULT '{}'",
    """
    CREATE TABLE dataset_split (
        dataset_id INTEGER NOT NULL REFERENCES dataset (id),
        split TEXT NOT NULL,
        rows INTEGER NOT NULL,
        PRIMARY KEY (dataset_id, split)
    ) STRICT, WITHOUT ROWID
    """,
    *(
        f"""
        CREATE TRIGGER dataset_split_never_{verb.lower()}d BEFORE {verb} ON dataset_split
        BEGIN SELECT RAISE(ABORT, 'datasets are never changed'); END
        """
        for verb in ("UPDATE", "DELETE")
    ),
    """
    CREATE TABLE shipped (
        name TEXT PRIMARY KEY,
        import_id INTEGER REFERENCES import (id)
    ) STRICT
    """,
)
