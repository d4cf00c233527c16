"""A query as it lies before a person: its sentence, every answer they may see, its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from db.store.decisions import told
from db.store.errors import Refused
from db.store.labels import Label, counts, read_label
from db.store.rows import read_phrase, read_sense
from engine.sense import Phrase, Query, Sense


@dataclass(frozen=True)
class Complaint:
    """What a reader said of the answer `shown`: what would be better, as far as told. `source` and
    `engine` say whose that answer was. None: there was no answer."""

    shown: Sense | None
    source: str
    engine: str
    meaning: str
    phrase: Phrase | None
    note: str
    created: str


@dataclass(frozen=True)
class Event:
    """A decision as the history tells it, with the answer it gave; `undone` when it was taken
    back."""

    id: int
    kind: str
    who: str
    note: str
    created: str
    undone: str | None
    sense: Sense | None


@dataclass(frozen=True)
class Opened:
    """A query before a person. `labels` are those that person may see, oldest first; `standing`
    is the one that stands now; `sides` are what each person decided who do not agree, the first
    one first; `seen` is the last version, to say what a decision was based on."""

    id: int
    query: Query
    status: str
    standing: Label | None
    labels: tuple[Label, ...]
    complaints: tuple[Complaint, ...]
    events: tuple[Event, ...]
    translation: str
    attribution: str
    seen: int
    blind: bool
    sides: tuple[Label, ...] = ()


def open_query(db: Database, query_id: int, who: str, several: bool) -> Opened:
    """The query as `who` may see it; Refused where there is none. `several`: more than one person
    decides each query, each without knowing what the others did."""
    row = next(iter(db.query(_OPEN, [query_id])), None)
    if row is None:
        raise Refused("unknown_value", field="query", value=query_id)
    query = Query(row["context"], row["position"], row["pair"])
    labels = tuple(read_label(query, one) for one in db.query(_LABELS, [query_id]))
    events = tuple(_event(one) for one in db.query(_EVENTS, [query_id]))
    complaints = tuple(
        Complaint(
            read_sense(one, "shown_") if one["shown_class"] else None,
            one["shown_source"],
            one["shown_engine"],
            one["better_meaning"],
            read_phrase(one),
            one["note"],
            one["created"],
        )
        for one in db.query(_COMPLAINTS, [query_id])
    )
    seen = max((label.version for label in labels), default=0)
    mine = any(decides(label) and label.who == who for label in labels)
    blind = several and not mine and row["status"] in ("open", "flagged")
    if blind:
        labels = tuple(x for x in labels if x.source != "person" or x.who == who)
        events = tuple(event for event in events if event.who == who)
    standing = next((label for label in labels if label.id == row["label_id"]), None)
    if standing is None and row["status"] != "conflict":
        standing = next((label for label in reversed(labels) if not decides(label)), None)
    return Opened(
        query_id, query, row["status"] or "open", standing, labels, complaints, events,
        row["translation"] or "", row["attribution"] or "", seen, blind,
        _sides(db, query_id, labels) if row["status"] == "conflict" else (),
    )  # fmt: skip


def _sides(db: Database, query_id: int, labels: Iterable[Label]) -> tuple[Label, ...]:
    """Each person's latest decision; behind a settled conflict only what came with it or later, as
    the item counts them."""
    (since,) = db.execute(_SETTLED, [query_id]).fetchone()
    found = {x.who: x for x in labels if decides(x) and x.version >= since}
    return tuple(sorted(found.values(), key=lambda label: label.version))


def _event(row: Mapping[str, Any]) -> Event:
    names = ("id", "kind", "who", "note", "created", "undone")
    sense = read_sense(row) if row["class"] else None
    return Event(**{name: row[name] for name in names}, sense=sense)


def decides(label: Label) -> bool:
    """Whether it is a person's decision."""
    return label.source == "person" and label.status != "proposed"


_OPEN = """
    SELECT query.*, item.status, item.label_id, sentence.translation, sentence.attribution
    FROM query LEFT JOIN item ON item.query_id = query.id
    LEFT JOIN sentence ON sentence.pair = query.pair AND sentence.context = query.context
    WHERE query.id = ?
"""
_LABELS = f"SELECT * FROM label WHERE query_id = ? AND {counts()} ORDER BY version"
_EVENTS = f"""
    SELECT decision.id, kind, decision.who, {told()} AS note, decision.created,
        undone.created AS undone, class, meaning, members, phrase_meaning
    FROM decision_query JOIN decision ON decision.id = decision_query.decision_id
    LEFT JOIN undone ON undone.decision_id = decision.id
    LEFT JOIN label ON label.id = decision_query.label_id
    WHERE decision_query.query_id = ? ORDER BY decision.id
"""
_SETTLED = """
    SELECT coalesce(max(label.version), 0) FROM decision_query
    JOIN decision ON decision.id = decision_query.decision_id AND decision.kind = 'settle'
    JOIN label ON label.id = decision_query.label_id
    WHERE decision_query.query_id = ?
        AND NOT EXISTS (SELECT 1 FROM undone WHERE undone.decision_id = decision.id)
"""
_COMPLAINTS = "SELECT * FROM feedback WHERE query_id = ? ORDER BY id"
