"""The migration that adds jobs: a row is a piece of long work, whichever process does it, and what
a job asks of a model is a row, too. Never edited once released, as in `schema`.
"""

from __future__ import annotations

JOBS = (
    """
    CREATE TABLE job (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        slot TEXT NOT NULL CHECK (slot IN ('compute', 'network')),
        recipe TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'stopped', 'done',
            'failed', 'interrupted', 'cancelled')),
        place INTEGER NOT NULL,
        pid INTEGER,
        process_created REAL,
        asked TEXT NOT NULL DEFAULT '' CHECK (asked IN ('', 'pause', 'stop', 'cancel')),
        done INTEGER NOT NULL DEFAULT 0,
        total INTEGER,
        figures TEXT NOT NULL DEFAULT '{}',
        error TEXT NOT NULL DEFAULT '',
        detail TEXT NOT NULL DEFAULT '',
        who TEXT NOT NULL,
        created TEXT NOT NULL,
        started TEXT,
        ended TEXT,
        CHECK ((state IN ('running', 'paused')) = (pid NOT NULL))
    ) STRICT
    """,
    # One job a slot, whoever starts it.
    "CREATE UNIQUE INDEX job_slot ON job (slot) WHERE state IN ('running', 'paused')",
    "CREATE INDEX job_state ON job (state, place)",
    # Its number names its folder, which must never be another job's.
    """
    CREATE TRIGGER job_never_deleted BEFORE DELETE ON job
    BEGIN SELECT RAISE(ABORT, 'jobs are never deleted'); END
    """,
    # `query_id`, or `asked` for what is no query; `answers`: each text that came back, verbatim.
    """
    CREATE TABLE request (
        job_id INTEGER NOT NULL REFERENCES job (id),
        number INTEGER NOT NULL,
        query_id INTEGER REFERENCES query (id),
        asked TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL DEFAULT 'waiting'
            CHECK (state IN ('waiting', 'answered', 'set_aside', 'known')),
        tries INTEGER NOT NULL DEFAULT 0,
        reason TEXT NOT NULL DEFAULT '',
        answers TEXT NOT NULL DEFAULT '[]',
        tokens_in INTEGER NOT NULL DEFAULT 0,
        tokens_out INTEGER NOT NULL DEFAULT 0,
        seconds REAL NOT NULL DEFAULT 0,
        label_id INTEGER REFERENCES label (id),
        ended TEXT,
        PRIMARY KEY (job_id, number),
        UNIQUE (job_id, query_id)
    ) STRICT, WITHOUT ROWID
    """,
    # A teacher's translation of a sentence, beside the one that came with it, if any.
    """
    CREATE TABLE translation (
        id INTEGER PRIMARY KEY,
        sentence_id INTEGER NOT NULL REFERENCES sentence (id),
        text TEXT NOT NULL,
        who TEXT NOT NULL,
        import_id INTEGER NOT NULL REFERENCES import (id),
        created TEXT NOT NULL,
        UNIQUE (sentence_id, who)
    ) STRICT
    """,
    "CREATE INDEX request_state ON request (job_id, state, number)",
    "CREATE INDEX request_query ON request (query_id)",
)
