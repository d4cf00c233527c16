"""What a file's line must be to come in: a sentence, or a row with its answer; else a reason. Pure.

A reason is coarse and without the line's own words, so that lines refused for it can be counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.passage import split_words
from engine.sense import (
    CLASS_ALIASES,
    CLASSES,
    Query,
    QueryError,
    Sense,
    ask,
    check_context,
    from_wire,
)

QUESTION, _ANSWER = ("context", "target"), ("class", "zh")
_TEXTS = ("class", "zh", "phrase")
REASONS = {
    "not_json": "the line is no JSON",
    "not_object": "the line is JSON, but no object",
    "missing_prompt": "there is no prompt",
    "missing_response": "there is no response",
    "prompt_not_json": "the prompt is no JSON object in a text",
    "response_not_json": "the response is no JSON object in a text",
    "unended_cell": "a quoted cell never ends",
    "missing_context": "there is no context",
    "missing_target": "there is no target",
    "context_not_text": "the context is no text",
    "target_not_text": "the target is no text",
    "idx_not_number": "idx is no whole number",
    "broken_character": "a character does not fit the file's encoding",
    "answer_not_text": "class, zh or phrase is no text",
    "missing_class": "there is no class",
    "missing_meaning": "there is no zh",
    "unknown_class": "the class is not in the list",
    "phrase_without_meaning": "the phrase has no meaning half",
    "phrase_of_one_word": "the phrase has one word",
    "phrase_not_there": "the phrase's words with the target do not stand in the context",
}
"""Why a line is no row, or its answer none: without the line's own words, so that it counts."""


@dataclass(frozen=True)
class Sentence:
    """A sentence whose words can be asked for."""

    context: str
    translation: str = ""
    attribution: str = ""


@dataclass(frozen=True)
class Row:
    """A question with its answer; None where the row has a question alone."""

    query: Query
    sense: Sense | None


@dataclass(frozen=True)
class Bad:
    """Something that is not kept: `code` is the reason without the line's own words."""

    code: str
    text: str


def unwrap(raw: str) -> dict[str, Any] | Bad:
    """The fields of a row that is JSON in JSON."""
    row = read_object(raw)
    if isinstance(row, Bad):
        return row
    found: dict[str, Any] = {}
    for name in ("prompt", "response"):
        if row.get(name) is None:
            return bad(f"missing_{name}")
        part = read_json(row[name])
        if not is_row(part):
            return bad(f"{name}_not_json")
        found |= part
    return found


def read_sentence(context: str, translation: str = "", attribution: str = "") -> Sentence | Bad:
    """A sentence whose words can be asked for."""
    if "\ufffd" in context:
        return bad("broken_character")
    try:
        context = check_context(context)
    except QueryError as error:
        return Bad(error.code, str(error))
    return Sentence(context, translation.strip(), attribution.strip())


def read_row(data: Mapping[str, Any], pair: str) -> Row | Bad:
    """A row in the wire format's fields; None for a field is as if it were not there."""
    if any("\ufffd" in str(value) for value in data.values()):
        return bad("broken_character")
    for name in QUESTION:
        if data.get(name) is None:
            return bad(f"missing_{name}")
        if not isinstance(data[name], str):
            return bad(f"{name}_not_text")
    try:
        query = ask(data["context"], data["target"], _index(data.get("idx")), pair)
    except QueryError as error:
        return Bad("idx_not_number" if error.code == "not_text" else error.code, str(error))
    if not any(data.get(name) for name in _ANSWER):
        return Row(query, None)
    try:
        return Row(query, from_wire(query, data))
    except ValueError as error:
        return Bad(_answer_reason(data), str(error))


def _answer_reason(answer: Mapping[str, Any]) -> str:
    """What of an answer `from_wire` has refused, by what it looks at first."""
    texts = [answer.get(name) or "" for name in _TEXTS]
    if not all(isinstance(text, str) for text in texts):
        return "answer_not_text"
    word_class, meaning, phrase = (text.strip() for text in texts)
    if not word_class:
        return "missing_class"
    if CLASS_ALIASES.get(word_class.lower(), word_class.lower()) not in CLASSES:
        return "unknown_class"
    if not meaning:
        return "missing_meaning"
    english, _, chinese = phrase.partition("|")
    if not chinese.strip():
        return "phrase_without_meaning"
    return "phrase_of_one_word" if len(split_words(english)) < 2 else "phrase_not_there"


def bad(code: str) -> Bad:
    """A line refused for one of REASONS."""
    return Bad(code, REASONS[code])


def _index(value: Any) -> Any:
    """The occurrence, which tables hold as text; left out, it is the first."""
    if value is None or value == "":
        return 1
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


def read_object(text: str) -> Mapping[str, Any] | Bad:
    """The JSON object that a line is."""
    row = read_json(text)
    if row is None and text.strip() != "null":
        return bad("not_json")
    return row if is_row(row) else bad("not_object")


def read_json(text: Any) -> Any:
    """What a text says as JSON; None where it is none, or null."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None


def is_row(row: Any) -> bool:
    """Whether it is a JSON object."""
    return isinstance(row, Mapping)
