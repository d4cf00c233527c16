"""What may be stored: every value here may come from a stranger. Pure: no SQL.

Each check returns the value as it is stored, or raises Refused with the field's name.
"""

from __future__ import annotations

import re
import unicodedata

from db.store.errors import Refused
from engine.sense import CLASSES, Answer, Phrase, Query, Sense, check_context

MAX_MEANING = 40  # characters of a meaning that a reader proposes
MAX_LABEL = 200  # characters of a meaning in a label or a shown answer, which models write too
MAX_NAME = 200  # characters of a person's name or an engine's
MAX_NOTE = 500
_PAIR = re.compile(r"[A-Za-z0-9_]{2,12}-[A-Za-z0-9_]{2,12}", re.ASCII)


def check_text(field: str, text: object, limit: int, *, lines: bool = False) -> str:
    """`text` without outer white space; with `lines`, line ends and tabs may stand in it."""
    if not isinstance(text, str):
        raise Refused("not_text", field=field)
    text = text.strip(" \t\r\n\u3000")
    if len(text) > limit:
        raise Refused("too_long", field=field, length=len(text), limit=limit)
    allowed = "\t\r\n" if lines else ""
    # Cs: a lone surrogate cannot be written as UTF-8.
    if not text.isprintable() and any(
        unicodedata.category(c) in ("Cc", "Cs") and c not in allowed for c in text
    ):
        raise Refused("control_characters", field=field)
    return text


def check_choice(field: str, value: str, choices: tuple[str, ...]) -> str:
    """`value`, which must be one of `choices`."""
    if value not in choices:
        raise Refused("unknown_value", field=field, value=value)
    return value


def check_pair(pair: str) -> str:
    """`pair`, which must look like en-zh."""
    if not isinstance(pair, str) or not _PAIR.fullmatch(pair):
        raise Refused("unknown_value", field="pair", value=pair)
    return pair


def check_query(query: Query) -> Query:
    """The query with its context folded; QueryError where the context cannot be one."""
    if not isinstance(query.context, str):
        raise Refused("not_text", field="context")
    check_pair(query.pair)
    query = Query(check_context(query.context), query.position, query.pair)
    if not (_is_position(query.position) and query.position < len(query.words)):
        raise Refused("no_such_word", position=query.position)
    return query


def check_phrase(query: Query, phrase: Phrase | None, limit: int) -> Phrase | None:
    """The phrase, whose members must be words of the query's context and hold its target."""
    if phrase is None:
        return None
    members = phrase.members
    good = (
        isinstance(members, tuple | list)
        and all(_is_position(member) for member in members)
        and sorted(set(members)) == list(members)
        and len(members) >= 2
        and query.position in members
        and members[-1] < len(query.words)
    )
    if not good:
        raise Refused("bad_members")
    return Phrase(tuple(members), check_text("phrase_meaning", phrase.meaning, limit))


def check_label(query: Query, sense: Sense) -> Sense:
    """The sense that a label gives a query; it must have a meaning."""
    sense = _check_sense(query, sense)
    if not sense.meaning:
        raise Refused("no_text", field="meaning")
    return sense


def check_answer(query: Query, answer: Answer) -> Answer:
    """The answer that a reader was shown; a model's meaning may be empty."""
    confidence = answer.confidence
    # A comparison with NaN is false, so NaN is refused as well.
    if isinstance(confidence, bool) or not isinstance(confidence, int | float):
        raise Refused("unknown_value", field="confidence", value=confidence)
    if not 0.0 <= confidence <= 1.0:
        raise Refused("unknown_value", field="confidence", value=confidence)
    return Answer(
        _check_sense(query, answer.sense),
        check_text("second", answer.second, MAX_LABEL),
        float(confidence),
        check_text("source", answer.source, MAX_NAME),
        check_text("engine", answer.engine, MAX_NAME),
    )


def _check_sense(query: Query, sense: Sense) -> Sense:
    word_class = check_choice("class", sense.word_class, CLASSES)
    meaning = check_text("meaning", sense.meaning, MAX_LABEL)
    return Sense(word_class, meaning, check_phrase(query, sense.phrase, MAX_LABEL))


def _is_position(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
