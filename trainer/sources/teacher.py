"""Word senses by a teacher model: ctx-translator-train.jsonl, wire format, uncorrected.

From BryceMeng/CTX-Translator (Apache-2.0): sentences from Tatoeba (CC BY 2.0 FR), answers by
gemma-3-27b-it (Gemma terms). Its references: labelled rows (*.jsonl), a phrase list (*.tsv),
WordNet's data files. The teacher calls many free combinations phrases: one is kept only where a
reference has it, else the phrase is unknown. A meaning that only repeats the phrase's is unknown.
Refused: rows that do not parse, idx or target that do not fit, classes outside the list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.sense import Query, QueryError, Sense
from trainer.examples import Example, Refusal, parse_row, reason_of
from trainer.recipe import Source
from trainer.sources.phrases import Finder, Key, phrase_key, read_phrases, trimmed, wordnet_phrases
from trainer.sources.usual import UsualMeanings, read_rows
from trainer.sources.words import is_chinese, usable_meaning


@dataclass(frozen=True)
class _References:
    fixed: frozenset[Key]  # phrases of the labels and of WordNet
    labelled: Finder  # of those, the labels' own
    usual: UsualMeanings


def read(source: Source, files: Sequence[Path], pair: str) -> Iterator[Example | Refusal]:
    """The first file's rows as examples, judged by the files after it."""
    parsed = list(_parse(files[0], pair))
    rows = [row for row in parsed if not isinstance(row, Refusal)]
    labelled = read_phrases(files[1:])
    references = _References(
        labelled | wordnet_phrases(files[1:]),
        Finder(labelled),
        UsualMeanings([*read_rows(files[1:], pair), *(row[:2] for row in rows)]),
    )
    for row in parsed:
        yield row if isinstance(row, Refusal) else _judge(source, *row, references)


def _parse(file: Path, pair: str) -> Iterator[tuple[Query, Sense, bool] | Refusal]:
    """Query, sense, and whether the phrase the row states could be read."""
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            yield _parse_row(line, pair)
        except QueryError as error:
            yield Refusal(error.code)
        except (ValueError, KeyError, TypeError) as error:
            yield Refusal(reason_of(error))


def _parse_row(line: str, pair: str) -> tuple[Query, Sense, bool]:
    try:
        return *parse_row(line, "wire", pair), True
    except QueryError:
        raise
    except ValueError as error:
        if not reason_of(error).startswith("phrase"):
            raise
    data = json.loads(line)
    bare = {**json.loads(data["response"]), "phrase": ""}
    return *parse_row(json.dumps({**data, "response": json.dumps(bare)}), "wire", pair), False


def _judge(source: Source, query: Query, sense: Sense, whole: bool, know: _References) -> Example:
    """The row as an example: what cannot be trusted is masked, and the text stops before it."""
    fields = {"class"}
    repeats = sense.phrase is not None and sense.phrase.meaning == sense.meaning
    if usable_meaning(sense.meaning, query.target) and not repeats:
        fields.add("meaning")
    else:
        sense = replace(sense, meaning="")
    phrase = sense.phrase and trimmed(query, sense.phrase)
    words = [word.text for word in query.words]
    if phrase and phrase_key(words[i] for i in phrase.members) in know.fixed:
        meaning = sense.meaning or know.usual.of(query.target, sense.word_class, phrase.meaning)
        fields |= {"phrase", "phrase_meaning"} if is_chinese(phrase.meaning) else {"phrase"}
        if not meaning:
            fields.discard("phrase_meaning")  # nothing plausible can stand before it
        sense = replace(sense, phrase=phrase, meaning=meaning)
    else:
        if whole and sense.phrase is None and query.position not in know.labelled.members(words):
            fields.add("phrase")
        sense = replace(sense, phrase=None)
    known = tuple(name for name in source.fields if name in fields)
    return Example(query, sense, source.name, source.weight, known)
