"""STREUSLE's dev set: online reviews with their multiword expressions marked by people.

Reads streusle-dev.json (STREUSLE, CC BY-SA 4.0; text from the English Web Treebank). A strong
multiword expression gives each member its phrase; a word outside all expressions gives "no phrase".
Classes come from Universal POS tags; no meanings are known, so the text stops after the phrase.
Refused: sentences held out for tests; expressions that are fewer than two words here or lie inside
weaker doubt; words made of several tokens or whose tag says nothing of the class.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.passage import word_at
from engine.sense import Phrase, Query, QueryError, Sense, check_context
from trainer.examples import Example, Refusal, held_out
from trainer.recipe import Source

PLAIN_WORDS = 3  # words without a phrase taken from a sentence, the content words first
CLASS_OF = {
    "NOUN": "noun", "PROPN": "proper noun", "VERB": "verb", "AUX": "auxiliary",
    "ADJ": "adjective", "ADV": "adverb", "PRON": "pronoun", "DET": "determiner",
    "ADP": "preposition", "CCONJ": "conjunction", "SCONJ": "conjunction", "NUM": "numeral",
    "INTJ": "interjection",
}  # fmt: skip
_CONTENT = ("noun", "verb", "adjective", "adverb")


@dataclass(frozen=True)
class _Sentence:
    context: str
    words_of: dict[int, int]  # token number → position of the word that holds it
    classes: dict[int, str]  # position → class


def read(source: Source, files: Sequence[Path], pair: str) -> Iterator[Example | Refusal]:
    """The sentences' rows in the file's order."""
    for data in json.loads(files[0].read_text(encoding="utf-8")):
        if held_out(data["text"]):
            yield Refusal("held_out")
            continue
        try:
            sentence = _read_sentence(data, pair)
        except QueryError as error:
            yield Refusal(error.code)
            continue
        except ValueError:
            yield Refusal("tokens_not_in_text")
            continue
        for row in _rows(data, sentence, pair):
            if isinstance(row, Refusal):
                yield row
            else:
                fields = tuple(name for name in source.fields if name in ("class", "phrase"))
                yield Example(*row, source.name, source.weight, fields)


def _read_sentence(data: dict[str, Any], pair: str) -> _Sentence:
    text = data["text"]
    context = check_context(text)
    if context != text:
        raise ValueError("white space that contexts do not keep")
    words = Query(context, 0, pair).words
    words_of: dict[int, int] = {}
    tokens: dict[int, list[dict[str, Any]]] = {}
    at = 0
    for token in data["toks"]:
        at = text.index(token["word"], at)
        covered = {word_at(words, i) for i in range(at, at + len(token["word"]))} - {None}
        at += len(token["word"])
        for position in covered:
            if position is not None:
                tokens.setdefault(position, []).append(token)
        if len(covered) == 1:
            words_of[token["#"]] = min(p for p in covered if p is not None)
    classes = {i: _class_of(mine) for i, mine in tokens.items()}
    return _Sentence(context, words_of, {i: name for i, name in classes.items() if name})


def _class_of(tokens: list[dict[str, Any]]) -> str:
    """The class that a word's tags state, "" where they do not; an 's is not counted."""
    first, *others = tokens
    if any(
        token["word"].lower() not in ("'s", "’s") or token["upos"] != "PART" for token in others
    ):
        return ""
    if first["upos"] == "PART":
        return {"to": "particle", "not": "adverb"}.get(first["word"].lower(), "")
    if first["deprel"] == "compound:prt":
        return "particle"
    if first["upos"] == "PRON" and "Poss=Yes" in (first["feats"] or ""):
        return "determiner"
    return CLASS_OF.get(first["upos"], "")


def _rows(
    data: dict[str, Any], sentence: _Sentence, pair: str
) -> Iterator[tuple[Query, Sense] | Refusal]:
    inside: set[int] = set()  # positions that stand in some expression, strong or weak
    for expression in (*data["smwes"].values(), *data["wmwes"].values()):
        inside |= {sentence.words_of.get(number, -1) for number in expression["toknums"]}
    for expression in data["smwes"].values():
        yield from _members(expression["toknums"], sentence, pair)
    plain = [i for i in sentence.classes if i not in inside]
    plain.sort(key=lambda i: (sentence.classes[i] not in _CONTENT, _order(sentence.context, i)))
    for i in plain[:PLAIN_WORDS]:
        yield Query(sentence.context, i, pair), Sense(sentence.classes[i], "")


def _members(
    numbers: list[int], sentence: _Sentence, pair: str
) -> Iterator[tuple[Query, Sense] | Refusal]:
    positions = sorted({sentence.words_of[n] for n in numbers if n in sentence.words_of})
    words = Query(sentence.context, 0, pair).words
    if len(positions) > 2 and words[positions[0]].text.lower() in ("a", "an"):
        positions = positions[1:]
    if len(positions) < 2:
        yield Refusal("expression_of_one_word")
        return
    for i in positions:
        if i not in sentence.classes:
            yield Refusal("no_class")
        else:
            phrase = Phrase(tuple(positions))
            yield Query(sentence.context, i, pair), Sense(sentence.classes[i], "", phrase)


def _order(context: str, position: int) -> int:
    """A shuffle that is the same on every run and machine."""
    from hashlib import sha256

    return int(sha256(f"{position} {context}".encode()).hexdigest()[:8], 16)
