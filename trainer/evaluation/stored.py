"""What an evaluation leaves in its folder: each model's answers as they come, then the figures and
all rows. Answers that are kept are not asked for again, so an evaluation goes on after a kill.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.files import write_whole
from engine.sense import Phrase, Query, Sense, phrase_words
from trainer.evaluation.answering import Answers, Asked, Told
from trainer.evaluation.figures import is_right, is_split
from trainer.examples import Example
from trainer.metrics import score
from trainer.watch import worth

FIGURES, ROWS = "evaluation.json", "answers.jsonl"
Json = dict[str, Any]


class Kept:
    """One model's answers in a file, a context a line. Those of another version are dropped, and a
    line that was cut off by a kill."""

    def __init__(self, folder: Path, number: int, version: str):
        self._file, self._version = folder / f"model-{number}.jsonl", version
        self.answers: Answers = []
        whole = 0
        if self._file.is_file():
            for line in self._file.read_bytes().splitlines(keepends=True):
                found = _read(line, version)
                if found is None:
                    break
                self.answers.append(found)
                whole += len(line)
            os.truncate(self._file, whole)

    def add(self, asked: Asked, answers: Answers) -> None:
        """Keep the answers to the next contexts."""
        with self._file.open("a", encoding="utf-8") as file:
            for (context, _), found in zip(asked, answers, strict=True):
                told = {str(i): _write(one) for i, one in found.items()}
                line = {"version": self._version, "context": context, "answers": told}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.answers += answers


def _read(line: bytes, version: str) -> dict[int, Told] | None:
    """A line's answers; None where it is not whole or another version's."""
    try:
        data = json.loads(line) if line.endswith(b"\n") else {}
    except ValueError:
        return None
    if data.get("version") != version:
        return None
    return {int(i): _told(*one) for i, one in data["answers"].items()}


def _write(told: Told) -> list[Any]:
    sense, phrase = told.sense, told.sense.phrase
    members = [list(phrase.members), phrase.meaning, phrase.source] if phrase else None
    took = round(told.ms, 3), told.tokens
    return [sense.word_class, sense.meaning, members, told.confidence, *took]


def _told(
    word_class: str, meaning: str, told: Any, confidence: float | None, ms: float, tokens: int = 0
) -> Told:
    phrase = Phrase(tuple(told[0]), told[1], told[2]) if told else None
    return Told(Sense(word_class, meaning, phrase), confidence, ms, tokens)


def row_of(example: Example, answers: Sequence[Told | None]) -> Json:
    """One row with every model's answer, as its file has it."""
    query = example.query
    return {
        "context": query.context, "position": query.position, "target": query.target,
        "idx": query.idx, "pair": query.pair, "source": example.source,
        "reference": fields_of(query, example.sense), "fields": list(example.fields),
        "split_phrase": is_split(example.sense),
        "answers": [_answer(example, told) for told in answers],
    }  # fmt: skip


def _answer(example: Example, told: Told | None) -> Json:
    if told is None:
        nothing = {"class": "", "zh": "", "phrase": "", "members": [], "phrase_zh": ""}
        return nothing | {"confidence": None, "right": False, "worth": 0.0}
    query, sense = example.query, told.sense
    scored = score(query, example.sense, sense, example.fields)
    return {
        **fields_of(query, sense), "confidence": told.confidence,
        "right": is_right(example, sense), "worth": round(worth(scored), 4),
    }  # fmt: skip


def fields_of(query: Query, sense: Sense) -> Json:
    """A sense field by field."""
    phrase = sense.phrase
    return {
        "class": sense.word_class, "zh": sense.meaning,
        "phrase": phrase_words(query, phrase) if phrase else "",
        "members": list(phrase.members) if phrase else [],
        "phrase_zh": phrase.meaning if phrase else "",
    }  # fmt: skip


def write_result(folder: Path, figures: Mapping[str, Any], rows: Sequence[Json]) -> None:
    """Write the figures and the rows, each whole or not at all; the figures last."""
    write_whole(folder / ROWS, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    write_whole(folder / FIGURES, json.dumps(figures, ensure_ascii=False, indent=1))
