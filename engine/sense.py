"""Queries and senses: the words everything else is said in, and the JSON people exchange.

Inside, a word is its position among its sentence's words; outside (`wire`), it is a string and
the number of its occurrence, as in {"context", "target", "idx"} → {"class", "zh", "phrase"}.
Pure: no model, no settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import regex

from engine.passage import Word, split_words

CLASSES = (
    "noun",
    "proper noun",
    "verb",
    "auxiliary",
    "adjective",
    "adverb",
    "pronoun",
    "determiner",
    "preposition",
    "conjunction",
    "numeral",
    "particle",
    "interjection",
)
# Class names of older data, in lower case, and what each is called here.
CLASS_ALIASES = {
    "adj": "adjective",
    "adv": "adverb",
    "num": "numeral",
    "number": "numeral",
    "cardinal number": "numeral",
    "ordinal number": "numeral",
    "ordinal": "numeral",
    "auxiliary verb": "auxiliary",
    "modal verb": "auxiliary",
    "modal": "auxiliary",
    "aux": "auxiliary",
    "possessive pronoun": "determiner",
    "article": "determiner",
    "vb": "verb",
    "vbd": "verb",
    "vbg": "verb",
    "vbn": "verb",
    "vbp": "verb",
    "vbz": "verb",
    "gerund": "verb",
    "verb-ing": "verb",
    "past participle": "verb",
    "verb, past participle": "verb",
}
MAX_CONTEXT = 10_000  # characters of one context
MAX_WORD = 100  # characters of one target
# Control characters (but tab and line ends) and lone surrogates: no text that people see has them.
_CONTROL = regex.compile(r"[\p{Cc}\p{Cs}--[\t\n\r\u0085]]", regex.V1)


class QueryError(ValueError):
    """A query that cannot be asked. `code` names the reason; screens translate it."""

    def __init__(self, code: str, **details: object):
        self.code, self.details = code, details
        super().__init__(_REASONS[code].format(**details))


_REASONS = {
    "no_context": "the context is empty",
    "no_target": "the target is empty",
    "not_text": "context and target must be strings, and idx a whole number",
    "control_characters": "the text holds control characters",
    "context_too_long": "the text has {length} characters; at most {limit} are looked up at once",
    "no_room": "the sentence has {tokens} tokens; this translator reads at most {limit}",
    "target_too_long": "the target has {length} characters; at most {limit} can be one word",
    "target_not_found": "{target!r} is not a word of the context",
    "target_inside_word": "{target!r} stands only inside a longer word",
    "idx_out_of_range": "idx is {idx}, but {target!r} occurs {count} times",
    "unknown_pair": "there is no adapter for the pair {pair!r}",
}


@dataclass(frozen=True)
class Query:
    """Which word of which context is asked for: its `position` among `words`, from 0."""

    context: str
    position: int
    pair: str = "en-zh"

    @property
    def words(self) -> tuple[Word, ...]:
        return context_words(self.context, self.pair)

    @property
    def target(self) -> str:
        return self.words[self.position].text

    @property
    def idx(self) -> int:
        """The occurrence of the target, from 1, as the wire format counts."""
        return occurrence(self.words, self.position)


@dataclass(frozen=True)
class Phrase:
    """A fixed phrase: its member words' positions in the context, ascending, and its meaning."""

    members: tuple[int, ...]
    meaning: str = ""
    source: str = "model"  # whose meaning it is: model, book (a known phrase), or person

    def shifted(self, offset: int) -> Phrase:
        """The phrase with its positions counted from `offset` words earlier."""
        return replace(self, members=tuple(i + offset for i in self.members))


@dataclass(frozen=True)
class Entry:
    """A phrase as it was seen: its members' spelling, one meaning, in how many sentences."""

    members: tuple[str, ...]
    meaning: str
    count: int = 1


@dataclass(frozen=True)
class Sense:
    """What a word means in its context: part of speech, meaning, and the phrase it belongs to."""

    word_class: str
    meaning: str
    phrase: Phrase | None = None


@dataclass(frozen=True)
class Answer:
    """A sense with how sure it is and who gives it, as kept and shown."""

    sense: Sense
    second: str = ""  # the second-best meaning, or "" where there is none
    confidence: float = 1.0  # product of the answer's token probabilities, 0 to 1
    source: str = "model"  # model, or person for an accepted correction
    engine: str = ""  # the version that gave it (`engine.models.engine_id`), or the person's name


@lru_cache(maxsize=4096)
def context_words(context: str, pair: str = "en-zh") -> tuple[Word, ...]:
    """The words of a context in the pair's source language."""
    return split_words(context, pair.partition("-")[0])


def clean_context(text: str) -> str:
    """`text` as a context: white space runs folded to one space; its words stay the same."""
    return " ".join(text.split())


def occurrence(words: tuple[Word, ...], position: int) -> int:
    """How many of `words` up to `position` are spelled like it, ignoring case."""
    target = words[position].text.lower()
    return sum(word.text.lower() == target for word in words[: position + 1])


def ask(context: object, target: object, idx: object = 1, pair: str = "en-zh") -> Query:
    """The query that a wire format question means; QueryError says what is wrong with it."""
    if not (isinstance(context, str) and isinstance(target, str)):
        raise QueryError("not_text")
    if isinstance(idx, bool) or not isinstance(idx, int | float) or idx != idx // 1:
        raise QueryError("not_text")
    context, target = check_context(context), target.strip()
    if not target:
        raise QueryError("no_target")
    if has_control(target):
        raise QueryError("control_characters")
    if len(target) > MAX_WORD:
        raise QueryError("target_too_long", length=len(target), limit=MAX_WORD)
    same = [
        i for i, w in enumerate(context_words(context, pair)) if w.text.lower() == target.lower()
    ]
    if not same:
        inside = target.lower() in context.lower()
        raise QueryError("target_inside_word" if inside else "target_not_found", target=target)
    if not 1 <= idx <= len(same):
        raise QueryError("idx_out_of_range", idx=idx, target=target, count=len(same))
    return Query(context, same[int(idx) - 1], pair)


def has_control(text: str) -> bool:
    """Whether control characters or lone surrogates stand in `text`."""
    return not text.isprintable() and bool(_CONTROL.search(text))  # the first is fast


def check_context(text: str) -> str:
    """`text` as a context, or a QueryError where it cannot be one."""
    if has_control(text):
        raise QueryError("control_characters")
    context = clean_context(text)
    if not context:
        raise QueryError("no_context")
    if len(context) > MAX_CONTEXT:
        raise QueryError("context_too_long", length=len(context), limit=MAX_CONTEXT)
    return context


def phrase_words(query: Query, phrase: Phrase) -> str:
    """The phrase's words as they stand in the sentence, gap words left out."""
    return " ".join(query.words[i].text for i in phrase.members)


def to_wire(query: Query, sense: Sense) -> dict[str, str]:
    """The answer in the wire format: class, zh, phrase ("english|chinese" or "")."""
    phrase = sense.phrase
    joined = f"{phrase_words(query, phrase)}|{phrase.meaning}" if phrase else ""
    return {"class": sense.word_class, "zh": sense.meaning, "phrase": joined}


def from_wire(query: Query, answer: Mapping[str, object]) -> Sense:
    """The sense a wire format answer states; ValueError where it breaks the rules' structure."""
    word_class, meaning, phrase = (answer.get(key) or "" for key in ("class", "zh", "phrase"))
    if not (isinstance(word_class, str) and isinstance(meaning, str) and isinstance(phrase, str)):
        raise ValueError("class, zh and phrase must be strings")
    name = word_class.strip().lower()
    name = CLASS_ALIASES.get(name, name)
    if name not in CLASSES:
        raise ValueError(f"class {word_class!r} is not in the list")
    if not meaning.strip():
        raise ValueError("no meaning")
    return Sense(name, meaning.strip(), _parse_phrase(query, phrase))


def _parse_phrase(query: Query, text: str) -> Phrase | None:
    if not text.strip():
        return None
    english, bar, meaning = text.partition("|")
    if not bar or not meaning.strip():
        raise ValueError("the phrase has no meaning half")
    members = find_members(query, [word.text for word in split_words(english)])
    return Phrase(members, meaning.strip())


def find_members(query: Query, spelled: list[str]) -> tuple[int, ...]:
    """Positions of a phrase's words in order, its target among them, over the shortest span.

    ValueError where the words do not stand in the context like that, or are fewer than two.
    """
    if len(spelled) < 2:
        raise ValueError("a phrase has at least two words")
    wanted = [word.lower() for word in spelled]
    have = [word.text.lower() for word in query.words]
    paths: list[tuple[int, ...]] = [()]
    for word in wanted:
        # For one end, of the paths that hold the target (or not yet), only the shortest matters.
        best: dict[tuple[int, bool], tuple[int, ...]] = {}
        for path in paths:
            for i in range(path[-1] + 1 if path else 0, len(have)):
                if have[i] != word:
                    continue
                longer = (*path, i)
                key = (i, query.position in longer)
                if key not in best or longer[0] > best[key][0]:
                    best[key] = longer
        paths = list(best.values())
    paths = [path for path in paths if query.position in path]
    if not paths:
        raise ValueError(f"{' '.join(spelled)!r} with the target does not stand in the context")
    return min(paths, key=lambda path: path[-1] - path[0])
