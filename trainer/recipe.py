"""A recipe: everything that defines a training run, saved as JSON beside the adapter it makes.

Each field carries its help text; the command line, forms and the JSON all read it there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import Field, asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from engine.files import write_whole
from engine.names import is_translated as is_translated
from engine.prompt import FIELDS, STYLES
from engine.script import is_written
from engine.settings import Settings
from engine.translation import STYLES as TRANSLATION_STYLES
from trainer.distil.recipe import BASE as BASE
from trainer.distil.recipe import Distil, parse_distil
from trainer.fields import RecipeError as RecipeError
from trainer.fields import described, fitting

FULL = "full"
MATRICES: dict[str, tuple[str, ...] | str] = {
    "q,v": ("q_proj", "v_proj"),
    "q,k,v": ("q_proj", "k_proj", "v_proj"),
    "ffn": ("gate_proj", "up_proj", "down_proj"),
    "all-linear": "all-linear",
    FULL: FULL,  # no LoRA: every parameter of the base is trained
}
SCHEDULES = ("cosine", "linear", "constant")
TRACKERS = ("", "tensorboard", "trackio", "wandb")
# The formats of whole sentences, for the task translation alone: outside data, and frozen sets.
PAIRS, FROZEN_PAIRS = "pairs", "translations"
FORMATS = (
    "dataset", "flat", "wire", "sentences", "teacher", "wordnet", "tatoeba", "streusle", PAIRS,
    FROZEN_PAIRS,
)  # fmt: skip
SENSE, TRANSLATION = "sense", "translation"
PRESENT = "present"  # the adapter that readers have now
WIRE = "wire"  # a prompt style of the trainer's own: both sides as JSON, for comparison


@dataclass(frozen=True)
class Source:
    """One file of rows: where it is found, what it is, and how much it weighs."""

    name: str
    path: str  # a file or folder; relative to the recipe, or to CTX_DATA where it is not there
    # dataset: a frozen one of the recipe's task, `path` is its name; flat: six fields a row; wire:
    # prompt and response as JSON in strings; translations: context and text a
    # row; the others name the module of trainer/sources that reads them
    format: str = "flat"
    swapped: bool = False  # of pairs: the first column is the target language
    simplified: bool = False  # of pairs: Chinese is written in simplified characters (OpenCC)
    references: tuple[str, ...] = ()  # what it is read with, found like `path`: word lists, links
    weight: float = 1.0  # loss weight of its rows
    times: int = 1  # how often each of its rows comes in an epoch; 0: it is only scored
    replay: bool = False  # older examples: some of its rows come, see the recipe's `replay`
    fields: tuple[str, ...] = FIELDS  # the fields it knows; the others' loss is masked
    origin: str = ""
    licence: str = ""
    sha256: str = ""  # of its files, then its references', joined; another hash is refused
    person: bool = False  # people gave its answers: distillation teaches them, no teacher's beside

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

    name: str = described(
        "what the adapter is called: letters, digits and hyphens", "en-zh-sense", (), True
    )
    pair: str = described("source and target language", "en-zh")
    task: str = described(
        "what is asked: sense, a word in its sentence, or translation, a whole sentence",
        SENSE, (SENSE, TRANSLATION),
    )  # fmt: skip
    base: str = described(
        "which base is trained: a hub id or a folder; empty for the one that CTX_BASE names", ""
    )
    style: str = described("how the question is put to the model", "last", (*STYLES, WIRE))
    start: str = described(
        "what this run goes on from: empty for new weights, present for the adapter that readers"
        " have, a recipe beside this one, or an adapter's folder", "", (), True,
    )  # fmt: skip
    replay: float = described(
        "share of rows that are older examples, so that new ones do not erase what was learnt",
        0.0, (), True,
    )  # fmt: skip
    sources: tuple[Source, ...] = described("the data, source by source", ())
    matrices: str = described("which matrices are trained", "all-linear", tuple(MATRICES), True)
    rank: int = described("LoRA rank", 16, (), True)
    alpha: int = described("LoRA alpha; the update is scaled by alpha / rank", 32)
    dropout: float = described("LoRA dropout", 0.05)
    rslora: bool = described("scale the update by alpha / √rank: steadier at high ranks", False)
    dora: bool = described("train direction and length of each weight apart (DoRA): slower", False)
    quantised: bool = described(
        "QLoRA: hold the base in 4 bits (NF4, double quantisation) and compute in bfloat16",
        False, (), True,
    )  # fmt: skip
    sharded: bool = described(
        "FSDP: where several processes train, spread the base's layers over them, for a base that"
        " one device cannot hold; the result is scored on the processor",
        False,
    )
    rate: float = described("peak learning rate", 4e-4, (), True)
    schedule: str = described("how the rate falls after its peak", "cosine", SCHEDULES)
    warmup: float = described("share of all steps in which the rate rises", 0.05)
    books: bool = described("whether the wordbook is open in training, as it is for readers", False)
    share: float = described("share of the training sentences that are used", 1.0)
    epochs: float = described("how often each row is seen", 2.0, (), True)
    steps: int = described("end after so many steps, whatever `epochs` says; 0: as it says", 0)
    batch: int = described("sentences, each with its rows, of one batch", 16, (), True)
    accumulation: int = described("batches whose gradients are added up for one step", 1)
    tokens_at_once: int = described(
        "tokens that go through the model at once; a larger batch is cut, its gradients added up;"
        " 0: never cut",
        512,
    )
    checkpointing: bool = described(
        "compute activations twice instead of keeping them: less memory, slower", False
    )
    weight_decay: float = described("AdamW's weight decay", 0.0)
    clip: float = described("largest gradient norm", 1.0)
    structure_weight: float = described(
        "loss weight of what holds an answer together: bars and ends", 1.0
    )
    class_weight: float = described("loss weight of the class", 1.0)
    phrase_weight: float = described("loss weight of the phrase's members", 1.0)
    meaning_weight: float = described("loss weight of the meaning", 1.0)
    phrase_meaning_weight: float = described("loss weight of the phrase's meaning", 1.0)
    seed: int = described("of row order, dropout and LoRA's start", 1)
    evaluate_every: int = described("steps between dev evaluations and checkpoints", 200, (), True)
    dev_rows: int = described("dev rows whose loss an evaluation takes", 200)
    guard_rows: int = described(
        "dev rows that an evaluation answers as readers would get them; when they get worse the run"
        " goes back to its best weights. 0: only the loss is watched", 100, (), True,
    )  # fmt: skip
    keep: str = described(
        "which weights it ends with: best on dev rows; or last, unless they are worse than the best"
        " beyond chance: for a few rows that are all to be learnt",
        "best", ("best", "last"),
    )  # fmt: skip
    patience: int = described("evaluations without gain after which the run ends; 0: never", 0)
    reference: str = described(
        "whose score the result must keep: present for the adapter that readers have, start for the"
        " one it began from, teacher for a teacher's answers to the same rows; empty: none",
        "", ("", PRESENT, "start", "teacher"),
    )  # fmt: skip
    scored_rows: int = described(
        "rows of each source's dev and test that are scored at its end, and on which it is compared"
        " with its reference",
        150,
    )
    retention: float = described("share of the reference's score that it must keep", 0.9)
    tracker: str = described("also report to", "", TRACKERS)
    distil: Distil = described("what is learnt of a teacher's probabilities, and by whom", Distil())

    def __post_init__(self) -> None:
        checks = {
            "name": bool(self.name)
            and self.name.replace("-", "").isalnum()
            and len(self.name) < 80,
            "pair": (is_written if self.task == SENSE else is_translated)(self.pair),
            "sources": all(
                s.format == "dataset"
                or (s.format in (PAIRS, FROZEN_PAIRS)) == (self.task == TRANSLATION)
                for s in self.sources
            ),
            "start": not (self.start and self.matrices == FULL),
            "reference": self.task == SENSE or not self.reference,
            "replay": 0 <= self.replay < 1,
            "rank": 0 < self.rank <= 512,
            "alpha": self.alpha > 0,
            "dropout": 0 <= self.dropout < 1,
            "quantised": not (self.quantised and self.matrices == FULL),
            "dora": not (self.dora and self.matrices == FULL),
            "sharded": not (self.sharded and (self.quantised or self.matrices == FULL)),
            "rate": 0 < self.rate < 1e6,
            "warmup": 0 <= self.warmup < 1,
            "share": 0 < self.share <= 1,
            "epochs": 0 < self.epochs <= 10_000,
            "steps": self.steps >= 0,
            "batch": 0 < self.batch <= 4096,
            "tokens_at_once": self.tokens_at_once >= 0,
            "accumulation": 0 < self.accumulation <= 4096,
            "weight_decay": self.weight_decay >= 0,
            "clip": self.clip > 0,
            "evaluate_every": self.evaluate_every > 0,
            "dev_rows": self.dev_rows > 0,
            "scored_rows": self.scored_rows > 0,
            "guard_rows": self.guard_rows >= 0,
            "patience": self.patience >= 0,
            "retention": 0 <= self.retention <= 1,
            "distil": not self.distil.teacher
            or (self.style != WIRE and (self.task == SENSE or not self.distil.cut_vocabulary)),
        }
        if self.distil.is_cut:  # a model of its own: nothing fits it that is not cut like it
            checks |= {"start": not self.start, "reference": not self.reference}
            checks |= {"quantised": not self.quantised, "sharded": not self.sharded}
        for one in fields(self):
            value, choices = getattr(self, one.name), one.metadata["choices"]
            if one.name == "style" and self.task == TRANSLATION:
                choices = TRANSLATION_STYLES
            good = checks.get(one.name, value >= 0 if one.name.endswith("_weight") else True)
            if not good or (choices and value not in choices):
                raise RecipeError(f"{one.name} = {value!r}: {help_of(one.name)}")

    @property
    def weights(self) -> tuple[float, ...]:
        """The loss weight of each of FIELDS."""
        return tuple(getattr(self, f"{name}_weight") for name in FIELDS)

    @property
    def drop(self) -> float:
        """The share by which an evaluation may score worse than the best; 0: no such bound."""
        return self.distil.drop if self.distil.teacher else 0.0

    @property
    def sentences_a_step(self) -> int:
        return self.batch * self.accumulation


def on_base(recipe: Recipe, settings: Settings) -> Settings:
    """The settings with the recipe's own base, where it names one."""
    return replace(settings, base=recipe.base) if recipe.base else settings


def help_of(name: str) -> str:
    """The help text of a recipe's field."""
    return next(f.metadata["help"] for f in fields(Recipe) if f.name == name)


def named_fields() -> Iterator[tuple[str, Field[Any]]]:
    """Every field with the name by which forms and tables know it: `distil.top` is one of them."""
    for one in fields(Recipe):
        if isinstance(one.default, Distil):
            yield from ((f"{one.name}.{inner.name}", inner) for inner in fields(Distil))
        else:
            yield one.name, one


def unfolded(data: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's plain data under such names."""
    inner = data.get("distil", {})
    outer = {name: value for name, value in data.items() if name != "distil"}
    return outer | {f"distil.{name}": value for name, value in inner.items()}


def folded(values: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data of a recipe, from values under such names."""
    data: dict[str, Any] = {}
    for name, value in values.items():
        outer, dot, inner = name.partition(".")
        if dot:
            data.setdefault(outer, {})[inner] = value
        else:
            data[name] = value
    return data


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
        values = {
            name: fitting(Recipe, name, value)
            for name, value in data.items()
            if name not in ("sources", "distil")
        }
        distil = parse_distil(data.get("distil", {}))
        return replace(Recipe(), **values, sources=sources, distil=distil)
    except TypeError as error:
        raise RecipeError(str(error)) from error


def placed(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with whole paths in place of those that are relative to `folder`."""

    def whole(path: str) -> str:
        found = folder / path
        return str(found.resolve()) if path and found.exists() else path

    sources = tuple(
        one
        if one.format == "dataset"
        else replace(one, path=whole(one.path), references=tuple(map(whole, one.references)))
        for one in recipe.sources
    )
    start = recipe.start if recipe.start == PRESENT else whole(recipe.start)
    teacher = recipe.distil.teacher
    teacher = teacher if teacher in (PRESENT, BASE) else whole(teacher)
    distil = replace(recipe.distil, teacher=teacher)
    return replace(recipe, sources=sources, start=start, distil=distil)


def stated(recipe: Recipe) -> dict[str, Any]:
    """What of a recipe is not as it is anyway: it says which run it is, whatever fields come to be
    added later."""
    plain = _changed(recipe) | {"sources": [_changed(source) for source in recipe.sources]}
    return plain | ({"distil": _changed(recipe.distil)} if "distil" in plain else {})


def _changed(one: Any) -> dict[str, Any]:
    return {f.name: getattr(one, f.name) for f in fields(one) if getattr(one, f.name) != f.default}


def _parse_source(data: dict[str, Any]) -> Source:
    lists = {"fields": data.get("fields", FIELDS), "references": data.get("references", ())}
    return Source(**data | {name: tuple(values) for name, values in lists.items()})


def save_recipe(recipe: Recipe, path: Path) -> None:
    """Write the recipe as JSON that `load_recipe` reads back equal."""
    text = json.dumps(asdict(recipe), indent=2, ensure_ascii=False)
    write_whole(path, text + "\n")
