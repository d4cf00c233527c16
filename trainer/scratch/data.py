"""The texts of a recipe: read, and refused before any time is spent where they cannot be right.

Files hold a sentence a line, plain or `.gz`.
"""

from __future__ import annotations

import gzip
import random
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.language import find_language
from trainer.examples import hash_files
from trainer.fields import RecipeError
from trainer.scratch.errors import ScratchError
from trainer.scratch.recipe import ScratchRecipe

_LOOKED_AT = 200  # stretches of a text whose language is looked at
_TOGETHER = 4  # lines of such a stretch: of one short line the language is rarely sure
_WRONG = 0.5  # share of the sure ones in another language at which a text is refused


@dataclass(frozen=True)
class Text:
    """The lines of one file, in one language."""

    path: Path
    language: str
    lines: tuple[str, ...]

    def told(self) -> dict[str, Any]:
        """What a card says of it."""
        return {
            "file": self.path.name, "language": self.language, "lines": len(self.lines),
            "sha256": hash_files([self.path]),
        }  # fmt: skip


@dataclass(frozen=True)
class Parallel:
    """Sentences and their translations: lines of the same number belong together."""

    source: Text
    target: Text

    def __len__(self) -> int:
        return len(self.source.lines)


class Data:
    """Finds a recipe's files beside it or in the data folder."""

    def __init__(self, recipe: ScratchRecipe, home: Path, data: Path | None):
        self._recipe, self._folders = recipe, [home, *([data] if data else [])]

    def parallel(self, name: str) -> Parallel:
        """The parallel text `train`, `dev` or `test`; RecipeError says what is wrong with it."""
        paths = getattr(self._recipe, name)
        if not paths:
            raise RecipeError(f"{name}: the recipe names no parallel text")
        source, target = (
            self._text(name, path, language)
            for path, language in zip(paths, self._recipe.languages)
        )
        if len(source.lines) != len(target.lines):
            raise ScratchError(
                "not_aligned",
                f"{name}: {paths[0]} has {len(source.lines)} lines, {paths[1]} has"
                f" {len(target.lines)}; lines of the same number must belong together",
            )
        return Parallel(source, target)

    def texts(self) -> list[Text]:
        """What is pre-trained on."""
        named = self._recipe.texts or tuple(
            f"{language}:{path}"
            for language, path in zip(self._recipe.languages, self._recipe.train)
        )
        if not named:
            raise RecipeError("texts: the recipe names no text to pre-train on")
        found = []
        for one in named:
            language, _, path = one.partition(":")
            if language not in self._recipe.languages:
                raise RecipeError(f"texts: {language} is no language of {self._recipe.pair}")
            found.append(self._text("texts", path, language))
        return found

    def _text(self, name: str, path: str, language: str) -> Text:
        file = next((f / path for f in self._folders if (f / path).is_file()), None)
        if file is None:
            raise ScratchError("no_file", f"{name}: no {path}; set CTX_DATA to its folder")
        lines = read_lines(file)
        if not any(lines):
            raise ScratchError("empty_corpus", f"{name}: {path} is empty")
        found = language_of(lines)
        if found not in (None, language):
            raise ScratchError("wrong_language", f"{name}: {path} is in {found}, not in {language}")
        return Text(file, language, lines)


def read_lines(file: Path) -> tuple[str, ...]:
    """A file's lines without blanks around them; ScratchError where it is no text in UTF-8."""
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rt", encoding="utf-8", newline="\n") as text:
            return tuple(line.strip() for line in text)
    except UnicodeDecodeError as error:
        raise ScratchError("not_utf8", f"{file}: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise ScratchError("unreadable", f"{file}: {error}") from error


def language_of(lines: Sequence[str]) -> str | None:
    """The language that most of these lines are in; None where that is not sure."""
    draw = random.Random(1)
    starts = range(0, len(lines), _TOGETHER)
    chosen = draw.sample(starts, min(len(starts), _LOOKED_AT))
    found = (find_language(" ".join(lines[at : at + _TOGETHER])) for at in chosen)
    sure = Counter(language for language in found if language)
    language, count = next(iter(sure.most_common(1)), (None, 0))
    return language if count > _WRONG * sure.total() else None
