"""Whole sentences with their translations, `source ⇥ target` a line, for the task translation.

Two columns, or more whose rest is passed over (an attribution); a source may be `swapped`, its
Chinese may be `simplified`. A sentence with several translations gives several examples; what is
repeated is refused by whoever loads it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from engine.sense import QueryError, check_context
from engine.translation import LANGUAGES
from trainer.examples import Refusal, Sentence, TranslationExample, held_out
from trainer.recipe import RecipeError, Source

LONGEST = 600  # characters of either side
# What a first line may hold that names its columns: en, Eng, English.
_NAMES = {n for code, name in LANGUAGES.items() for n in (code, name.lower(), name[:3].lower())}


def read(
    source: Source, files: Sequence[Path], pair: str
) -> Iterator[TranslationExample | Refusal]:
    """The rows as examples, in order."""
    simplify = _simplifier(source)
    for file in files:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
        for number, line in enumerate(lines):
            if line.strip():
                yield _read(source, simplify(line), pair, number == 0)


def read_frozen(
    source: Source, files: Sequence[Path], pair: str
) -> Iterator[TranslationExample | Refusal]:
    """The rows of a frozen set, {"context", "text"} a line. All of them are people's own: none is
    kept out beside the splits."""
    for file in files:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                query = Sentence(row["context"], pair)
                yield TranslationExample(query, row["text"], source.name, source.weight)


def _simplifier(source: Source) -> Callable[[str], str]:
    """Makes traditional characters simplified ones, where the source asks for it: data that mixes
    both teaches to mix them."""
    if not source.simplified:
        return lambda text: text
    if find_spec("opencc") is None:
        raise RecipeError(
            f"source {source.name}: simplified characters need OpenCC:"
            " pip install -r trainer/sources/requirements.txt"
        )
    from opencc import OpenCC

    return OpenCC("t2s").convert


def _read(source: Source, line: str, pair: str, first: bool) -> TranslationExample | Refusal:
    columns = line.rstrip("\r").split("\t")
    if len(columns) < 2:
        return Refusal("malformed")
    if first and {column.strip().lower() for column in columns[:2]} <= _NAMES:
        return Refusal("header")
    try:
        texts = [unicodedata.normalize("NFC", check_context(column)) for column in columns[:2]]
    except QueryError as error:
        return Refusal(error.code)
    sentence, text = reversed(texts) if source.swapped else texts
    if max(map(len, texts)) > LONGEST:
        return Refusal("too_long")
    if sentence == text:
        return Refusal("untranslated")
    example = TranslationExample(Sentence(sentence, pair), text, source.name, source.weight)
    return Refusal("held_out") if held_out(example.english) else example
