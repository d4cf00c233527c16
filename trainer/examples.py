"""Rows of a source → examples: a query with its accepted sense, and the split it belongs to.

Rows that do not fit are refused and counted by reason, never guessed.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.passage import split_words
from engine.prompt import FIELDS
from engine.sense import Query, QueryError, Sense, ask, from_wire
from trainer.recipe import RecipeError, Source


@dataclass(frozen=True)
class Example:
    """A query with its accepted answer: a training row."""

    query: Query
    sense: Sense
    source: str
    weight: float = 1.0
    fields: tuple[str, ...] = FIELDS  # those that are known


@dataclass(frozen=True)
class Loaded:
    """A source's examples, and how many of its rows were refused, by reason."""

    examples: tuple[Example, ...]
    refused: dict[str, int]


def split_of(context: str) -> str:
    """train, dev or test: a function of the sentence's words alone, for ever (90, 5, 5 %)."""
    words = " ".join(word.text.lower() for word in split_words(context))
    bucket = int(hashlib.sha256(f"split {words}".encode()).hexdigest(), 16) % 20
    return {0: "dev", 1: "test"}.get(bucket, "train")


def find_source(source: Source, recipe_folder: Path, data_folder: Path | None) -> list[Path]:
    """The files of a source, in order of name; RecipeError where they are missing or changed."""
    folders = [recipe_folder, *([data_folder] if data_folder else [])]
    path = next((f / source.path for f in folders if (f / source.path).exists()), None)
    if path is None:
        raise RecipeError(f"source {source.name}: no {source.path}; set CTX_DATA to its folder")
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if source.sha256 and source.sha256 != hash_files(files):
        raise RecipeError(f"source {source.name}: {source.path} is not the data of this recipe")
    return files


def hash_files(files: list[Path]) -> str:
    """SHA-256 over the files' bytes joined in the given order."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def load_examples(source: Source, files: list[Path], pair: str) -> Loaded:
    """The source's rows as examples, each query once (the first row that asks it counts)."""
    refused: Counter[str] = Counter()
    seen: dict[Query, Example] = {}
    for row in _rows(files):
        try:
            query, sense = parse_row(row, source.format, pair)
        except QueryError as error:
            refused[error.code] += 1
            continue
        except (ValueError, KeyError, TypeError) as error:
            refused[_kind(error)] += 1
            continue
        if query in seen:
            refused["repeated"] += 1
            continue
        seen[query] = Example(query, sense, source.name, source.weight, source.fields)
    return Loaded(tuple(seen.values()), dict(refused))


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


def _rows(files: list[Path]) -> Iterator[str]:
    for file in files:
        with file.open(encoding="utf-8") as lines:
            yield from (line for line in lines if line.strip())


def _kind(error: Exception) -> str:
    """A reason without the row's own words, so that reasons can be counted."""
    text = str(error)
    if "stand in the context" in text:
        return "phrase_not_in_context"
    if "is not in the list" in text:
        return "unknown_class"
    if "at least two words" in text:
        return "phrase_of_one_word"
    return "malformed"
