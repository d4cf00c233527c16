"""Outside data as examples: one module a source, each says what it reads and what it refuses.

A reader yields examples and refusals, and knows nothing of models. `READERS` names the formats,
those of the project's own rows (`flat`, `wire`) among them.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from trainer.examples import Example, Refusal, TranslationExample, read_rows
from trainer.recipe import Source
from trainer.sources import pairs, sentences, streusle, tatoeba, teacher, wordnet

Reader = Callable[[Source, Sequence[Path], str], Iterator[Example | TranslationExample | Refusal]]

READERS: dict[str, Reader] = {
    "dataset": read_rows,
    "flat": read_rows,
    "wire": read_rows,
    "sentences": sentences.read,
    "teacher": teacher.read,
    "wordnet": wordnet.read,
    "tatoeba": tatoeba.read,
    "streusle": streusle.read,
    "pairs": pairs.read,
    "translations": pairs.read_frozen,
}
