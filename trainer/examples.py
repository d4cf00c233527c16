"""Examples: a query with its accepted sense, and rows that state one.

Rows that do not fit are refused with their reason, never guessed. Knows the formats `flat` and
`wire`; others are read by the modules of trainer/sources. A translation's example is a sentence
with one translation of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.prompt import FIELDS
from engine.sense import Query, QueryError, Sense, ask, from_wire
from engine.split import english_side
from trainer.recipe import Source

PERSON = "person"  # of a flat row: true where a person gave the answer


@dataclass(frozen=True)
class Example:
    """A query with its accepted answer: a training row."""

    query: Query
    sense: Sense
    source: str
    weight: float = 1.0
    fields: tuple[str, ...] = FIELDS  # those that are known
    person: bool = False  # a person gave the answer

    @property
    def key(self) -> Hashable:
        """What makes another row a repetition of this one: the same query, whatever its answer."""
        return self.query


@dataclass(frozen=True)
class Sentence:
    """A query of task `translation`: a whole sentence."""

    context: str
    pair: str


@dataclass(frozen=True)
class TranslationExample:
    """A sentence with one translation; a sentence may have several, each an example."""

    query: Sentence
    text: str
    source: str
    weight: float = 1.0

    @property
    def key(self) -> Hashable:
        """What makes another row a repetition of this one: the same sentence and translation."""
        return self.query, self.text

    @property
    def english(self) -> str:
        """The side whose split this is."""
        return english_side(self.query.context, self.text, self.query.pair)


@dataclass(frozen=True)
class Refusal:
    """A row that gives no example, and why: a reason without the row's own words."""

    reason: str


def held_out(sentence: str) -> bool:
    """Whether a sentence of outside data is kept for tests that nobody here may train on."""
    return int(hashlib.sha256(sentence.encode()).hexdigest(), 16) % 10 == 0


def hash_files(files: list[Path]) -> str:
    """SHA-256 over the files' bytes joined in the given order."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def hash_texts(texts: Sequence[str]) -> str:
    """SHA-256 over texts, a line each."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def read_rows(source: Source, files: Sequence[Path], pair: str) -> Iterator[Example | Refusal]:
    """The rows of files in the format `flat` or `wire`, one JSON object a line."""
    for row in _rows(files):
        try:
            query, sense = parse_row(row, source.format, pair)
            person = source.person or json.loads(row).get(PERSON) is True
        except QueryError as error:
            yield Refusal(error.code)
        except (ValueError, KeyError, TypeError) as error:
            yield Refusal(reason_of(error))
        else:
            yield Example(query, sense, source.name, source.weight, source.fields, person)


def parse_row(row: str, form: str, pair: str) -> tuple[Query, Sense]:
    """One line of a source; ValueError, KeyError or TypeError where it does not fit."""
    data = json.loads(row)
    question, answer = (
        (json.loads(data["prompt"]), json.loads(data["response"]))
        if form == "wire"
        else (data,) * 2
    )
    query = ask(question["context"], question["target"], question.get("idx", 1), pair)
    return query, from_wire(query, answer)


def _rows(files: Sequence[Path]) -> Iterator[str]:
    for file in files:
        with file.open(encoding="utf-8") as lines:
            yield from (line for line in lines if line.strip())


def reason_of(error: Exception) -> str:
    """A reason without the row's own words, so that reasons can be counted."""
    text = str(error)
    if "stand in the context" in text:
        return "phrase_not_in_context"
    if "is not in the list" in text:
        return "unknown_class"
    if "at least two words" in text:
        return "phrase_of_one_word"
    return "malformed"
