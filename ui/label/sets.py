"""Datasets, refused rows and statistics in the form the Datasets view gets them: plain JSON."""

from __future__ import annotations

from typing import Any

from db.dataset.agreement import Agreement
from db.dataset.visible import visible
from db.store import Dataset, InvalidRows, SentenceSet, Store
from ui.label.shape import to_fields, to_pieces

Json = dict[str, Any]


def to_dataset(dataset: Dataset) -> Json:
    """A frozen dataset as a line of the list."""
    return {
        "id": dataset.id,
        "task": "sense",
        "name": visible(dataset.name),
        "pair": dataset.pair,
        "about": visible(dataset.description),
        "rows": dataset.rows,
        "splits": dict(dataset.splits),
        "hash": dataset.sha256,
        "who": visible(dataset.who),
        "when": dataset.created,
        "acceptedOnly": dataset.accepted_only,
        "chosen": dict(dataset.chosen),
        "leftOut": dict(dataset.left_out),
    }


def to_sentence_set(found: SentenceSet) -> Json:
    """A frozen set of sentences as a line of the same list."""
    return {
        "id": found.id,
        "task": "translation",
        "name": visible(found.name),
        "pair": found.pair,
        "about": visible(found.description),
        "rows": found.rows,
        "splits": dict(found.splits),
        "hash": found.sha256,
        "who": visible(found.who),
        "when": found.created,
        "teacher": visible(found.teacher),
        "synthetic": found.synthetic,
        "chosen": {},
        "leftOut": {},
    }


def to_invalid(error: InvalidRows) -> Json:
    """The rows that keep a set from being frozen."""
    survey = error.survey
    rows = [
        {
            "id": one.row.query_id,
            "pieces": to_pieces(one.row.query),
            "position": one.row.query.position,
            "answer": _fields(one.row.sense, len(one.row.query.words)),
            "reasons": list(one.reasons),
        }
        for one in survey.shown
        if one.row.query.position < len(one.row.query.words)
    ]
    return {
        "invalid": survey.invalid,
        "good": survey.rows,
        "reasons": dict(survey.reasons),
        "rows": rows,
    }


def _fields(sense: Any, words: int) -> Json:
    """A sense whose members may name words that are none: those are left out."""
    fields = to_fields(sense)
    return fields | {"members": [member for member in fields["members"] if member < words]}


def to_statistics(store: Store, pair: str) -> Json:
    """What the store holds of a pair, counted."""
    spread = store.browse.spread_of(pair)
    return {
        "states": store.browse.states(pair),
        "spread": {name: list(map(list, counts.items())) for name, counts in spread.items()},
        "progress": [list(row) for row in store.browse.progress()],
    }


def to_agreement(found: Agreement) -> Json:
    """The agreement in one field."""
    return {
        "field": found.field,
        "queries": found.queries,
        "equal": found.equal,
        "kappa": found.kappa,
        "alpha": found.alpha,
    }
