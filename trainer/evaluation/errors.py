"""What is wrong with answers, by kind, counted and with examples. Pure.

wrong_class, wrong_sense; missed_phrase, invented_phrase, wrong_members (the phrase was found, other
words in it); empty (no meaning), no_answer (nothing that can be read as one), text_after (what was
written freely went on behind the answer). A row can be of several kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.sense import Query, Sense, to_wire
from trainer.metrics import Scored

KINDS = (
    "wrong_class", "wrong_sense", "missed_phrase", "invented_phrase", "wrong_members", "empty",
    "no_answer", "text_after",
)  # fmt: skip
_SHOWN = 3  # examples of a kind


@dataclass(frozen=True)
class Judged:
    """A query with its reference, the answer (None: nothing that is one), and how it scored.
    `text`: what was written where the model was let write; `ran_on`: it went on behind that."""

    query: Query
    reference: Sense
    answer: Sense | None
    scored: Scored
    text: str = ""
    ran_on: bool = False


def kinds_of(row: Judged) -> tuple[str, ...]:
    """What is wrong with an answer, in fields that its reference knows."""
    after = ("text_after",) if row.ran_on else ()
    if row.answer is None:
        return after or ("no_answer",)
    scored, known = row.scored, row.scored.known
    found = {
        "wrong_class": "class" in known and not scored.word_class,
        "wrong_sense": "meaning" in known and not scored.meaning and bool(row.answer.meaning),
        "missed_phrase": "phrase" in known and scored.wanted and not scored.found,
        "invented_phrase": "phrase" in known and scored.found and not scored.wanted,
        "wrong_members": "phrase" in known and scored.wanted and scored.found and not scored.exact,
        "empty": "meaning" in known and not row.answer.meaning,
    }
    return (*(kind for kind in KINDS if found.get(kind)), *after)


def analyse(rows: Iterable[Judged]) -> dict[str, Any]:
    """How many rows have each kind of error, of how many, and the first examples of each."""
    counts: Counter[str] = Counter({kind: 0 for kind in KINDS})
    examples: dict[str, list[dict[str, Any]]] = {}
    total = 0
    for row in rows:
        total += 1
        for kind in kinds_of(row):
            counts[kind] += 1
            if counts[kind] <= _SHOWN:
                examples.setdefault(kind, []).append(_shown(row))
    return {"rows": total, "counts": dict(counts), "examples": examples}


def joined(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several analyses as one: `rows` of the first."""
    counts: Counter[str] = Counter()
    examples: dict[str, list[dict[str, Any]]] = {}
    for one in parts:
        counts.update(one["counts"])
        for kind, some in one["examples"].items():
            examples[kind] = (examples.get(kind, []) + some)[:_SHOWN]
    return {"rows": parts[0]["rows"], "counts": dict(counts), "examples": examples}


def _shown(row: Judged) -> dict[str, Any]:
    told = {
        "context": row.query.context,
        "target": row.query.target,
        "expected": _line(row.query, row.reference),
        "answered": _line(row.query, row.answer) if row.answer else row.text[:200],
    }
    return told | ({"text": row.text[:200]} if row.ran_on else {})


def _line(query: Query, sense: Sense) -> str:
    wire = to_wire(query, sense)
    phrase = wire["phrase"].replace("|", " = ")
    return " · ".join(part for part in (wire["class"], wire["zh"], phrase) if part)
