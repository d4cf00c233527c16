"""Datasets of task `translation`: named sets of sentences with their translations, frozen with a
hash of their content. Never changed; which split a sentence is in depends on its words alone.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.store.checks import MAX_NAME, MAX_NOTE, check_pair, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused
from db.store.rows import utc_now
from engine.split import SPLITS, split_of_translation

Rows = list[tuple[str, str]]
MarkedRows = list[tuple[str, str, str]]
"""Sentence, translation, and who wrote that: "" where it came with its sentence."""


@dataclass(frozen=True)
class SentenceSet:
    """A frozen set of sentences. `teacher`: whose translations are in it beside those that came
    with their sentences, `synthetic` of them; `splits`: sentences of each."""

    id: int
    name: str
    description: str
    pair: str
    teacher: str
    sha256: str
    who: str
    created: str
    rows: int
    splits: Mapping[str, int]
    synthetic: int = 0


class SentenceSetTable:
    """The frozen sets of sentences in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def count(self, pair: str, teacher: str = "") -> dict[str, int]:
        """How many sentences of each split there are to freeze."""
        found = Counter(split_of_translation(*row[:2], pair) for row in self._look(pair, teacher))
        return {split: found[split] for split in SPLITS}

    def freeze(
        self, name: str, pair: str, teacher: str = "", description: str = "", who: str = ""
    ) -> SentenceSet:
        """Freeze the sentences that count now with the translation that each came with, or else the
        teacher's last. Refused where there is none, or the name is taken."""
        name = check_text("name", name, MAX_NAME)
        if not name:
            raise Refused("no_text", field="name")
        rows = self._look(check_pair(pair), teacher)
        if not rows:
            raise Refused("no_rows")
        # A row that nobody's model wrote has no mark: its set's hash is what it always was.
        content = sorted(row if row[2] else row[:2] for row in rows)
        told = json.dumps([pair, *content], ensure_ascii=False)
        row = {
            "name": name,
            "description": check_text("description", description, MAX_NOTE, lines=True),
            "pair": pair,
            "teacher": check_text("who", teacher, MAX_NAME),
            "sha256": hashlib.sha256(told.encode()).hexdigest(),
            "who": check_text("who", who, MAX_NAME),
            "created": utc_now(),
        }
        with self._connections.write() as db:
            # One name says one dataset, of whatever task.
            for sql in (_NAMED, _NAMED_WORDS):
                if db.execute(sql, [name]).fetchone():
                    raise Refused("name_taken", name=name)
            set_id = insert_row(db, "sentence_set", row)
            db.conn.executemany(
                "INSERT INTO sentence_set_row VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (set_id, number, context, text, split_of_translation(context, text, pair), by)
                    for number, (context, text, by) in enumerate(rows)
                ),
            )
        return self.get(name)

    def get(self, name: str) -> SentenceSet:
        """The set of this name; Refused where there is none."""
        for one in self.list_sets():
            if one.name == name:
                return one
        raise Refused("unknown_value", field="dataset", value=name)

    def list_sets(self) -> tuple[SentenceSet, ...]:
        """All sets, the newest first."""
        with self._connections.read() as db:
            rows = list(db.query("SELECT * FROM sentence_set ORDER BY id DESC"))
            splits: dict[int, dict[str, int]] = {
                row["id"]: dict.fromkeys(SPLITS, 0) for row in rows
            }
            for set_id, split, count in db.execute(_SPLITS):
                splits[set_id][split] = count
            written = dict(tuple(row) for row in db.execute(_SYNTHETIC))
        return tuple(_read(row, splits[row["id"]], written.get(row["id"], 0)) for row in rows)

    def rows(self, name: str) -> Rows:
        """A set's sentences with their translations, in order; Refused where there is no set."""
        return [(context, text) for context, text, _ in self.marked(name)]

    def marked(self, name: str) -> MarkedRows:
        """The same, each with who wrote the translation."""
        with self._connections.read() as db:
            return [tuple(row) for row in db.execute(_ROWS, [self.get(name).id])]

    def _look(self, pair: str, teacher: str) -> MarkedRows:
        with self._connections.read() as db:
            return [tuple(row) for row in db.execute(_THERE, {"pair": pair, "teacher": teacher})]


def _read(row: Mapping[str, Any], splits: Mapping[str, int], synthetic: int) -> SentenceSet:
    return SentenceSet(**row, rows=sum(splits.values()), splits=splits, synthetic=synthetic)


_NAMED = "SELECT 1 FROM sentence_set WHERE name = ?"
_NAMED_WORDS = "SELECT 1 FROM dataset WHERE name = ?"
_SPLITS = "SELECT set_id, split, count(*) FROM sentence_set_row GROUP BY set_id, split"
_SYNTHETIC = "SELECT set_id, count(*) FROM sentence_set_row WHERE who <> '' GROUP BY set_id"
_ROWS = "SELECT context, text, who FROM sentence_set_row WHERE set_id = ? ORDER BY number"
_THERE = """
    SELECT context, text, who FROM (
        SELECT sentence.id, context, iif(sentence.translation = '', :teacher, '') AS who,
            coalesce(nullif(sentence.translation, ''), (
            SELECT told.text FROM translation AS told
            JOIN import ON import.id = told.import_id AND import.undone IS NULL
            WHERE told.sentence_id = sentence.id AND told.who = :teacher
            ORDER BY told.id DESC LIMIT 1
        ), '') AS text
        FROM sentence WHERE pair = :pair AND EXISTS (
            SELECT 1 FROM imported_line JOIN import ON import.id = imported_line.import_id
            WHERE imported_line.sentence_id = sentence.id AND import.undone IS NULL
        )
    ) WHERE text <> '' ORDER BY id
"""
