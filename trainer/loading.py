"""Where a source's files are, and its rows as examples, whatever their format.

The first row that asks a query counts (of a sentence to translate, each translation once); what is
refused is counted by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.settings import assets
from trainer.examples import Refusal, hash_files
from trainer.recipe import RecipeError, Source
from trainer.sources import READERS

# Where Debian's wordnet-base puts WordNet, for a source or reference called so.
SYSTEM_FOLDERS = {"wordnet": Path("/usr/share/wordnet")}
WORDNET_FILES = ("data.*", "index.noun", "index.verb", "index.adj", "index.adv")


@dataclass(frozen=True)
class Loaded:
    """A source's examples, and how many of its rows were refused, by reason."""

    examples: tuple[Any, ...]  # Example, or TranslationExample where the source is of pairs
    refused: dict[str, int]


def find_source(source: Source, recipe_folder: Path, data_folder: Path | None) -> list[Path]:
    """The files of a source, then of its references, in order of name within each; RecipeError
    where they are missing or changed."""
    folders = [recipe_folder, *([data_folder] if data_folder else [])]
    if source.format == "dataset":  # one of the project's; a frozen one is put in place by the job
        folders = [assets() / "datasets"]
    files = [
        file for path in (source.path, *source.references) for file in _find(source, path, folders)
    ]
    if source.sha256 and source.sha256 != hash_files(files):
        raise RecipeError(f"source {source.name}: {source.path} is not the data of this recipe")
    return files


def _find(source: Source, path: str, folders: Sequence[Path]) -> list[Path]:
    places = [*(folder / path for folder in folders), SYSTEM_FOLDERS.get(path)]
    found = next((place for place in places if place and place.exists()), None)
    if found is None:
        raise RecipeError(f"source {source.name}: no {path}; set CTX_DATA to its folder")
    if not found.is_dir():
        return [found]
    rows = sorted(found.glob("*.jsonl"))
    return rows or sorted(file for name in WORDNET_FILES for file in found.glob(name))


def load_examples(source: Source, files: list[Path], pair: str) -> Loaded:
    """The source's rows as examples, each query once (the first row that asks it counts)."""
    refused: Counter[str] = Counter()
    seen: dict[Hashable, Any] = {}
    for row in READERS[source.format](source, files, pair):
        if isinstance(row, Refusal):
            refused[row.reason] += 1
        elif row.key in seen:
            refused["repeated"] += 1
        else:
            seen[row.key] = row
    return Loaded(tuple(seen.values()), dict(refused))
