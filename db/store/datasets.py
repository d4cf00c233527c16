"""Datasets: named sets of labels, frozen with a hash of their content. Never changed.

The hash is of the rows in the wire format's words, in order of sentence and position, so that the
same rows have the same hash in any database. A set that holds a row which breaks the rules is
refused, unless such rows are to be left out; what a person accepted need only have the structure.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from db.store.browse import EVERYTHING, Filter
from db.store.checks import MAX_NAME, MAX_NOTE, check_label, check_query, check_text
from db.store.connection import Connections, insert_row
from db.store.errors import Refused, named_errors
from db.store.exports import Answered, read_answered, standing
from db.store.items import work_off_all
from db.store.rows import utc_now
from engine.rules import broken_rules
from engine.sense import QueryError, from_wire, to_wire
from engine.split import SPLITS, split_of

SHOWN = 50  # invalid rows that a refusal lists


@dataclass(frozen=True)
class Dataset:
    """A frozen set of labels. `splits`: rows of each; `left_out`: rows that were left out when it
    was frozen, by the rule they break; `chosen`: the fields of its filter that were set."""

    id: int
    name: str
    description: str
    pair: str
    accepted_only: bool
    sha256: str
    who: str
    created: str
    rows: int
    splits: Mapping[str, int]
    left_out: Mapping[str, int]
    chosen: Mapping[str, Any]


@dataclass(frozen=True)
class Invalid:
    """A row that no dataset may hold, and why: what is wrong with it, or the rules it breaks."""

    row: Answered
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Survey:
    """What freezing would give: good rows, rows of each split, how many are invalid, the first of
    them, and how often each reason is found."""

    rows: int
    splits: Mapping[str, int]
    invalid: int
    shown: tuple[Invalid, ...]
    reasons: Mapping[str, int]


class InvalidRows(Refused):
    """Rows that break the rules stand in what was to be frozen; `survey` lists them."""

    def __init__(self, survey: Survey):
        self.survey = survey
        super().__init__("invalid_rows", count=survey.invalid)


class DatasetTable:
    """The frozen datasets in the database."""

    def __init__(self, connections: Connections):
        self._connections = connections

    def count(self, pair: str, accepted: bool = True, chosen: Filter = EVERYTHING) -> int:
        """How many answers there are to freeze, those that break the rules among them."""
        work_off_all(self._connections)
        sql, values = standing(pair, accepted, chosen)
        with self._connections.read() as db:
            return db.execute(f"SELECT count(*) FROM ({sql})", values).fetchone()[0]

    def survey(self, pair: str, accepted: bool = True, chosen: Filter = EVERYTHING) -> Survey:
        """What freezing these answers would give now. Reads all of them."""
        return self._look(pair, accepted, chosen).survey()

    def freeze(
        self,
        name: str,
        pair: str,
        accepted: bool = True,
        description: str = "",
        who: str = "",
        chosen: Filter = EVERYTHING,
        leave_out: bool = False,
    ) -> Dataset:
        """Freeze the answers that stand now; with `leave_out` without invalid rows, else
        InvalidRows where there are any. Refused where none is left, or the name is taken."""
        name = check_text("name", name, MAX_NAME)
        if not name:
            raise Refused("no_text", field="name")
        row = {
            "name": name,
            "description": check_text("description", description, MAX_NOTE, lines=True),
            "pair": pair,
            "accepted_only": int(accepted),
            "who": check_text("who", who, MAX_NAME),
            "created": utc_now(),
            "chosen": json.dumps(_set_fields(chosen), ensure_ascii=False),
        }
        self._check_free(name)
        found = self._look(pair, accepted, chosen)
        if found.invalid and not leave_out:
            raise InvalidRows(found.survey())
        if not found.label_ids:
            raise Refused("no_rows")
        row |= {"sha256": found.digest(), "left_out": json.dumps(found.reasons)}
        self._keep(row, found)
        return self.get(name)

    def get(self, name: str) -> Dataset:
        """The dataset of this name; Refused where there is none."""
        for dataset in self.list_datasets():
            if dataset.name == name:
                return dataset
        raise Refused("unknown_value", field="dataset", value=name)

    def list_datasets(self) -> tuple[Dataset, ...]:
        """All datasets, the newest first."""
        with self._connections.read() as db:
            rows = list(db.query(_LIST))
            counted = db.execute("SELECT dataset_id, split, rows FROM dataset_split").fetchall()
            splits: dict[int, dict[str, int]] = {}
            for dataset_id, split, count in counted:
                splits.setdefault(dataset_id, dict.fromkeys(SPLITS, 0))[split] = count
            for row in rows:  # of one that was frozen before splits were counted
                if row["id"] not in splits:
                    contexts = db.execute(_CONTEXTS, [row["id"]])
                    found = Counter(split_of(context, row["pair"]) for (context,) in contexts)
                    splits[row["id"]] = {split: found[split] for split in SPLITS}
        return tuple(_dataset(row, splits[row["id"]]) for row in rows)

    def _check_free(self, name: str) -> None:
        with self._connections.read() as db:
            if db.execute(_NAMED, {"name": name}).fetchone():
                raise Refused("name_taken", name=name)

    def _look(self, pair: str, accepted: bool, chosen: Filter) -> _Look:
        """All rows, of one moment, without keeping others from writing meanwhile."""
        work_off_all(self._connections)
        sql, values = standing(pair, accepted, chosen)
        found = _Look()
        with (
            named_errors(self._connections.path),
            closing(self._connections.new_reader()) as db,
        ):
            # Text in SQLite is ordered by its bytes, which is the order of Python's strings.
            for row in db.query(f"{sql} ORDER BY query.context, query.position", values):
                found.add(read_answered(row))
        return found

    def _keep(self, row: dict[str, Any], found: _Look) -> None:
        with self._connections.write() as db:
            if db.execute(_NAMED, {"name": row["name"]}).fetchone():
                raise Refused("name_taken", name=row["name"])
            dataset_id = insert_row(db, "dataset", row)
            rows = ((dataset_id, label_id) for label_id in found.label_ids)
            db.conn.executemany("INSERT INTO dataset_row VALUES (?, ?)", rows)
            splits = [(dataset_id, split, count) for split, count in found.splits.items()]
            db.conn.executemany("INSERT INTO dataset_split VALUES (?, ?, ?)", splits)


class _Look:
    """What is noted of rows that come in order of context and position."""

    def __init__(self) -> None:
        self.label_ids = array("q")
        self.splits: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.invalid = 0
        self._shown: list[Invalid] = []
        self._hash = hashlib.sha256(b"[")

    def add(self, row: Answered) -> None:
        reasons = invalid_because(row)
        if reasons:
            self.invalid += 1
            self.reasons.update(reasons)
            if len(self._shown) < SHOWN:
                self._shown.append(Invalid(row, reasons))
            return
        query = row.query
        values = (query.context, query.position, query.pair, *to_wire(query, row.sense).values())
        comma = ", " if self.label_ids else ""
        self._hash.update((comma + json.dumps(values, ensure_ascii=False)).encode())
        self.label_ids.append(row.label_id)
        self.splits[split_of(query.context, query.pair)] += 1

    def digest(self) -> str:
        whole = self._hash.copy()
        whole.update(b"]")
        return whole.hexdigest()

    def survey(self) -> Survey:
        splits = {split: self.splits[split] for split in SPLITS}
        return Survey(
            len(self.label_ids), splits, self.invalid, tuple(self._shown), dict(self.reasons)
        )


def invalid_because(row: Answered) -> tuple[str, ...]:
    """Why no dataset may hold this row; () where one may. Its structure must be such that it can be
    read again; the labelling rules bind what no person accepted."""
    query, sense = row.query, row.sense
    try:
        check_label(check_query(query), sense)
        from_wire(query, to_wire(query, sense))
    except (Refused, QueryError) as error:
        return (error.code,)
    except ValueError:
        return ("answer_does_not_fit",)
    by_person = row.source == "person" and row.status == "accepted"
    return () if by_person else broken_rules(query, sense)


def _set_fields(chosen: Filter) -> dict[str, Any]:
    return {name: value for name, value in asdict(chosen).items() if value not in ("", None, False)}


def _dataset(row: Mapping[str, Any], splits: Mapping[str, int]) -> Dataset:
    read = {name: json.loads(row[name]) for name in ("left_out", "chosen")}
    return Dataset(**{**row, **read, "accepted_only": bool(row["accepted_only"])}, splits=splits)


_NAMED = """
    SELECT 1 FROM dataset WHERE name = :name
    UNION ALL SELECT 1 FROM sentence_set WHERE name = :name
"""
_LIST = """
    SELECT id, name, description, pair, accepted_only, sha256, who, created, left_out, chosen, (
        SELECT count(*) FROM dataset_row WHERE dataset_id = dataset.id
    ) AS rows FROM dataset ORDER BY id DESC
"""
_CONTEXTS = """
    SELECT query.context FROM dataset_row JOIN label ON label.id = dataset_row.label_id
    JOIN query ON query.id = label.query_id WHERE dataset_row.dataset_id = ?
"""
