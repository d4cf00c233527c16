"""A recipe: everything that defines a training run, saved as JSON beside the adapter it makes.

Each field carries its help text; the command line, forms and the JSON all read it there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from engine.prompt import FIELDS, STYLES

MATRICES: dict[str, tuple[str, ...] | str] = {
    "q,v": ("q_proj", "v_proj"),
    "q,k,v": ("q_proj", "k_proj", "v_proj"),
    "ffn": ("gate_proj", "up_proj", "down_proj"),
    "all-linear": "all-linear",
}


FORMATS = ("flat", "wire", "sentences", "teacher", "wordnet", "tatoeba", "streusle")


class RecipeError(ValueError):
    """A recipe that cannot be run, with the field and the reason."""


def _help(text: str, default: Any) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Source:
    """One file of rows: where it is found, what it is, and how much it weighs."""

    name: str
    path: str  # a file or folder; relative to the recipe, or to CTX_DATA where it is not there
    # flat: six fields a row; wire: prompt and response as JSON in strings; the others name the
    # module of trainer/sources that reads them
    format: str = "flat"
    references: tuple[str, ...] = ()  # what it is read with, found like `path`: word lists, links
    weight: float = 1.0  # loss weight of its rows
    times: int = 1  # how often each of its rows comes in an epoch; 0: it is only scored
    fields: tuple[str, ...] = FIELDS  # the fields it knows; the others' loss is masked
    origin: str = ""
    licence: str = ""
    sha256: str = ""  # of its files, then its references', joined; another hash is refused

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise RecipeError(f"source {self.name}: no format {self.format!r}")
        if self.times < 0:
            raise RecipeError(f"source {self.name}: times is 0 or more")
        if not self.fields or not set(self.fields) <= set(FIELDS):
            raise RecipeError(f"source {self.name}: fields are among {', '.join(FIELDS)}")


@dataclass(frozen=True)
class Recipe:
    """One training run."""

    name: str = _help("what the adapter is called: letters, digits and hyphens", "en-zh-sense")
    pair: str = _help("source and target language", "en-zh")
    task: str = _help("what is asked: sense", "sense")
    style: str = _help("prompt style: last, neighbours, marked or hinted", "last")
    start: str = _help(
        "the recipe, beside this one, whose adapter this run goes on from; empty: new weights", ""
    )
    sources: tuple[Source, ...] = _help("the data, source by source", ())
    matrices: str = _help("which matrices get LoRA: " + ", ".join(MATRICES), "all-linear")
    rank: int = _help("LoRA rank", 16)
    alpha: int = _help("LoRA alpha; the update is scaled by alpha / rank", 32)
    dropout: float = _help("LoRA dropout", 0.05)
    rate: float = _help("peak learning rate", 4e-4)
    warmup: float = _help("share of all steps in which the rate rises", 0.05)
    books: bool = _help("whether the wordbook is open in training, as it is for readers", False)
    share: float = _help("share of the training sentences that are used", 1.0)
    epochs: float = _help("how often each row is seen", 2.0)
    batch: int = _help("rows a step", 16)
    weight_decay: float = _help("AdamW's weight decay", 0.0)
    clip: float = _help("largest gradient norm", 1.0)
    seed: int = _help("of row order, dropout and LoRA's start", 1)
    evaluate_every: int = _help("steps between dev evaluations and checkpoints", 200)
    dev_rows: int = _help("dev rows an evaluation scores", 400)

    def __post_init__(self) -> None:
        checks = {
            "name": bool(self.name) and self.name.replace("-", "").isalnum(),
            "task": self.task == "sense",
            "style": self.style in STYLES,
            "matrices": self.matrices in MATRICES,
            "rank": self.rank > 0,
            "alpha": self.alpha > 0,
            "dropout": 0 <= self.dropout < 1,
            "rate": self.rate > 0,
            "warmup": 0 <= self.warmup < 1,
            "share": 0 < self.share <= 1,
            "epochs": self.epochs > 0,
            "batch": self.batch > 0,
            "evaluate_every": self.evaluate_every > 0,
            "dev_rows": self.dev_rows > 0,
        }
        for key, good in checks.items():
            if not good:
                raise RecipeError(f"{key} = {getattr(self, key)!r}: {help_of(key)}")


def help_of(name: str) -> str:
    """The help text of a recipe's field."""
    return next(f.metadata["help"] for f in fields(Recipe) if f.name == name)


def load_recipe(path: Path) -> Recipe:
    """The recipe in a JSON file; RecipeError names the field that does not fit."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: {error}") from error
    return parse_recipe(data)


def parse_recipe(data: dict[str, Any]) -> Recipe:
    """The recipe that plain JSON data states."""
    unknown = set(data) - {f.name for f in fields(Recipe)}
    if unknown:
        raise RecipeError(f"no such field: {', '.join(sorted(unknown))}")
    try:
        sources = tuple(_parse_source(source) for source in data.get("sources", ()))
        return replace(Recipe(), **{**data, "sources": sources})
    except TypeError as error:
        raise RecipeError(str(error)) from error


def _parse_source(data: dict[str, Any]) -> Source:
    lists = {"fields": data.get("fields", FIELDS), "references": data.get("references", ())}
    return Source(**data | {name: tuple(values) for name, values in lists.items()})


def save_recipe(recipe: Recipe, path: Path) -> None:
    """Write the recipe as JSON that `load_recipe` reads back equal."""
    text = json.dumps(asdict(recipe), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
