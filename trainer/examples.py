"""Rows of a source → examples: a query with its accepted sense, and the split it belongs to.

Rows that do not fit are refused and counted by reason, never guessed. Formats other than `flat` and
`wire` are read by the modules of trainer/sources.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.passage import split_words
from engine.prompt import FIELDS
from engine.sense import Query, QueryError, Sense, ask, from_wire
from trainer.recipe import RecipeError, Source

# Where Debian's wordnet-base puts WordNet, for a source or reference called so.
SYSTEM_FOLDERS = {"wordnet": Path("/usr/share/wordnet")}
WORDNET_FILES = ("data.*", "index.noun", "index.verb", "index.adj", "index.adv")


@dataclass(frozen=True)
class Example:
    """A query with its accepted answer: a training row."""

    query: Query
    sense: Sense
    source: str
    weight: float = 1.0
    fields: tuple[str, ...] = FIELDS  # those that are known


@dataclass(frozen=True)
class Refusal:
    """A row that gives no example, and why: a reason without the row's own words."""

    reason: str


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


def held_out(sentence: str) -> bool:
    """Whether a sentence of outside data is kept for tests that nobody here may train on."""
    return int(hashlib.sha256(sentence.encode()).hexdigest(), 16) % 10 == 0


def find_source(source: Source, recipe_folder: Path, data_folder: Path | None) -> list[Path]:
    """The files of a source, then of its references, in order of name within each; RecipeError
    where they are missing or changed."""
    folders = [recipe_folder, *([data_folder] if data_folder else [])]
    files = [
        file for path in (source.path, *source.references) for file in _find(source, path, folders)
    ]
    if source.sha256 and source.sha256 != hash_files(files):
        raise RecipeError(f"source {source.name}: {source.path} is not the data of this recipe")
    return files


def _find(source: Source, path: str, folders: Sequence[Path]) -> list[Path]:
    places = [*(folder / path for folder in folders), SYSTEM_FOLDERS.get(path)]
    found = next((place for place in places if place and place.exists()), None)
    if found is None:
        raise RecipeError(f"source {source.name}: no {path}; set CTX_DATA to its folder")
    if not found.is_dir():
        return [found]
    rows = sorted(found.glob("*.jsonl"))
    return rows or sorted(file for name in WORDNET_FILES for file in found.glob(name))


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
    for row in _reader(source.format)(source, files, pair):
        if isinstance(row, Refusal):
            refused[row.reason] += 1
        elif row.query in seen:
            refused["repeated"] += 1
        else:
            seen[row.query] = row
    return Loaded(tuple(seen.values()), dict(refused))


Reader = Callable[[Source, Sequence[Path], str], Iterator[Example | Refusal]]


def _reader(form: str) -> Reader:
    if form in ("flat", "wire"):
        return _read_rows
    from trainer.sources import READERS  # they make Examples, so they import this module

    return READERS[form]


def _read_rows(source: Source, files: Sequence[Path], pair: str) -> Iterator[Example | Refusal]:
    for row in _rows(files):
        try:
            query, sense = parse_row(row, source.format, pair)
        except QueryError as error:
            yield Refusal(error.code)
        except (ValueError, KeyError, TypeError) as error:
            yield Refusal(reason_of(error))
        else:
            yield Example(query, sense, source.name, source.weight, source.fields)


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
