"""What is made sure of before a corpus is made: the sources can be read and hold something, in the
right language; the tokenizer is there. A look at their first rows also says how long translations
usually are.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trainer.scratch.corpus.languages import count_languages, identifying
from trainer.scratch.corpus.parallel import comparing, usual_ratio
from trainer.scratch.corpus.reading import CorpusError, Opened, cut_sentences, open_sources
from trainer.scratch.corpus.recipe import CorpusRecipe
from trainer.scratch.corpus.repair import repairing
from trainer.scratch.corpus.rules import find_pattern
from trainer.scratch.corpus.shape import (
    counting_repeats,
    counting_stop_words,
    measuring_length,
    measuring_size,
    weighing_signs,
)
from trainer.scratch.corpus.stages import Look, Row, Stage, on_sides, put_through
from trainer.scratch.corpus.tokens import counting_tokens, load_tokenizer

_SAMPLE = 1000  # rows of each source that are looked at
_FEW = 20  # rows, of fewer of which no language is said


@dataclass(frozen=True)
class Ready:
    """A corpus that can be made: its stages in order, its rows from the start and how many they are
    where that is known; how many times longer translations usually are; the tokenizer's hash."""

    recipe: CorpusRecipe
    stages: tuple[Stage, ...]
    rows: Callable[[], Iterator[Row]]
    total: int | None
    usual_ratio: float
    tokenizer_hash: str


def prepare(recipe: CorpusRecipe) -> Ready:
    """The recipe made ready; CorpusError or RecipeError says what stands against it."""
    tokenizer = load_tokenizer(recipe.tokenizer) if recipe.tokenizer else None
    opened = open_sources(recipe)
    sample = [row for one in opened for row in _look_at(one, recipe)]
    usual = round(usual_ratio(sample), 3) if len(recipe.sides) == 2 else 1.0
    stages = side_stages(recipe)
    if tokenizer is not None:
        look = counting_tokens(recipe, tokenizer)
        why = "text unlike what the tokenizer learnt, or longer than the model's window"
        stages.append(on_sides("tokens", why, [look] * len(recipe.sides)))
    if len(recipe.sides) == 2:
        stages += comparing(recipe, usual)
    totals = [None if recipe.sentences else one.total for one in opened]

    def rows() -> Iterator[Row]:
        found = itertools.chain.from_iterable(one.rows() for one in opened)
        return cut_sentences(found, recipe.sides[0]) if recipe.sentences else found

    return Ready(
        recipe,
        tuple(stages),
        rows,
        None if None in totals else sum(total or 0 for total in totals),
        usual,
        hashlib.sha256(tokenizer.to_str().encode()).hexdigest() if tokenizer else "",
    )


def side_stages(recipe: CorpusRecipe) -> list[Stage]:
    """The stages that look at each side by itself, in order."""
    looks: list[tuple[str, str, Callable[[str], Look]]] = [
        (
            "size",
            "what goes on for pages is no line, and all further stages would be slow",
            lambda code: measuring_size(recipe),
        ),
        ("Unicode", "a wrong decoding or an unseen character makes two words of one", repairing),
        (
            "patterns",
            "addresses, markup, code and notices are no sentences",
            lambda code: find_pattern,
        ),
        (
            "length",
            "a heading teaches little, and a word without end is none",
            lambda code: measuring_length(recipe, code),
        ),
        (
            "signs",
            "tables, lists and noise are no prose",
            lambda code: weighing_signs(recipe),
        ),
        (
            "repetition",
            "a model that learns lines that go round in circles writes such",
            lambda code: counting_repeats(recipe, code),
        ),
        ("language", "a line in another language teaches the wrong one", identifying),
        (
            "stop words",
            "a line without the language's most usual words is a list of names",
            lambda code: counting_stop_words(recipe, code),
        ),
    ]
    return [
        on_sides(name, why, [look(code) for code in recipe.sides])
        for name, why, look in looks
        if name != "language" or recipe.language
    ]


def _look_at(source: Opened, recipe: CorpusRecipe) -> list[Row]:
    """A source's first rows, mended; CorpusError where it has none, or they are in another
    language."""
    mend = side_stages(recipe)[:2]
    found = [put_through(mend, row) for row in itertools.islice(source.rows(), _SAMPLE)]
    if not found:
        raise CorpusError("empty_corpus", f"{source.name}: there is no row in it")
    rows = [row for row, stage, _ in found if stage is None]
    for side, code in enumerate(recipe.sides if recipe.language else ()):
        counted = count_languages(rows, side)
        usual = next(iter(counted.most_common(1)), (code, 0))
        if counted.total() >= _FEW and counted[code] < counted.total() / 2:
            raise CorpusError(
                "wrong_language",
                f"{source.name}: of the first {counted.total():,} lines whose language is sure,"
                f" {counted[code]:,} are in {code}, {usual[1]:,} in {usual[0]}",
            )
    return rows
