"""Items: every query as the review queue sees it, worked out from its labels, decisions, feedback.

Triggers note in `item_due` whose item is out of date, whoever wrote; `work_off` brings it up to
date. Nothing here is history: all of it can be worked out again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import regex
from sqlite_utils import Database

from db.store.connection import Connections
from db.store.labels import counts

BATCH = 2000  # items brought up to date in one transaction
SURE = 0.8  # a model's answer below this confidence comes up early
_HAN = regex.compile(r"([\p{Han}])")

Row = Mapping[str, Any]
Tick = Callable[[int, int], bool]


@dataclass(frozen=True)
class Known:
    """What is known of a query: its labels and decisions that count, oldest first; when a reader
    last complained; the import it counts by, if any; whether it counts."""

    labels: Sequence[Row]
    decisions: Sequence[Row]
    complained: str | None
    import_id: int | None
    alive: bool


def work_off(db: Database, most: int | None = None) -> int:
    """Bring items up to date inside the caller's transaction; how many."""
    ids = [row[0] for row in db.execute(_DUE, [-1 if most is None else most])]
    for start in range(0, len(ids), BATCH):
        bring_up_to_date(db, ids[start : start + BATCH])
    return len(ids)


def work_off_all(connections: Connections, tick: Tick = lambda done, total: True) -> None:
    """Bring every item up to date, a batch at a time so that others may write between. `tick`
    hears after each how many are of how many, and stops it with False: the rest stays due, as it
    does after a kill."""
    done, total = 0, count_due(connections)
    while True:
        with connections.read() as db:
            if not db.execute("SELECT 1 FROM item_due LIMIT 1").fetchone():
                return
        with connections.write() as db:
            done += work_off(db, BATCH)
        if not tick(done, max(done, total)):  # more may have come meanwhile
            return


def count_due(connections: Connections) -> int:
    """How many items are out of date."""
    with connections.read() as db:
        return db.execute("SELECT count(*) FROM item_due").fetchone()[0]


def bring_up_to_date(db: Database, query_ids: Sequence[int]) -> None:
    """Work out these items inside the caller's transaction, due or not."""
    (overlap,) = db.execute(_OVERLAP).fetchone()
    _work_out(db, query_ids, int(overlap))


def spaced(text: str) -> str:
    """`text` with every Chinese character a word of its own, as `search` holds it."""
    return _HAN.sub(r" \1 ", text)


def _work_out(db: Database, ids: Sequence[int], overlap: int) -> None:
    chosen = json.dumps(ids)
    labels = _by_query(db.query(_LABELS, [chosen]))
    decisions = _by_query(db.query(_DECIDED, [chosen]))
    complained = dict(db.execute(_COMPLAINED, [chosen]).fetchall())
    items, texts, old = [], [], [row[0] for row in db.execute(_SEARCHED, [chosen])]
    held: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for query in db.query(_QUERIES, [chosen]):
        mine = labels.get(query["id"], [])
        imports = _imports(query)
        for one, counting in imports.items():
            held[counting].append((one, query["id"]))
        import_id = min((one for one in imports if imports[one]), default=None)
        told = any(row["source"] == "person" and not row["imported"] for row in mine)
        known = Known(
            mine,
            decisions.get(query["id"], ()),
            complained.get(query["id"]),
            import_id,
            bool(import_id or told or query["id"] in complained),
        )
        items.append((query["id"], query["pair"], *work_out(query["id"], known, overlap)))
        if known.alive:
            said = {text for row in mine for text in (row["meaning"], row["phrase_meaning"])}
            whole = " ".join([query["context"], query["translation"] or "", *sorted(said)])
            texts.append((query["id"], spaced(whole)))
    many = db.conn.executemany
    many("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", items)
    many("DELETE FROM search WHERE rowid = ?", [(rowid,) for rowid in old])
    many("INSERT INTO search (rowid, text) VALUES (?, ?)", texts)
    many("INSERT OR IGNORE INTO item_of_import VALUES (?, ?)", held[True])
    many("DELETE FROM item_of_import WHERE import_id = ? AND query_id = ?", held[False])
    many("DELETE FROM item_due WHERE query_id = ?", [(query_id,) for query_id in ids])


def _imports(query: Row) -> dict[int, bool]:
    """The imports that ever held a query, and whether each of them counts."""
    found: dict[int, bool] = {}
    for by in ("by_line", "by_sentence"):
        told = [int(one) for one in str(query[by] or "").split(",") if one]
        found |= {abs(one): one > 0 for one in told}
    return found


def work_out(query_id: int, known: Known, overlap: int) -> tuple[Any, ...]:
    """An item's columns from status to import_id. `overlap`: how many people decide each query."""
    people = _people(known)
    last = max(people, key=lambda row: row["version"], default=None)
    proposals = _latest(row for row in known.labels if not _decides(row))
    newest = max(proposals, key=_stands, default=None)
    settled = any(d["kind"] == "settle" for d in known.decisions)
    reported = bool(known.complained and (not last or known.complained > last["created"]))
    status = _status(known, people, last or newest, last, overlap, settled, reported)
    standing = last or newest
    if status == "conflict" or (standing and standing["status"] == "rejected"):
        standing = None
    confidence = min((p["confidence"] for p in proposals if p["confidence"] is not None), default=1)
    said = {_said(row) for row in proposals}
    differs = len(said) > 1
    return (
        status,
        _place(query_id, reported, confidence, differs),
        standing["id"] if standing else None,
        len(people),
        standing["class"] if standing else "",
        _shape(standing),
        int(differs),
        int(bool(standing and standing is last and said - {_said(standing)})),
        int(reported),
        known.import_id,
    )


def _people(known: Known) -> Sequence[Row]:
    """Each person's latest decision; behind a settled conflict, only what came with it or later."""
    given = [row for row in known.labels if _decides(row)]
    settled = {d["label_id"] for d in known.decisions if d["kind"] == "settle"}
    since = max((row["version"] for row in given if row["id"] in settled), default=0)
    return _latest(row for row in given if row["version"] >= since)


def _status(
    known: Known,
    people: Sequence[Row],
    standing: Row | None,
    last: Row | None,
    overlap: int,
    settled: bool,
    reported: bool,
) -> str:
    if not known.alive:
        return "gone"
    flags = [d for d in known.decisions if d["kind"] in ("flag", "unflag")]
    flagged = flags and flags[-1]["kind"] == "flag"
    if flagged and (last is None or last["created"] < flags[-1]["created"]):
        return "flagged"
    if reported:
        return "open"
    if last is None:  # nobody decided, but a source whose answers count as accepted may have
        return "accepted" if standing and standing["status"] == "accepted" else "open"
    if overlap > 1 and len(people) >= overlap and len({_decided(row) for row in people}) > 1:
        return "conflict"
    return last["status"] if settled or len(people) >= overlap else "open"


def _place(query_id: int, reported: bool, confidence: float, differs: bool) -> float:
    """Where in the queue: what readers reported, the least sure, where answers differ, the rest
    in an order that is mixed but always the same."""
    mixed = (query_id * 2654435761 % 2**32) / 2**32
    if reported:
        return mixed
    if confidence < SURE:
        return 1 + confidence
    return (2 if differs else 3) + mixed


def _shape(label: Row | None) -> str:
    """Whether a label has a phrase: "" for none, joined, or split."""
    if label is None or label["members"] is None:
        return ""
    members = json.loads(label["members"])
    return "joined" if members[-1] - members[0] + 1 == len(members) else "split"


def _decides(label: Row) -> bool:
    return label["source"] == "person" and label["status"] != "proposed"


def _latest(labels: Iterable[Row]) -> Sequence[Row]:
    """The latest label of each who gives any."""
    found = {(row["source"], row["who"]): row for row in labels}
    return list(found.values())


def _stands(label: Row) -> tuple[bool, int]:
    """What stands while nobody decided: a person's proposal or an accepted answer before a mere
    proposal, and then the newest."""
    return label["status"] == "accepted" or label["source"] == "person", label["version"]


def _said(label: Row) -> tuple[Any, ...]:
    return label["class"], label["meaning"], label["members"], label["phrase_meaning"]


def _decided(label: Row) -> tuple[Any, ...]:
    return label["status"], *(_said(label) if label["status"] == "accepted" else ())


def _by_query(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["query_id"]].append(row)
    return found


_DUE = "SELECT query_id FROM item_due ORDER BY query_id LIMIT ?"
_OVERLAP = "SELECT coalesce((SELECT value FROM review_setting WHERE name = 'overlap'), 1)"
# Imports that were taken back are told as negative numbers.
_QUERIES = """
    SELECT query.*, sentence.translation, (
        SELECT group_concat(DISTINCT iif(import.undone IS NULL, import.id, -import.id))
        FROM imported_line JOIN import ON import.id = imported_line.import_id
        WHERE imported_line.query_id = query.id
    ) AS by_line, (
        SELECT group_concat(DISTINCT iif(import.undone IS NULL, import.id, -import.id))
        FROM imported_line JOIN import ON import.id = imported_line.import_id
        WHERE imported_line.sentence_id = sentence.id AND imported_line.query_id IS NULL
    ) AS by_sentence
    FROM json_each(?) AS chosen JOIN query ON query.id = chosen.value AND query.task = 'sense'
    LEFT JOIN sentence ON sentence.pair = query.pair AND sentence.context = query.context
"""
_LABELS = f"""
    SELECT label.*, EXISTS (
        SELECT 1 FROM imported_line WHERE imported_line.label_id = label.id
    ) AS imported
    FROM json_each(?) AS chosen JOIN label ON label.query_id = chosen.value
    WHERE {counts()}
    ORDER BY label.query_id, label.version
"""
_DECIDED = """
    SELECT decision.*, decision_query.query_id, decision_query.label_id
    FROM json_each(?) AS chosen JOIN decision_query ON decision_query.query_id = chosen.value
    JOIN decision ON decision.id = decision_query.decision_id
    WHERE NOT EXISTS (SELECT 1 FROM undone WHERE undone.decision_id = decision.id)
    ORDER BY decision.id
"""
_COMPLAINED = """
    SELECT query_id, max(created) FROM feedback
    WHERE query_id IN (SELECT value FROM json_each(?)) GROUP BY query_id
"""
_SEARCHED = "SELECT rowid FROM search WHERE rowid IN (SELECT value FROM json_each(?))"
