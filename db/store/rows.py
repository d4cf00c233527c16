"""Senses, answers and moments as columns, and back. Knows nothing of tables or connections."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.sense import Answer, Phrase, Sense


def utc_now(minus_days: int = 0) -> str:
    """Now, or days ago, in UTC as ISO text of fixed width, so that text order is time order."""
    # "For ever" is said with any large number, and dates do not go back that far.
    moment = datetime.now(UTC) - timedelta(days=min(minus_days, 365_000))
    return moment.isoformat(timespec="microseconds")


def phrase_columns(phrase: Phrase | None) -> dict[str, Any]:
    """The columns members (a JSON list, NULL for no phrase) and phrase_meaning."""
    if phrase is None:
        return {"members": None, "phrase_meaning": ""}
    return {"members": json.dumps(phrase.members), "phrase_meaning": phrase.meaning}


def read_phrase(row: Mapping[str, Any], prefix: str = "") -> Phrase | None:
    """The phrase in a row's columns, which may have a prefix."""
    members = row[f"{prefix}members"]
    if members is None:
        return None
    return Phrase(tuple(json.loads(members)), row[f"{prefix}phrase_meaning"])


def sense_columns(sense: Sense) -> dict[str, Any]:
    """The columns class and meaning, and those of the phrase."""
    return {"class": sense.word_class, "meaning": sense.meaning, **phrase_columns(sense.phrase)}


def read_sense(row: Mapping[str, Any], prefix: str = "") -> Sense:
    """The sense in a row's columns, which may have a prefix."""
    return Sense(row[f"{prefix}class"], row[f"{prefix}meaning"], read_phrase(row, prefix))


def answer_columns(answer: Answer) -> dict[str, Any]:
    """The columns of the sense, and second, confidence, source and engine."""
    return {
        **sense_columns(answer.sense),
        "second": answer.second,
        "confidence": answer.confidence,
        "source": answer.source,
        "engine": answer.engine,
    }


def read_answer(row: Mapping[str, Any], prefix: str = "") -> Answer:
    """The answer in a row's columns, which may have a prefix."""
    rest = (row[f"{prefix}{name}"] for name in ("second", "confidence", "source", "engine"))
    return Answer(read_sense(row, prefix), *rest)
