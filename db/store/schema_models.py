"""The migration that adds which model readers get, and what people think of one beside another.
Never edited once released, as in `schema`.
"""

from __future__ import annotations

MODELS = (
    # The last row of a pair and task is what readers have. `undoes`: the promotion that this one
    # took back; the row itself names the model that came again. `folder` is relative to the home,
    # and empty for what ships with the app.
    """
    CREATE TABLE promotion (
        id INTEGER PRIMARY KEY,
        created TEXT NOT NULL,
        pair TEXT NOT NULL,
        task TEXT NOT NULL CHECK (task IN ('sense', 'translation')),
        model TEXT NOT NULL,
        title TEXT NOT NULL,
        version TEXT NOT NULL,
        folder TEXT NOT NULL,
        reason TEXT NOT NULL,
        who TEXT NOT NULL,
        evaluation_id INTEGER REFERENCES job (id),
        figures TEXT NOT NULL DEFAULT '{}',
        undoes INTEGER UNIQUE REFERENCES promotion (id)
    ) STRICT
    """,
    "CREATE INDEX promotion_pair ON promotion (pair, task)",
    # A blind choice. `position` is NULL where a whole sentence was judged; `shown_first`: the side
    # that stood first on the screen.
    """
    CREATE TABLE vote (
        id INTEGER PRIMARY KEY,
        created TEXT NOT NULL,
        who TEXT NOT NULL,
        pair TEXT NOT NULL,
        task TEXT NOT NULL CHECK (task IN ('sense', 'translation')),
        left_model TEXT NOT NULL,
        left_version TEXT NOT NULL,
        right_model TEXT NOT NULL,
        right_version TEXT NOT NULL,
        context TEXT NOT NULL,
        position INTEGER,
        choice TEXT NOT NULL CHECK (choice IN ('left', 'right', 'both', 'neither')),
        shown_first TEXT NOT NULL CHECK (shown_first IN ('left', 'right'))
    ) STRICT
    """,
    "CREATE INDEX vote_models ON vote (left_version, right_version)",
    *(
        f"""
        CREATE TRIGGER {table}_never_{verb.lower()}d BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, '{table}s are history'); END
        """
        for table in ("promotion", "vote")
        for verb in ("UPDATE", "DELETE")
    ),
)
