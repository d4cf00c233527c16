"""Looking through items: filters, text search, pages of a table, and how far people are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import regex
from sqlite_utils import Database

from db.store.connection import Connections
from db.store.decisions import told
from db.store.items import spaced
from db.store.rows import read_sense
from engine.sense import CLASSES, Query, Sense

STATES = ("open", "accepted", "rejected", "flagged", "conflict")
PHRASES = ("with", "without", "joined", "split")
_FEW = 5000  # items of an import
_COUNTED = 10_000  # items are counted no further
_WORDS = regex.compile(r"[\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True)
class Filter:
    """Which items: each field that is empty or None leaves all in.

    `who` decided it, in whichever case their name is spelled; `shape` is one of PHRASES;
    `corrected`: a person differs from a model; `differs`: models or teachers differ; `reported`: a
    reader complained; `text`: what is searched in sentences, translations and meanings, Chinese by
    single characters, too.
    """

    status: str = ""
    who: str = ""
    word_class: str = ""
    shape: str = ""
    corrected: bool = False
    differs: bool = False
    reported: bool = False
    import_id: int | None = None
    text: str = ""


EVERYTHING = Filter()


@dataclass(frozen=True)
class Listed:
    """One line of the table: a query with the answer that stands, whose it is, and its state;
    `why`: what was said of the flag it has."""

    id: int
    query: Query
    status: str
    sense: Sense | None
    source: str
    who: str
    reported: bool
    differs: bool
    why: str = ""


def where(chosen: Filter, pair: str) -> tuple[str, dict[str, Any]]:
    """SQL conditions on `item` and their values; what nobody could have chosen finds nothing."""
    values: dict[str, Any] = {"pair": pair}
    rules = ["item.pair = :pair"]
    if chosen.status:
        rules.append("item.status = :status")
        values["status"] = chosen.status
    else:
        rules.append("item.status <> 'gone'")
    if chosen.who:
        rules.append(_BY)
        values["by"] = chosen.who
    if chosen.word_class:
        rules.append("item.class = :class")
        values["class"] = chosen.word_class
    if chosen.shape:
        rules.append(_SHAPES.get(chosen.shape, "0"))
    for name in ("corrected", "differs", "reported"):
        if getattr(chosen, name):
            rules.append(f"item.{name}")
    if chosen.import_id is not None:
        rules.append(_OF_IMPORT)
        values["import"] = chosen.import_id
    if chosen.text.strip():
        rules.append("item.query_id IN (SELECT rowid FROM search WHERE search MATCH :text)")
        values["text"] = to_match(chosen.text)
    return " AND ".join(rules), values


def narrowed(db: Database, chosen: Filter) -> str:
    """SQL that makes SQLite read the few items of a small import, in whatever order it is asked
    for them; all of a large one would take longer than to meet one of them in that order."""
    few = f"SELECT count(*) <= {_FEW} FROM ({_BROUGHT} LIMIT {_FEW + 1})"
    if chosen.import_id is None or not db.execute(few, {"import": chosen.import_id}).fetchone()[0]:
        return "1"
    return f"item.query_id IN ({_BROUGHT})"


def to_match(text: str) -> str:
    """What `search` is asked: all words, Chinese ones as runs of characters, the last may go on."""
    runs = [" ".join(_WORDS.findall(spaced(word))) for word in text.split()]
    quoted = [f'"{run}"' for run in runs if run]
    if quoted and text[-1:].isascii() and not text[-1:].isspace():
        quoted[-1] += "*"
    return " ".join(quoted) or '""'


class _Found(NamedTuple):
    """Where items are read from, in order of `key`, so that a page stops as soon as it is full;
    the conditions on them and their values."""

    source: str
    key: str
    rules: str
    values: dict[str, Any]


def _find(db: Database, chosen: Filter, pair: str) -> _Found:
    """What a text, an import or a person finds is read first: SQLite would look through all items
    for it."""
    if chosen.text.strip():
        rules, values = where(replace(chosen, text=""), pair)
        source, key = "search CROSS JOIN item ON item.query_id = search.rowid", "search.rowid"
        values |= {"text": to_match(chosen.text)}
        return _Found(source, key, f"search MATCH :text AND {rules}", values)
    if chosen.import_id is not None:
        rules, values = where(replace(chosen, import_id=None), pair)
        source = f"({_BROUGHT}) AS mine CROSS JOIN item ON item.query_id = mine.query_id"
        return _Found(source, "mine.query_id", rules, values | {"import": chosen.import_id})
    if chosen.who:
        rules, values = where(replace(chosen, who=""), pair)
        names = db.execute(_SPELLED, {"by": chosen.who}).fetchall()
        # Of one spelling the index has the queries in order; of several they are put in order.
        of_person, by = (_OF_ONE, names[0][0]) if len(names) == 1 else (_OF_PERSON, chosen.who)
        source = f"({of_person}) AS mine CROSS JOIN item ON item.query_id = mine.query_id"
        return _Found(source, "mine.query_id", rules, values | {"by": by})
    rules, values = where(chosen, pair)
    if chosen == EVERYTHING:  # an index would give all of them, to be put in order first
        rules = f"+{rules}"
    return _Found("item", "item.query_id", rules, values)


class BrowseTable:
    """The items in the database, for looking through."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def page(
        self,
        pair: str,
        chosen: Filter = EVERYTHING,
        after: int = 0,
        limit: int = 50,
        blind_for: str | None = None,
    ) -> tuple[Listed, ...]:
        """Items with ids above `after`, in order, at most `limit`. `blind_for`: a person who may
        not see what others answered to queries that are still open."""
        with self._connections.read() as db:
            found = _find(db, chosen, pair)
            sql = f"""{_COLUMNS} FROM {found.source} JOIN query ON query.id = item.query_id
                LEFT JOIN label ON label.id = item.label_id
                WHERE {found.rules} AND {found.key} > :after ORDER BY {found.key} LIMIT :limit"""
            rows = list(db.query(sql, found.values | {"after": after, "limit": min(limit, 200)}))
        return tuple(_listed(row, blind_for) for row in rows)

    def count(self, pair: str, chosen: Filter = EVERYTHING) -> int:
        """How many items there are, counted up to 10,000."""
        with self._connections.read() as db:
            found = _find(db, chosen, pair)
            some = f"SELECT 1 FROM {found.source} WHERE {found.rules} LIMIT {_COUNTED}"
            return db.execute(f"SELECT count(*) FROM ({some})", found.values).fetchone()[0]

    def states(self, pair: str) -> dict[str, int]:
        """How many items there are of each state."""
        sql = "SELECT status, count(*) FROM item WHERE pair = ? GROUP BY status"
        with self._connections.read() as db:
            found = dict(db.execute(sql, [pair]).fetchall())
        return {state: found.get(state, 0) for state in STATES}

    def progress(self, days: int = 30) -> tuple[tuple[str, str, int], ...]:
        """(person, day, decisions that count), the newest day first."""
        with self._connections.read() as db:
            return tuple(tuple(row) for row in db.execute(_PROGRESS, [f"-{days} days"]))

    def people(self, pair: str) -> tuple[tuple[str, int], ...]:
        """Everybody who decided anything, and about how many items, counted as in `count`. A name
        that is spelled in several cases is one, as a filter finds it."""
        with self._connections.read() as db:
            names = [row[0] for row in db.execute(_NAMES)]
        found = {name.encode().lower(): name for name in reversed(names)}
        counted = ((name, self.count(pair, Filter(who=name))) for name in sorted(found.values()))
        return tuple((name, count) for name, count in counted if count)

    def spread_of(self, pair: str) -> dict[str, dict[str, int]]:
        """Accepted items by class, by shape of their phrase, and by the words of their sentence."""
        with self._connections.read() as db:
            classes = dict(db.execute(_CLASSES, [pair]).fetchall())
            shapes = dict(db.execute(_BY_SHAPE, [pair]).fetchall())
            sources = dict(db.execute(_BY_SOURCE, [pair]).fetchall())
            lengths = dict(db.execute(_LENGTHS, [pair]).fetchall())
        return {
            "class": {name: classes[name] for name in CLASSES if name in classes},
            "phrase": {name or "none": shapes.get(name, 0) for name in ("", "joined", "split")},
            "source": sources,
            "length": lengths,
        }


def _listed(row: Mapping[str, Any], blind_for: str | None) -> Listed:
    query = Query(row["context"], row["position"], row["pair"])
    hidden = (
        blind_for is not None
        and row["source"] == "person"
        and row["who"] != blind_for
        and row["status"] in ("open", "flagged")
    )
    sense = read_sense(row) if row["class"] and not hidden else None
    by = ("", "") if hidden else (row["source"] or "", row["who"] or "")
    return Listed(
        row["query_id"], query, row["status"], sense, *by,
        bool(row["reported"]), bool(row["differs"]),
        _why(row["flag"], blind_for),
    )  # fmt: skip


def _why(flag: str | None, blind_for: str | None) -> str:
    """The reason of a flag, as (who, reason) in JSON; where people decide blind only one's own."""
    who, why = json.loads(flag) if flag else ("", "")
    return why if blind_for in (None, who) else ""


# One step in the index for each name, however many labels they gave.
_NAMES = """
    WITH RECURSIVE name (who) AS (
        SELECT min(who) FROM label WHERE source = 'person'
        UNION ALL
        SELECT (SELECT min(label.who) FROM label WHERE source = 'person' AND label.who > name.who)
        FROM name WHERE name.who NOT NULL
    ) SELECT who FROM name WHERE who NOT NULL
"""
_SPELLED = f"SELECT who FROM ({_NAMES}) WHERE who = :by COLLATE NOCASE"
_BY_PERSON = """
    SELECT DISTINCT query_id FROM label WHERE source = 'person' AND status <> 'proposed'
        AND NOT EXISTS (SELECT 1 FROM undone_label WHERE undone_label.label_id = label.id)
"""
_OF_ONE = f"{_BY_PERSON} AND who = :by"
_OF_PERSON = f"{_BY_PERSON} AND who IN ({_SPELLED})"
_BY = f"item.query_id IN ({_OF_PERSON})"
_BROUGHT = "SELECT query_id FROM item_of_import WHERE import_id = :import"
_OF_IMPORT = f"EXISTS ({_BROUGHT} AND item_of_import.query_id = item.query_id)"
_SHAPES = {
    "with": "item.phrase <> ''",
    "without": "item.phrase = ''",
    # Said twice: the index holds phrases only, and SQLite does not see that these are some.
    "joined": "item.phrase <> '' AND item.phrase = 'joined'",
    "split": "item.phrase <> '' AND item.phrase = 'split'",
}
_FLAG = f"""
    SELECT json_array(decision.who, {told()}) FROM decision_query
    JOIN decision ON decision.id = decision_query.decision_id AND decision.kind = 'flag'
    WHERE decision_query.query_id = item.query_id
        AND NOT EXISTS (SELECT 1 FROM undone WHERE undone.decision_id = decision.id)
    ORDER BY decision.id DESC LIMIT 1
"""
_COLUMNS = f"""
    SELECT item.query_id, item.status, item.reported, item.differs, query.context,
        query.position, query.pair, label.class, label.meaning, label.members,
        label.phrase_meaning, label.source, label.who,
        iif(item.status = 'flagged', ({_FLAG}), NULL) AS flag
"""
_PROGRESS = """
    SELECT who, substr(created, 1, 10) AS day, count(*) FROM decision
    WHERE kind IN ('accept', 'edit', 'reject', 'settle') AND created >= date('now', ?)
        AND NOT EXISTS (SELECT 1 FROM undone WHERE undone.decision_id = decision.id)
    GROUP BY who, day ORDER BY day DESC, who
"""
_CLASSES = """
    SELECT class, count(*) FROM item WHERE pair = ? AND status = 'accepted' GROUP BY class
"""
_BY_SHAPE = """
    SELECT phrase, count(*) FROM item WHERE pair = ? AND status = 'accepted' GROUP BY phrase
"""
_BY_SOURCE = """
    SELECT coalesce(import.name, ''), count(*) FROM item
    LEFT JOIN import ON import.id = item.import_id
    WHERE item.pair = ? AND status = 'accepted' GROUP BY 1 ORDER BY 2 DESC LIMIT 20
"""
# Words are counted by their gaps: good enough for a plot, and no sentence is read twice.
_LENGTHS = """
    SELECT 5 * ((length(context) - length(replace(context, ' ', ''))) / 5) AS words, count(*)
    FROM item JOIN query ON query.id = item.query_id
    WHERE item.pair = ? AND status = 'accepted' GROUP BY words ORDER BY words
"""
