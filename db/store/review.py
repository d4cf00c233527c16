"""The review queue: the next query for a person, what was decided about it, and taking that back.

A decision adds labels and is kept for ever; taking one back adds a row that says so. Two people do
not get the same query: whoever has it before them holds a lease of some minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from db.store.browse import EVERYTHING, Filter, narrowed, where
from db.store.checks import MAX_NAME, MAX_NOTE, check_choice, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused
from db.store.items import (
    BATCH,
    Tick,
    bring_up_to_date,
    count_due,
    work_off,
    work_off_all,
)
from db.store.labels import Label, counts, keep_label, read_label
from db.store.opened import Opened, decides, open_query
from db.store.queries import TASK
from db.store.rows import utc_now
from db.store.turns import Waiting, turn, waiting
from engine.rules import broken_rules
from engine.sense import Phrase, Query, Sense

LEASE_SECONDS = 600.0
MOST_AT_ONCE = 1000  # queries of one decision
_ANSWERS = ("accept", "edit", "reject", "settle")
_MARKS = ("skip", "flag", "unflag")


class ReviewTable:
    """The review queue in the database."""

    def __init__(self, connections: Connections, clock: Callable[[], float] = time.time):
        self._connections, self._clock = connections, clock

    def work_off(self, tick: Tick = lambda done, total: True) -> None:
        """Bring every item up to date, as `items.work_off_all` does."""
        work_off_all(self._connections, tick)

    def due(self) -> int:
        """How many items are out of date."""
        return count_due(self._connections)

    def overlap(self) -> int:
        """How many people decide each query."""
        with self._connections.read() as db:
            return _overlap(db)

    def set_overlap(self, people: int) -> None:
        """Ask so many people about each query; decided ones may open again."""
        if not 1 <= people <= 9:
            raise Refused("unknown_value", field="overlap", value=people)
        with self._connections.write() as db:
            row = {"name": "overlap", "value": str(people)}
            db.table("review_setting").insert(row, pk="name", replace=True)
            db.execute("INSERT OR IGNORE INTO item_due SELECT query_id FROM item")
        work_off_all(self._connections)

    def next(
        self, pair: str, who: str, which: Filter = EVERYTHING, after: int | None = None
    ) -> int | None:
        """The next query for this person, leased to them, or None at the end. What they skipped,
        or have decided, does not come again. `after`: the query they come from is let go."""
        who, now, status = _name(who), self._clock(), which.status or "open"
        chosen, values = where(replace(which, status=status), pair)
        while True:  # what is out of date may be all there is
            with self._connections.write() as db:
                due = work_off(db, BATCH)
                values |= {"who": who, "now": now, "overlap": _overlap(db), "after": after or 0}
                db.execute("DELETE FROM lease WHERE until <= ? OR who = ?", [now, who])
                rules = f"{chosen} AND {narrowed(db, which)}"
                sql = f"SELECT query_id FROM item WHERE {rules} AND {turn(status)} LIMIT 1"
                found = db.execute(sql, values).fetchone()
                if found and db.execute(_IS_DUE, found).fetchone():
                    bring_up_to_date(db, found)  # it may not be this person's turn any more
                    continue
                if found:
                    lease = {"query_id": found[0], "who": who, "until": now + LEASE_SECONDS}
                    db.table("lease").insert(lease)
                    return found[0]
            if not due:
                return None

    def waiting(self, pair: str, who: str) -> Waiting:
        """What else waits for this person."""
        with self._connections.read() as db:
            values = {"pair": pair, "who": _name(who), "now": self._clock()}
            return waiting(db, values | {"overlap": _overlap(db)})

    def hold(self, query_id: int, who: str) -> None:
        """Lease a query that was chosen from a list, whoever else has it."""
        row = {"query_id": query_id, "who": _name(who), "until": self._clock() + LEASE_SECONDS}
        with self._connections.write() as db:
            db.execute("DELETE FROM lease WHERE who = ?", [row["who"]])
            db.table("lease").insert(row)

    def open(self, query_id: int, who: str) -> Opened:
        """A query with all that is known of it; Refused where there is none. Where several people
        decide each query, what others decided stays hidden until this person did."""
        with self._connections.write() as db:
            bring_up_to_date(db, [query_id])
            return open_query(db, query_id, who, several=_overlap(db) > 1)

    def decide(
        self,
        who: str,
        kind: str,
        query_id: int,
        sense: Sense | None = None,
        *,
        rejected: bool = False,
        seen: int | None = None,
        also: Sequence[int] = (),
        proposed: tuple[Sense, str, float] | None = None,
        note: str = "",
        token: str | None = None,
    ) -> int:
        """Keep a decision; its id.

        `rejected`: who settles finds that there is no answer; `sense` is what they reject.
        `seen`: the last version this person saw; Refused("changed") where somebody decided since.
        `also`: queries of the phrase's other members, which get the phrase, too.
        `proposed`: a model's answer that was shown and is not kept yet (sense, engine, confidence).
        `token`: the same one again is the same decision, not a second one.
        """
        who, note = _name(who), check_text("note", note, MAX_NOTE, lines=True)
        check_choice("kind", kind, (*_ANSWERS, *_MARKS))
        if kind in _ANSWERS and sense is None:
            raise Refused("no_text", field="meaning")
        with self._connections.write() as db:
            known = _decision_of(db, token)
            if known is not None:
                return known
            query = _query(db, query_id)
            bring_up_to_date(db, [query_id, *also])
            if seen is not None and kind in _ANSWERS:
                alone = kind == "settle" or _overlap(db) == 1
                _check_unchanged(db, query_id, who, seen, alone)
            if proposed:
                told, engine, confidence = proposed
                keep_label(db, query, told, "model", engine, "proposed", confidence)
            label_ids: dict[int, int | None] = {query_id: None}
            if sense is not None and kind in _ANSWERS:
                status = "rejected" if rejected or kind == "reject" else "accepted"
                label_ids[query_id] = keep_label(db, query, sense, "person", who, status)
                label_ids |= _spread(db, query, sense.phrase, also, who)
            decision_id = _keep_decision(db, kind, who, note, label_ids, token)
            db.execute("DELETE FROM lease WHERE query_id = ? AND who = ?", [query_id, who])
            bring_up_to_date(db, list(label_ids))
            return decision_id

    def decide_many(
        self, who: str, kind: str, query_ids: Sequence[int], token: str | None = None
    ) -> tuple[int, int]:
        """One decision about many queries: accept or reject the answers that stand, or flag or
        unflag them; its id, and how many it is about. Left out are those without an answer, to
        accept also those whose answer breaks a rule or is another person's where several decide
        each query blind; Refused where none is left."""
        who = _name(who)
        check_choice("kind", kind, ("accept", "reject", "flag", "unflag"))
        if len(query_ids) > MOST_AT_ONCE:
            raise Refused("unknown_value", field="queries", value=len(query_ids))
        with self._connections.write() as db:
            known = _decision_of(db, token)
            if known is not None:
                about = db.execute(_DECIDED_QUERIES, [known]).fetchall()
                return known, len(about)
            query_ids = list(dict.fromkeys(query_ids))
            bring_up_to_date(db, query_ids)
            alone = _overlap(db) == 1
            label_ids: dict[int, int | None] = {}
            for query_id in query_ids:
                query, standing = _query(db, query_id), _standing(db, query_id)
                if kind in _MARKS:
                    label_ids[query_id] = None
                elif standing and _may_decide(kind, query, standing, who, alone):
                    status = "accepted" if kind == "accept" else "rejected"
                    label_ids[query_id] = keep_label(
                        db, query, standing.sense, "person", who, status
                    )
            if not label_ids:
                raise Refused("no_rows")
            decision_id = _keep_decision(db, kind, who, "", label_ids, token)
            bring_up_to_date(db, list(label_ids))
            return decision_id, len(label_ids)

    def undo(self, who: str, decision_id: int | None = None) -> tuple[int, str, tuple[int, ...]]:
        """Take back this person's decision, the last one unless said; its id, its kind and its
        queries. Refused where there is none."""
        who = _name(who)
        with self._connections.write() as db:
            row = db.execute(_LAST, {"who": who, "id": decision_id}).fetchone()
            if row is None:
                raise Refused("nothing_to_undo")
            found, kind = row
            undone = {"decision_id": found, "who": who, "created": utc_now()}
            undone_id = insert_row(db, "undone", undone)
            rows = db.execute(_DECIDED_QUERIES, [found]).fetchall()
            for _, label_id in rows:
                if label_id is not None:
                    db.execute("INSERT INTO undone_label VALUES (?, ?)", [label_id, undone_id])
            queries = tuple(query_id for query_id, _ in rows)
            bring_up_to_date(db, queries)
        return found, kind, queries

    def siblings(self, query: Query) -> dict[int, int]:
        """The queries about other words of the same context that have an answer: position → id."""
        with self._connections.write() as db:
            work_off(db, BATCH)
            rows = db.execute(_SIBLINGS, [query.pair, TASK, query.context, query.position])
            return dict(rows.fetchall())


def _name(who: str) -> str:
    who = check_text("who", who, MAX_NAME)
    if not who:
        raise Refused("no_text", field="who")
    return who


def _overlap(db: Database) -> int:
    sql = "SELECT value FROM review_setting WHERE name = 'overlap'"
    row = db.execute(sql).fetchone()
    return int(row[0]) if row else 1


def _query(db: Database, query_id: int) -> Query:
    sql = "SELECT context, position, pair FROM query WHERE id = ?"
    row = db.execute(sql, [query_id]).fetchone()
    if row is None:
        raise Refused("unknown_value", field="query", value=query_id)
    return Query(*row)


def _standing(db: Database, query_id: int) -> Label | None:
    row = next(iter(db.query(_STANDING_LABEL, [query_id])), None)
    return read_label(_query(db, query_id), row) if row else None


def _may_decide(kind: str, query: Query, standing: Label, who: str, alone: bool) -> bool:
    """Whether an answer may be decided unseen among many."""
    theirs = decides(standing) and standing.who != who
    return kind != "accept" or (not broken_rules(query, standing.sense) and (alone or not theirs))


def _spread(
    db: Database, query: Query, phrase: Phrase | None, also: Sequence[int], who: str
) -> dict[int, int | None]:
    """Give the phrase to its other members' queries: decided ones are decided again, the others
    get a proposal, as nobody has looked at the rest of their answer yet."""
    label_ids: dict[int, int | None] = {}
    for query_id in also:
        other, standing = _query(db, query_id), _standing(db, query_id)
        if standing is None or (other.context, other.pair) != (query.context, query.pair):
            raise Refused("bad_members")
        if phrase and other.position not in phrase.members:
            raise Refused("bad_members")
        status = "accepted" if decides(standing) else "proposed"
        sense = replace(standing.sense, phrase=phrase)
        label_ids[query_id] = keep_label(db, other, sense, "person", who, status)
    return label_ids


def _check_unchanged(db: Database, query_id: int, who: str, seen: int, alone: bool) -> None:
    sql = f"""
        SELECT 1 FROM label WHERE query_id = ? AND version > ? AND source = 'person'
            AND status <> 'proposed' AND ({int(alone)} OR who = ?) AND {counts()}
    """
    if db.execute(sql, [query_id, seen, who]).fetchone():
        raise Refused("changed")


def _decision_of(db: Database, token: str | None) -> int | None:
    if token is None:
        return None
    row = db.execute("SELECT id FROM decision WHERE token = ?", [token]).fetchone()
    return row[0] if row else None


def _keep_decision(
    db: Database, kind: str, who: str, note: str, label_ids: Mapping[int, int | None],
    token: str | None,
) -> int:  # fmt: skip
    row: dict[str, Any] = {"kind": kind, "who": who, "note": note, "token": token}
    decision_id = insert_row(db, "decision", row | {"created": utc_now()})
    rows = [(decision_id, query_id, label_id) for query_id, label_id in label_ids.items()]
    db.conn.executemany("INSERT INTO decision_query VALUES (?, ?, ?)", rows)
    return decision_id


_STANDING_LABEL = """
    SELECT label.* FROM item JOIN label ON label.id = item.label_id WHERE item.query_id = ?
"""
_LAST = """
    SELECT id, kind FROM decision
    WHERE who = :who AND (:id IS NULL OR id = :id)
        AND NOT EXISTS (SELECT 1 FROM undone WHERE undone.decision_id = decision.id)
    ORDER BY id DESC LIMIT 1
"""
# The one that was before the person comes first.
_DECIDED_QUERIES = """
    SELECT query_id, label_id FROM decision_query WHERE decision_id = ? ORDER BY label_id
"""
_IS_DUE = "SELECT 1 FROM item_due WHERE query_id = ?"
_SIBLINGS = """
    SELECT query.position, query.id FROM query JOIN item ON item.query_id = query.id
    WHERE query.pair = ? AND query.task = ? AND query.context = ? AND query.position <> ?
        AND item.label_id NOT NULL
"""
