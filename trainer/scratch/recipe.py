"""A recipe for a model from nothing: its data, its shape, how it is pre-trained and fine-tuned.

A dataclass saved as JSON like the other recipes; paths are relative to it or to CTX_DATA.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from engine.files import write_whole
from trainer.fields import RecipeError, described, fitting
from trainer.recipe import SCHEDULES, TRACKERS, is_translated
from trainer.scratch.config import ModelConfig, parse_config

FILE = "recipe.json"
_NAMED = 80  # characters of a name, at most
_RISE = 0.05  # share of a dev loss that is more than what chance makes of some hundred rows


def _check(recipe: Any, checks: Mapping[str, bool]) -> None:
    for one in fields(recipe):
        value, choices = getattr(recipe, one.name), one.metadata.get("choices")
        if not checks.get(one.name, True) or (choices and value not in choices):
            raise RecipeError(f"{one.name} = {value!r}: {one.metadata['help']}")


@dataclass(frozen=True)
class Phase:
    """The steps of a pre-training; of a fine-tuning it has one field more."""

    steps: int = described("steps of the optimizer", 4000)
    tokens: int = described("tokens of a batch, padding with them", 4096)
    accumulation: int = described("batches whose gradients are added up for one step", 1)
    rate: float = described("peak learning rate", 2e-3)
    schedule: str = described("how the rate falls after its peak", "cosine", SCHEDULES)
    warmup: float = described("share of all steps in which the rate rises", 0.05)
    weight_decay: float = described("AdamW's weight decay, of matrices", 0.05)
    clip: float = described("largest gradient norm", 1.0)
    smoothing: float = described("label smoothing of the loss", 0.1)
    average: float = described(
        "how much of the weights' running mean stays at a step; the mean is what is scored and"
        " kept. 0: no mean", 0.995,
    )  # fmt: skip
    seed: int = described("of the batches' order, the holes and dropout", 1)
    evaluate_every: int = described("steps between dev evaluations and checkpoints", 500)
    dev_rows: int = described("dev rows whose loss an evaluation takes", 1000)
    keep: str = described("which weights it ends with", "best", ("best", "last"))
    patience: int = described("evaluations without gain after which it ends; 0: never", 0)

    tokens_at_once = 0  # a batch is never cut: `tokens` bounds it
    sentences_a_step = 32  # thousands of tokens are at least so many

    def __post_init__(self) -> None:
        checks = {
            "steps": self.steps > 0,
            "tokens": self.tokens > 0,
            "accumulation": 0 < self.accumulation <= 4096,
            "rate": 0 < self.rate < 1e6,
            "warmup": 0 <= self.warmup < 1,
            "weight_decay": self.weight_decay >= 0,
            "clip": self.clip > 0,
            "smoothing": 0 <= self.smoothing < 1,
            "average": 0 <= self.average < 1,
            "evaluate_every": self.evaluate_every > 0,
            "dev_rows": self.dev_rows > 0,
            "patience": self.patience >= 0,
        }
        _check(self, checks)

    @property
    def drop(self) -> float:
        """The share of its best dev loss by which an evaluation is above it when the run goes back
        to its best weights."""
        return _RISE


@dataclass(frozen=True)
class Finetuning(Phase):
    """The steps of a fine-tuning."""

    guard_rows: int = described(
        "dev sentences that an evaluation translates; when they get worse the run goes back to its"
        " best weights. 0: only the loss is watched", 200,
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self, {"guard_rows": self.guard_rows >= 0})

    @property
    def drop(self) -> float:
        """The same, where no sentences are translated: else they are what is watched."""
        return 0.0 if self.guard_rows else _RISE


@dataclass(frozen=True)
class ScratchRecipe:
    """One model from nothing. Parallel text is two files whose lines belong together, plain or
    `.gz`, source language first."""

    name: str = described("what it is called: letters, digits and hyphens", "de-en-scratch")
    pair: str = described("source and target language", "de-en")
    train: tuple[str, ...] = described("parallel text to learn from", ())
    dev: tuple[str, ...] = described("parallel text that evaluations take", ())
    test: tuple[str, ...] = described("parallel text that the result is scored on", ())
    dataset: str = described(
        "a frozen dataset of sentences with translations, such as a teacher's, in place of train,"
        " dev and test", ""
    )  # fmt: skip
    texts: tuple[str, ...] = described(
        "text to pre-train on, each file as LANGUAGE:PATH; empty: both sides of train", ()
    )
    origin: str = described("where the data is from", "")
    licence: str = described("under which licence it is", "")
    holes: float = described("share of a text's tokens that pre-training takes out", 0.15)
    span: float = described("tokens of a span that is taken out, on average", 3.0)
    compiled: bool = described("compile the layers (torch.compile): slow to begin", False)
    tracker: str = described("also report to", "", TRACKERS)
    model: ModelConfig = field(default=ModelConfig(), metadata={"help": "the model's shape"})
    pretrain: Phase = field(default=Phase(), metadata={"help": "learning to fill holes"})
    finetune: Finetuning = field(default=Finetuning(), metadata={"help": "learning to translate"})

    def __post_init__(self) -> None:
        bare = self.name.replace("-", "")
        checks = {
            "name": bare.isalnum() and bare.isascii() and len(self.name) < _NAMED,
            "pair": is_translated(self.pair),
            **{n: len(getattr(self, n)) in (0, 2) for n in ("train", "dev", "test")},
            "dataset": not (self.dataset and (self.train or self.dev or self.test)),
            "texts": all(":" in one for one in self.texts),
            "holes": 0 < self.holes < 1,
            "span": self.span >= 1,
        }
        _check(self, checks)

    @property
    def languages(self) -> tuple[str, str]:
        source, _, target = self.pair.partition("-")
        return source, target


def load_scratch(path: Path) -> ScratchRecipe:
    """The recipe in a JSON file; RecipeError names the field that does not fit."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: {error}") from error
    return parse_scratch(data)


def parse_scratch(data: Any) -> ScratchRecipe:
    """The recipe that plain JSON data states."""
    values = _known(ScratchRecipe, data)
    parts: dict[str, Any] = {}
    if "model" in values:
        parts["model"] = parse_config(values.pop("model"))
    for name, kind in (("pretrain", Phase), ("finetune", Finetuning)):
        if name in values:
            parts[name] = _parse_phase(name, kind, values.pop(name))
    for name, value in values.items():
        lists = isinstance(value, list) and all(isinstance(one, str) for one in value)
        parts[name] = fitting(ScratchRecipe, name, tuple(value) if lists else value)
    return ScratchRecipe(**parts)


def _parse_phase(name: str, kind: type[Phase], data: Any) -> Phase:
    if kind is Phase and isinstance(data, Mapping):  # no sentences are translated
        data = {key: value for key, value in data.items() if key != "guard_rows"}
    try:
        values = _known(kind, data)
        return kind(**{key: fitting(kind, key, value) for key, value in values.items()})
    except RecipeError as error:
        raise RecipeError(f"{name}: {error}") from error


def _known(kind: type, data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise RecipeError(f"{data!r}: fields and their values are needed")
    unknown = set(data) - {one.name for one in fields(kind)}
    if unknown:
        raise RecipeError(f"no such field: {', '.join(sorted(map(str, unknown)))}")
    return dict(data)


def save_scratch(recipe: ScratchRecipe, path: Path) -> None:
    """Write the recipe as JSON that `load_scratch` reads back equal, whole or not at all."""
    write_whole(path, json.dumps(asdict(recipe), indent=2, ensure_ascii=False) + "\n")
