"""The migration that lets jobs tell what happens to them, and people write notes on them. Never
edited once released, as in `schema`.
"""

from __future__ import annotations

RUNS = (
    # What a job tells while it is at work, in order; whoever watches reads on behind a number.
    """
    CREATE TABLE event (
        job_id INTEGER NOT NULL REFERENCES job (id),
        number INTEGER NOT NULL,
        created TEXT NOT NULL,
        data TEXT NOT NULL,
        PRIMARY KEY (job_id, number)
    ) STRICT, WITHOUT ROWID
    """,
    "ALTER TABLE job ADD COLUMN note TEXT NOT NULL DEFAULT ''",
    # Since when its files are gone; its number is never given again.
    "ALTER TABLE job ADD COLUMN removed TEXT",
    # In order of `query_id`, so that a page of one state need not sort all there are.
    "CREATE INDEX item_state ON item (pair, status)",
)
