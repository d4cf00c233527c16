"""Sentences that a teacher writes to show a word or phrase, and translations that it gives: what is
asked, and what counts as good. Pure: no server, no model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import regex

from engine.lemma import lemma
from engine.passage import split_passage, split_words
from engine.script import script_of
from engine.sense import QueryError, check_context, context_words
from engine.teaching import BadAnswer, read_object

MOST_SENTENCES = 20  # of one request
_FEWEST_WORDS, _MOST_WORDS = 3, 40
_MOST_BETWEEN = 6  # words between those of a phrase
_SLOTS = frozenset(
    ["someone", "somebody", "something", "someone's", "somebody's", "one's", "oneself"]
)  # of a phrase as dictionaries print it: other words stand there
_HAN = regex.compile(r"\p{Han}")
_DENSE = ("zh", "ja", "ko")  # languages whose characters say as much as several letters

SENTENCES_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"sentences": {"type": "array", "items": {"type": "string"}}},
    "required": ["sentences"],
    "additionalProperties": False,
}
TRANSLATION_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"translation": {"type": "string"}},
    "required": ["translation"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Show:
    """What new sentences are to show: a word or phrase, in which meaning ("" for any), or with the
    phrase's words meant literally; and how many sentences."""

    text: str = ""
    meaning: str = ""
    literal: bool = False
    count: int = 5

    def question(self) -> str:
        """As a teacher reads it."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True)
class Written:
    """A sentence that came, with the positions of the words that it shows; or why it is no good."""

    text: str
    members: tuple[int, ...] = ()
    reason: str = ""


def read_sentences(show: Show, text: str) -> tuple[Written, ...]:
    """The sentences in a teacher's text, good and bad; BadAnswer where none is good."""
    found = read_object(text, "sentences")["sentences"]
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadAnswer('"sentences" must be a list of strings')
    written = [look_at(show, one) for one in dict.fromkeys(found[:MOST_SENTENCES])]
    if not any(one.members for one in written):
        reasons = dict.fromkeys(one.reason for one in written) or ["there is none"]
        raise BadAnswer("; ".join(reasons))
    return tuple(written)


def look_at(show: Show, text: str) -> Written:
    """The sentence as it can be used, or why it cannot."""
    try:
        context = check_context(text)
    except QueryError as error:
        return Written(text, reason=str(error))
    words = [word.text for word in context_words(context)]
    if not _FEWEST_WORDS <= len(words) <= _MOST_WORDS:
        return Written(text, reason=f"a sentence has {_FEWEST_WORDS} to {_MOST_WORDS} words")
    if _HAN.search(context):
        return Written(text, reason="a sentence holds Chinese")
    if len(split_passage(context)) != 1:
        return Written(text, reason="an entry holds more than one sentence")
    members = find_shown(show.text, words)
    if not members:
        return Written(text, reason=f"a sentence does not show {show.text!r}")
    return Written(context, members)


def find_shown(text: str, words: list[str]) -> tuple[int, ...]:
    """Positions of the words of `text` (but open slots) among a sentence's, in whatever form, in
    order over the shortest span; none where they are not there or too far apart."""
    spelled = [word.text.lower().replace("’", "'") for word in split_words(text)]
    wanted = [_forms(word) for word in spelled if word not in _SLOTS or len(spelled) == 1]
    have = [_forms(word) for word in words]
    best: tuple[int, ...] = ()
    for start in range(len(have)):
        path: list[int] = []
        for i in range(start, len(have)):
            if len(path) < len(wanted) and have[i] & wanted[len(path)]:
                path.append(i)
        if path[:1] != [start] or len(path) < len(wanted):
            continue
        if not best or path[-1] - path[0] < best[-1] - best[0]:
            best = tuple(path)
    if not best or best[-1] - best[0] + 1 - len(best) > _MOST_BETWEEN:
        return ()
    return best


def read_translation(context: str, text: str, pair: str = "en-zh") -> str:
    """The translation in a teacher's text; BadAnswer where it is none."""
    found = read_object(text, "translation")["translation"]
    if not isinstance(found, str) or not found.strip():
        raise BadAnswer('"translation" must be a text')
    found, target = " ".join(found.split()), pair.partition("-")[2]
    if target == "zh" and not _HAN.search(found):
        raise BadAnswer("the translation has no Chinese character")
    if not script_of(target).letter.search(found):
        raise BadAnswer("the translation has no letter of its language")
    # What Chinese says in a character takes other languages several.
    times = 8 if pair.startswith(_DENSE) else 2 if target in _DENSE else 4
    if len(found) > times * len(context) + 20:
        raise BadAnswer("the translation is longer than its sentence can need")
    return found


def _forms(word: str) -> frozenset[str]:
    low = word.lower().replace("’", "'")
    return frozenset({low, lemma(low)})
