"""Lines as a given tokenizer cuts them: text unlike what it learnt falls into many small pieces,
and what has more tokens than a model's window would be cut off. Knows no models.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trainer.fields import RecipeError
from trainer.scratch.corpus.recipe import CorpusRecipe
from trainer.scratch.corpus.stages import Dropped, Look

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_FILE = "tokenizer.json"


def load_tokenizer(place: str) -> Tokenizer:
    """The tokenizer in a file or folder; RecipeError where there is none."""
    from tokenizers import Tokenizer

    path = Path(place)
    path = path / _FILE if path.is_dir() else path
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library has no narrower one
        raise RecipeError(f"tokenizer = {place!r}: {error}") from error


def counting_tokens(recipe: CorpusRecipe, tokenizer: Tokenizer) -> Look:
    """Looks at how many tokens texts have."""

    def look(text: str) -> str | Dropped:
        count = len(tokenizer.encode(text, add_special_tokens=False))
        if recipe.most_tokens and count > recipe.most_tokens:
            return Dropped("too many tokens")
        if recipe.tokens and count > recipe.tokens * len(text):
            return Dropped("too many tokens for its characters")
        return text

    return look
