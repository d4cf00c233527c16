"""The tables, as numbered migrations that are only ever appended to: migration n makes version n.

A migration is a tuple of single statements (`executescript` would commit half-way). One that has
been released is never edited: `tests/unit/test_store_migrations.py` holds a hash of each.
"""

from __future__ import annotations

from db.store.schema_freezing import FREEZING
from db.store.schema_jobs import JOBS
from db.store.schema_models import MODELS
from db.store.schema_review import REVIEW_MORE
from db.store.schema_runs import RUNS
from db.store.schema_sentences import SENTENCES, SYNTHETIC_ROWS

APPLICATION_ID = 0x43545831  # "CTX1" in the file's header: this database is ours
# What is kept for speed only. Backups leave it out, or forgotten text would live on in them.
KEPT = "kept_context"

_QUERIES_LABELS_FEEDBACK = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    """
    CREATE TABLE query (
        id INTEGER PRIMARY KEY,
        pair TEXT NOT NULL,
        task TEXT NOT NULL DEFAULT 'sense',
        context TEXT NOT NULL,
        position INTEGER NOT NULL,
        target TEXT NOT NULL,
        idx INTEGER NOT NULL,
        created TEXT NOT NULL,
        UNIQUE (pair, task, context, position)
    ) STRICT
    """,
    """
    CREATE TRIGGER query_never_changed BEFORE UPDATE ON query
    BEGIN SELECT RAISE(ABORT, 'queries are never changed'); END
    """,
    """
    CREATE TABLE label (
        id INTEGER PRIMARY KEY,
        query_id INTEGER NOT NULL REFERENCES query (id),
        version INTEGER NOT NULL,
        class TEXT NOT NULL,
        meaning TEXT NOT NULL,
        members TEXT,
        phrase_meaning TEXT NOT NULL,
        source TEXT NOT NULL CHECK (source IN ('teacher', 'model', 'person', 'reader')),
        who TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('proposed', 'accepted', 'rejected')),
        created TEXT NOT NULL,
        UNIQUE (query_id, version)
    ) STRICT
    """,
    """
    CREATE TRIGGER label_never_changed BEFORE UPDATE ON label
    BEGIN SELECT RAISE(ABORT, 'labels are never changed'); END
    """,
    """
    CREATE TRIGGER label_never_deleted BEFORE DELETE ON label
    BEGIN SELECT RAISE(ABORT, 'labels are never deleted'); END
    """,
    # INSERT OR REPLACE deletes without the DELETE trigger unless recursive_triggers is on.
    """
    CREATE TRIGGER label_never_replaced BEFORE INSERT ON label
    WHEN EXISTS (SELECT 1 FROM label WHERE id = NEW.id)
        OR NEW.version <> 1 + (
            SELECT coalesce(max(version), 0) FROM label WHERE query_id = NEW.query_id
        )
    BEGIN SELECT RAISE(ABORT, 'labels are never replaced'); END
    """,
    # A label without its query is lost as well; other programs leave foreign keys off.
    """
    CREATE TRIGGER query_kept_for_labels BEFORE DELETE ON query
    WHEN EXISTS (SELECT 1 FROM label WHERE query_id = OLD.id)
    BEGIN SELECT RAISE(ABORT, 'labels need their query'); END
    """,
    """
    CREATE TRIGGER query_never_replaced BEFORE INSERT ON query
    WHEN EXISTS (SELECT 1 FROM query WHERE id = NEW.id)
        OR EXISTS (
            SELECT 1 FROM query WHERE pair = NEW.pair AND task = NEW.task
                AND context = NEW.context AND position = NEW.position
        )
    BEGIN SELECT RAISE(ABORT, 'queries are never replaced'); END
    """,
    """
    CREATE TABLE feedback (
        id INTEGER PRIMARY KEY,
        query_id INTEGER NOT NULL REFERENCES query (id),
        shown_class TEXT NOT NULL,
        shown_meaning TEXT NOT NULL,
        shown_members TEXT,
        shown_phrase_meaning TEXT NOT NULL,
        shown_second TEXT NOT NULL,
        shown_confidence REAL NOT NULL,
        shown_source TEXT NOT NULL,
        shown_engine TEXT NOT NULL,
        better_meaning TEXT NOT NULL,
        members TEXT,
        phrase_meaning TEXT NOT NULL,
        note TEXT NOT NULL,
        who TEXT NOT NULL,
        created TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX feedback_query ON feedback (query_id)",
)

_KEPT_ANSWERS = (
    # The context stands once, not beside each of its words' answers. It comes first in the key, so
    # that forgetting a text finds it whatever the engine.
    """
    CREATE TABLE kept_context (
        id INTEGER PRIMARY KEY,
        context TEXT NOT NULL,
        pair TEXT NOT NULL,
        engine TEXT NOT NULL,
        created TEXT NOT NULL,
        UNIQUE (context, pair, engine)
    ) STRICT
    """,
    """
    CREATE TABLE kept_answer (
        context_id INTEGER NOT NULL REFERENCES kept_context (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        class TEXT NOT NULL,
        meaning TEXT NOT NULL,
        members TEXT,
        phrase_meaning TEXT NOT NULL,
        second TEXT NOT NULL,
        confidence REAL NOT NULL,
        source TEXT NOT NULL,
        engine TEXT NOT NULL,
        PRIMARY KEY (context_id, position)
    ) STRICT, WITHOUT ROWID
    """,
    # A row here: text was deleted, and its bytes may still stand in the file.
    "CREATE TABLE scrub_due (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT",
)

_PHRASE_SOURCE = (
    # Whose meaning a kept answer's phrase has: the model's, the phrasebook's or a person's.
    "ALTER TABLE kept_answer ADD COLUMN phrase_source TEXT NOT NULL DEFAULT 'model'",
)

_IMPORTS = (
    """
    CREATE TABLE import (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        format TEXT NOT NULL,
        pair TEXT NOT NULL,
        origin TEXT NOT NULL,
        who TEXT NOT NULL,
        created TEXT NOT NULL,
        finished TEXT,
        undone TEXT
    ) STRICT
    """,
    # `folded`: the words alone in small letters, under which near-identical sentences are equal.
    """
    CREATE TABLE sentence (
        id INTEGER PRIMARY KEY,
        import_id INTEGER NOT NULL REFERENCES import (id),
        pair TEXT NOT NULL,
        context TEXT NOT NULL,
        folded TEXT NOT NULL,
        translation TEXT NOT NULL,
        attribution TEXT NOT NULL,
        UNIQUE (pair, context)
    ) STRICT
    """,
    "CREATE INDEX sentence_folded ON sentence (pair, folded)",
    # A line as it was, verbatim, beside what became of it. It may hold several sentences.
    """
    CREATE TABLE imported_line (
        import_id INTEGER NOT NULL REFERENCES import (id),
        number INTEGER NOT NULL,
        part INTEGER NOT NULL,
        raw TEXT NOT NULL,
        reason TEXT NOT NULL,
        detail TEXT NOT NULL,
        sentence_id INTEGER REFERENCES sentence (id),
        query_id INTEGER REFERENCES query (id),
        label_id INTEGER REFERENCES label (id),
        PRIMARY KEY (import_id, number, part)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX imported_line_sentence ON imported_line (sentence_id)",
    "CREATE INDEX imported_line_query ON imported_line (query_id)",
    "CREATE INDEX imported_line_label ON imported_line (label_id)",
)

# A frozen set: labels are never changed, so to name them is to keep them.
_DATASETS = (
    """
    CREATE TABLE dataset (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        description TEXT NOT NULL,
        pair TEXT NOT NULL,
        accepted_only INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        who TEXT NOT NULL,
        created TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE dataset_row (
        dataset_id INTEGER NOT NULL REFERENCES dataset (id),
        label_id INTEGER NOT NULL REFERENCES label (id),
        PRIMARY KEY (dataset_id, label_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TRIGGER dataset_never_changed BEFORE UPDATE ON dataset
    BEGIN SELECT RAISE(ABORT, 'datasets are never changed'); END
    """,
    """
    CREATE TRIGGER dataset_row_never_changed BEFORE UPDATE ON dataset_row
    BEGIN SELECT RAISE(ABORT, 'datasets are never changed'); END
    """,
    """
    CREATE TRIGGER dataset_row_never_deleted BEFORE DELETE ON dataset_row
    BEGIN SELECT RAISE(ABORT, 'datasets are never changed'); END
    """,
)

_REVIEW = (
    # How sure a model was of its answer, 0 to 1; NULL where nobody said.
    "ALTER TABLE label ADD COLUMN confidence REAL",
    """
    CREATE TABLE decision (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL
            CHECK (kind IN ('accept', 'edit', 'reject', 'skip', 'flag', 'unflag', 'settle')),
        who TEXT NOT NULL,
        note TEXT NOT NULL,
        token TEXT UNIQUE,
        created TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX decision_who ON decision (who, id)",
    # What a decision is about: one query, or many at once; and the label it gave each.
    """
    CREATE TABLE decision_query (
        decision_id INTEGER NOT NULL REFERENCES decision (id),
        query_id INTEGER NOT NULL REFERENCES query (id),
        label_id INTEGER REFERENCES label (id),
        PRIMARY KEY (decision_id, query_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX decision_query_query ON decision_query (query_id)",
    # A decision that was taken back: it stays, and counts no more, its labels neither.
    """
    CREATE TABLE undone (
        id INTEGER PRIMARY KEY,
        decision_id INTEGER NOT NULL UNIQUE REFERENCES decision (id),
        who TEXT NOT NULL,
        created TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE undone_label (
        label_id INTEGER PRIMARY KEY REFERENCES label (id),
        undone_id INTEGER NOT NULL REFERENCES undone (id)
    ) STRICT
    """,
    *(
        f"""
        CREATE TRIGGER {table}_never_{verb.lower()}d BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, 'decisions are history'); END
        """
        for table in ("decision", "decision_query", "undone", "undone_label")
        for verb in ("UPDATE", "DELETE")
    ),
    # Who has a query before them, and until which second of UTC.
    """
    CREATE TABLE lease (
        query_id INTEGER NOT NULL REFERENCES query (id),
        who TEXT NOT NULL,
        until REAL NOT NULL,
        PRIMARY KEY (query_id, who)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE review_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    # What follows is worked out from the tables above and can be at any time.
    """
    CREATE TABLE item (
        query_id INTEGER PRIMARY KEY REFERENCES query (id),
        pair TEXT NOT NULL,
        status TEXT NOT NULL,
        place REAL NOT NULL,
        label_id INTEGER REFERENCES label (id),
        given INTEGER NOT NULL,
        class TEXT NOT NULL,
        phrase TEXT NOT NULL,
        differs INTEGER NOT NULL,
        corrected INTEGER NOT NULL,
        reported INTEGER NOT NULL,
        import_id INTEGER
    ) STRICT
    """,
    "CREATE INDEX item_next ON item (pair, status, place)",
    "CREATE INDEX item_class ON item (pair, class)",
    "CREATE INDEX item_phrase ON item (pair, phrase) WHERE phrase <> ''",
    "CREATE INDEX item_corrected ON item (pair) WHERE corrected",
    "CREATE INDEX item_differs ON item (pair) WHERE differs",
    "CREATE INDEX item_reported ON item (pair) WHERE reported",
    "CREATE INDEX item_import ON item (pair, import_id)",
    "CREATE INDEX label_person ON label (who, query_id) WHERE source = 'person'",
    "CREATE VIRTUAL TABLE search USING fts5 (text, tokenize = 'unicode61')",
    # Queries whose item is out of date, whoever changed what it is made from.
    "CREATE TABLE item_due (query_id INTEGER PRIMARY KEY) STRICT",
    "INSERT INTO item_due SELECT id FROM query",
    *(
        f"""
        CREATE TRIGGER {table}_makes_item_due AFTER INSERT ON {table}
        BEGIN INSERT OR IGNORE INTO item_due VALUES (NEW.{column}); END
        """
        for table, column in (("query", "id"), ("label", "query_id"), ("feedback", "query_id"),
                              ("decision_query", "query_id"))
    ),
    """
    CREATE TRIGGER line_makes_item_due AFTER INSERT ON imported_line WHEN NEW.query_id NOT NULL
    BEGIN INSERT OR IGNORE INTO item_due VALUES (NEW.query_id); END
    """,
    """
    CREATE TRIGGER sentence_makes_item_due AFTER INSERT ON imported_line
    WHEN NEW.query_id IS NULL AND NEW.sentence_id NOT NULL
    BEGIN
        INSERT OR IGNORE INTO item_due
        SELECT query.id FROM sentence JOIN query ON query.pair = sentence.pair
            AND query.task = 'sense' AND query.context = sentence.context
        WHERE sentence.id = NEW.sentence_id;
    END
    """,
    """
    CREATE TRIGGER undone_import_makes_item_due AFTER UPDATE OF undone ON import
    BEGIN
        INSERT OR IGNORE INTO item_due
        SELECT query_id FROM imported_line
        WHERE import_id = NEW.id AND query_id NOT NULL;
        INSERT OR IGNORE INTO item_due
        SELECT query.id FROM imported_line
        JOIN sentence ON sentence.id = imported_line.sentence_id
        JOIN query ON query.pair = sentence.pair AND query.task = 'sense'
            AND query.context = sentence.context
        WHERE imported_line.import_id = NEW.id AND imported_line.query_id IS NULL;
    END
    """,
    """
    CREATE TRIGGER undone_makes_item_due AFTER INSERT ON undone
    BEGIN
        INSERT OR IGNORE INTO item_due
        SELECT query_id FROM decision_query WHERE decision_id = NEW.decision_id;
    END
    """,
)  # fmt: skip

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _QUERIES_LABELS_FEEDBACK,
    _KEPT_ANSWERS,
    _PHRASE_SOURCE,
    _IMPORTS,
    _DATASETS,
    _REVIEW,
    FREEZING,
    JOBS,
    RUNS,
    REVIEW_MORE,
    MODELS,
    SENTENCES,
    SYNTHETIC_ROWS,
)
