"""What is wrong with answers, by kind, counted and with examples. Pure.

wrong_class, wrong_sense; missed_phrase, invented_phrase, wrong_members (the phrase was found, other
words in it); empty (no meaning), no_answer (nothing that can be read as one). A row can be of
several kinds. Of the rows that are written freely, which are fewer: text_after (it did not end),
unreadable (it ended and is no answer).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from engine.sense import Query, Sense, to_wire
from trainer.metrics import Scored

WRITTEN_KINDS = ("text_after", "unreadable")
KINDS = (
    "wrong_class", "wrong_sense", "missed_phrase", "invented_phrase", "wrong_members", "empty",
    "no_answer", *WRITTEN_KINDS,
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
    if row.answer is None:
        return ("no_answer",)
    scored, known = row.scored, row.scored.known
    found = {
        "wrong_class": "class" in known and not scored.word_class,
        "wrong_sense": "meaning" in known and not scored.meaning and bool(row.answer.meaning),
        "missed_phrase": "phrase" in known and scored.wanted and not scored.found,
        "invented_phrase": "phrase" in known and scored.found and not scored.wanted,
        "wrong_members": "phrase" in known and scored.wanted and scored.found and not scored.exact,
        "empty": "meaning" in known and not row.answer.meaning,
    }
    return tuple(kind for kind in KINDS if found.get(kind))


def form_of(row: Judged) -> tuple[str, ...]:
    """What is wrong with the form of what was written freely."""
    if row.ran_on:
        return ("text_after",)
    return ("unreadable",) if row.answer is None else ()


def analyse(
    rows: Iterable[Judged], kinds: Callable[[Judged], tuple[str, ...]] = kinds_of
) -> dict[str, Any]:
    """How many rows have each kind of error, of how many, and the first examples of each."""
    counts: Counter[str] = Counter({kind: 0 for kind in KINDS})
    examples: dict[str, list[dict[str, Any]]] = {}
    total = 0
    for row in rows:
        total += 1
        for kind in kinds(row):
            counts[kind] += 1
            if counts[kind] <= _SHOWN:
                examples.setdefault(kind, []).append(_shown(row))
    return {"rows": total, "counts": dict(counts), "examples": examples}


def joined(answers: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """The analysis of answers and that of what was written freely as one; `written`: how many rows
    the kinds of the second are of."""
    counts = Counter(answers["counts"])
    counts.update(written["counts"])
    return {
        "rows": answers["rows"], "written": written["rows"], "counts": dict(counts),
        "examples": answers["examples"] | written["examples"],
    }  # fmt: skip


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
