"""What defines a corpus: where its lines come from, and every bound by which some are dropped. Each
field carries its help text; the command line, the form and the JSON all read it there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from trainer.fields import RecipeError, described, fitting

HUB, SET = "hub:", "dataset:"  # what sources are called that are no files
_CODE = re.compile(r"[a-z]{2,3}")
_HUB_NAME = re.compile(
    r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(:[\w.+-]{0,95}){0,2}", re.ASCII
)
_LISTS = ("sources", "columns")


@dataclass(frozen=True)
class CorpusRecipe:
    """One corpus. A bound of 0 is none where its help says so."""

    name: str = described(
        "what the corpus is called: letters, digits and hyphens", "corpus", (), True
    )
    languages: str = described(
        "the language of the lines, de; of lines with their translations both, de-en", "de", (),
        True,
    )  # fmt: skip
    sources: tuple[str, ...] = described(
        "where the lines come from: .txt, .jsonl, .parquet or .tsv files, also .gz, or a dataset of"
        " the hub, hub:OWNER/NAME[:CONFIG[:SPLIT]], or a frozen set of sentences, dataset:NAME; of"
        " translations two text files aligned by line follow each other", (), (), True,
    )  # fmt: skip
    columns: tuple[str, ...] = described(
        "the columns of JSON, Parquet and hub data, one a side; empty: text, or the languages'"
        " codes; translation.de is de inside of translation", (), (), True,
    )  # fmt: skip
    origin: str = described("where they are from", "")
    licence: str = described("under which licence they are", "")
    sentences: bool = described(
        "cut lines into sentences: for texts whose lines are paragraphs, not for translations",
        False, (), True,
    )  # fmt: skip
    tokenizer: str = described(
        "a tokenizer.json whose tokens are counted, or its folder; empty: none are", "", (), True
    )
    fewest_words: int = described("a line has no fewer words", 3)
    most_words: int = described("a line has no more words", 200)
    most_characters: int = described("a line has no more characters", 1000)
    longest_word: int = described("no word has more characters", 40)
    symbols: float = described("largest share of symbols among a line's characters", 0.1)
    digits: float = described("largest share of digits among a line's characters", 0.2)
    letters: float = described("smallest share of letters among a line's characters", 0.6)
    capitals: float = described("largest share of capitals among a line's letters", 0.6)
    one_word: float = described("largest share of one word among a line's words", 0.4)
    repeated: float = described("largest share of word triples that repeat an earlier one", 0.3)
    stop_words: float = described(
        "smallest share of the language's stop words, of lines of eight words or more; 0: none",
        0.05,
    )
    language: bool = described(
        "drop lines that are surely in another language; short lines are never sure", True
    )
    tokens: float = described(
        "most tokens for each character; text unlike what the tokenizer learnt has many; 0: any",
        0.7,
    )
    most_tokens: int = described("a line has no more tokens; 0: any number", 0)
    similar: float = described(
        "how many of their pieces of five characters two lines share to count as near duplicates;"
        " 0: only exact duplicates are dropped", 0.8, (), True,
    )  # fmt: skip
    index_mb: int = described(
        "megabytes of the index of lines seen: its size never changes, the fuller it is the more"
        " lines are taken for ones seen; the report says how many", 64,
    )  # fmt: skip
    ratio: float = described(
        "of translations: how many times longer than usual a side may be, against the other", 2.0
    )
    overlap: float = described(
        "of translations: largest share of words that both sides have, in texts of four words or"
        " more", 0.6,
    )  # fmt: skip
    numbers: float = described(
        "of translations: smallest share of numbers that both sides have, where both have some;"
        " 0: none", 0.5,
    )  # fmt: skip
    questions: bool = described(
        "of translations: drop those of which one side only is a question", True
    )
    held_out: bool = described(
        "one row in twenty is for dev and one for test, as everywhere in the project by its words"
        " alone; otherwise all are to be learnt", True, (), True,
    )  # fmt: skip
    shard_rows: int = described("rows that are read, judged and written as one piece", 5000)

    def __post_init__(self) -> None:
        sides = self.languages.split("-")
        good = {
            "name": bool(self.name) and self.name.replace("-", "").isalnum()
            and len(self.name) < 80,
            "languages": len(sides) in (1, 2) and all(map(_CODE.fullmatch, sides))
            and len(set(sides)) == len(sides),
            "sentences": not (self.sentences and len(sides) == 2),
            "columns": len(self.columns) in (0, len(sides)),
            "fewest_words": 0 <= self.fewest_words <= self.most_words,
            "index_mb": 1 <= self.index_mb <= 65_536,
            "shard_rows": 100 <= self.shard_rows <= 1_000_000,
            "similar": self.similar == 0 or 0.3 <= self.similar <= 1,
            "ratio": self.ratio >= 1,
            "tokens": self.tokens >= 0,
        }  # fmt: skip
        for one in fields(self):
            value = getattr(self, one.name)
            usual = value >= 0 if isinstance(value, int) else True
            usual = 0 <= value <= 1 if isinstance(value, float) else usual
            if not good.get(one.name, usual):
                raise RecipeError(f"{one.name} = {value!r}: {one.metadata['help']}")

    @property
    def sides(self) -> tuple[str, ...]:
        """The languages of a row's sides."""
        return tuple(self.languages.split("-"))


def is_hub_name(name: str) -> bool:
    """Whether this is OWNER/NAME[:CONFIG[:SPLIT]] and no path: what loads datasets of the hub reads
    folders, too, and by a bare name as `text` the folder that the app runs in."""
    return bool(_HUB_NAME.fullmatch(name)) and not Path(name.partition(":")[0]).exists()


def parse_corpus(data: Mapping[str, Any]) -> CorpusRecipe:
    """The recipe that plain JSON data states; RecipeError names the field that does not fit."""
    if unknown := set(data) - {one.name for one in fields(CorpusRecipe)}:
        raise RecipeError(f"no such field: {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {
        name: _texts(name, value) if name in _LISTS else fitting(CorpusRecipe, name, value)
        for name, value in data.items()
    }
    return CorpusRecipe(**values)


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise RecipeError(f"{name} = {value!r}: a list of texts is needed")
    return tuple(value)


def load_corpus_recipe(path: Path) -> CorpusRecipe:
    """The recipe in a JSON file; RecipeError names the field that does not fit."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: {error}") from error
    return parse_corpus(data)


def plain(recipe: CorpusRecipe) -> dict[str, Any]:
    """The recipe as JSON has it."""
    return json.loads(json.dumps(asdict(recipe)))
