"""Before a run: what it will be, whether it can fit, and rows as the model sees them.

Memory and time are estimates from the counts below, measured on the embedded base; a run says
itself how much it takes. Loads a tokenizer, never a model.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import psutil
from huggingface_hub import snapshot_download
from transformers import AutoConfig, PreTrainedTokenizerBase

from db.store import Store
from engine.models import embedded_folder, load_tokenizer
from engine.settings import Settings
from trainer.jobs.frozen import place
from trainer.order import Order
from trainer.recipe import FULL, MATRICES, Recipe, RecipeError, on_base
from trainer.rows import Pack, pieces
from trainer.run import make_order, start_folder
from trainer.splits import Splits, load_splits
from trainer.tasks import task_of

_PROGRAM_GB = 0.9  # python, torch and the rows
_CHECKPOINTS = 4  # states kept at a time, and the one being written
_ROW_BYTES = 20_000  # an example with its tokens
_SAMPLED = 200  # packs whose length stands for all


@dataclass(frozen=True)
class Plan:
    """What a run will be. Memory is of the whole process at its peak; `seconds` is None where
    nothing was measured on such a machine; `refusal` names why it cannot be run, with `detail`."""

    rows: int
    sentences: int
    tokens: int
    steps: int
    parameters: int
    memory_gb: float
    free_gb: float
    seconds: float | None
    refusal: str
    detail: str


@dataclass(frozen=True)
class Shown:
    """A row as the model sees it: its tokens, and which of them count in the loss."""

    tokens: tuple[str, ...]
    counts: tuple[bool, ...]


@dataclass(frozen=True)
class Shape:
    """What of a base decides how large a run is."""

    layers: int
    width: int
    inner: int
    queries: int
    keys: int
    vocabulary: int

    @property
    def body(self) -> int:
        """Parameters of the layers."""
        return self.layers * sum(a * b for a, b in self.matrices().values())

    @property
    def whole(self) -> int:
        return self.body + self.vocabulary * self.width

    def matrices(self) -> dict[str, tuple[int, int]]:
        """The linear layers of one block, by name: inputs and outputs."""
        return {
            "q_proj": (self.width, self.queries), "k_proj": (self.width, self.keys),
            "v_proj": (self.width, self.keys), "o_proj": (self.queries, self.width),
            "gate_proj": (self.width, self.inner), "up_proj": (self.width, self.inner),
            "down_proj": (self.inner, self.width),
        }  # fmt: skip

    def trained(self, recipe: Recipe) -> int:
        """Parameters that the recipe trains."""
        if recipe.matrices == FULL:
            return self.whole
        named = MATRICES[recipe.matrices]
        chosen = self.matrices().items()
        return self.layers * sum(
            recipe.rank * (a + b)
            for name, (a, b) in chosen
            if isinstance(named, str) or name in named
        )


def read_shape(folder: Path) -> Shape:
    """The shape that a base's config states."""
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    config = getattr(config, "text_config", config)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Shape(
        config.num_hidden_layers, config.hidden_size, config.intermediate_size,
        head * config.num_attention_heads, head * config.num_key_value_heads, config.vocab_size,
    )  # fmt: skip


def plan(recipe: Recipe, folder: Path, settings: Settings, store: Store) -> Plan:
    """What a job of this recipe will be; RecipeError or Refused where it cannot be one. Paths are
    relative to `folder`."""
    splits, _ = load_splits(place(recipe, store, settings.home)[0], folder, settings)
    if not recipe.start.endswith(".json"):
        start_folder(recipe, folder, settings)
    settings = on_base(recipe, settings)
    return estimate(recipe, splits, settings, base_folder(settings))


def preview(
    recipe: Recipe, folder: Path, settings: Settings, store: Store, count: int = 10
) -> tuple[Shown, ...]:
    """The first rows of a job's first epoch as the model sees them."""
    splits, _ = load_splits(place(recipe, store, settings.home)[0], folder, settings)
    return show_rows(recipe, splits, base_folder(on_base(recipe, settings)), count)


def base_folder(settings: Settings) -> Path:
    """Where the base's config and tokenizer are; BaseError where it is not here."""
    if settings.base == "embedded":
        return embedded_folder(settings.home)
    folder = Path(settings.base).expanduser()
    if folder.is_dir():
        return folder
    return Path(snapshot_download(settings.base, allow_patterns="*.json"))


def estimate(recipe: Recipe, splits: Splits, settings: Settings, base: Path) -> Plan:
    """What the recipe's run on these examples will be, on the base in the folder `base`.
    RecipeError where there is nothing to train on."""
    prompt = task_of(recipe).prompt(load_tokenizer(str(base)), recipe)
    order = make_order(recipe, splits["train"], prompt)
    shape = whole = read_shape(base)
    if recipe.distil.layers_out >= shape.layers:
        raise RecipeError(f"distil.layers_out: the base has {shape.layers} layers")
    shape = replace(shape, layers=shape.layers - recipe.distil.layers_out)
    longest, mean = _lengths(order, recipe.tokens_at_once)
    trained = shape.trained(recipe)
    loaded = sum(map(len, splits.values()))
    memory = memory_gb(recipe, shape, longest, loaded, quantised=recipe.quantised)
    memory += 2 * whole.whole / 1e9 if recipe.distil.teacher else 0  # it stays beside the student
    free = psutil.virtual_memory().available / 1e9
    disk = _CHECKPOINTS * trained * 12 / 1e9
    room = shutil.disk_usage(settings.home).free / 1e9
    refusal = "memory" if memory > free else "disk" if disk > room else ""
    detail = {
        "memory": f"{memory:.1f} GB are needed and {free:.1f} GB are free",
        "disk": f"{disk:.1f} GB are needed for checkpoints and {room:.1f} GB are free",
    }.get(refusal, "")
    batches = order.steps * recipe.accumulation
    return Plan(
        order.rows, len({pack.prefix for pack in order.packs_of(0)}), round(mean * batches),
        order.steps, trained, round(memory, 2), round(free, 2),
        _seconds(recipe, shape, mean * batches, settings), refusal, detail,
    )  # fmt: skip


def _lengths(order: Order, most: int) -> tuple[int, float]:
    """Tokens, padded, of the largest piece that goes through the model at once, and of an average
    batch."""
    batches = list(islice(order.batches_of(0), _SAMPLED))
    cut = [[max(map(len, p)) * len(p) for p in pieces(batch, most)] for batch in batches]
    return max(map(max, cut)), sum(map(sum, cut)) / len(cut)


def memory_gb(
    recipe: Recipe, shape: Shape, tokens: int, rows: int = 0, quantised: bool = False
) -> float:
    """What a run takes at its peak with this many tokens in a batch and rows in all, in GB."""
    full = recipe.matrices == FULL
    bytes_each = 4 if full else 2
    base: float = shape.vocabulary * shape.width * bytes_each
    base += shape.body * (0.6 if quantised else bytes_each)
    states = shape.trained(recipe) * (12 if full else 16)  # gradient, two moments; LoRA's weights
    kept = tokens * (shape.width * 8 + shape.inner * 4 + 2 * shape.queries) * 4
    activations = kept * (shape.layers * (0.15 if recipe.checkpointing else 1.0) + 2)
    answers = 64 * min(shape.vocabulary, 40_000) * 4 * 6
    # An evaluation merges a copy and lays it out once more; the head's chosen rows are a copy, too.
    copied = 40_000 * shape.width * 4 + (0 if full or quantised else shape.body * 4)
    parts = base + states + activations + answers + copied + rows * _ROW_BYTES
    return _PROGRAM_GB + parts / 1e9


# Multiply-adds a second of a core in training, as seen on two AVX-512 cores.
_PER_CORE = {"bfloat16": 3.0e10, "float32": 1.2e10}


def _seconds(recipe: Recipe, shape: Shape, tokens: float, settings: Settings) -> float | None:
    """About how long the steps take on a CPU; None on other devices."""
    if settings.device not in ("auto", "cpu"):
        return None
    from engine.models import choose

    choice = choose(settings)
    if choice.device != "cpu":
        return None
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    work: float = tokens * shape.body * (3 if recipe.matrices == FULL else 2.2)
    speed: float = cores * _PER_CORE.get(choice.dtype_name, 1e10)
    return work / speed * (1.4 if recipe.quantised else 1.0) * (1.3 if recipe.checkpointing else 1)


def show_rows(recipe: Recipe, splits: Splits, base: Path, count: int) -> tuple[Shown, ...]:
    """The first rows of an epoch as the model sees them."""
    tokenizer = load_tokenizer(str(base))
    prompt = task_of(recipe).prompt(tokenizer, recipe)
    order = make_order(recipe, splits["train"], prompt)
    rows = (
        _shown(tokenizer, pack, number)
        for batch in order.batches_of(0)
        for pack in batch
        for number in range(len(pack.rows))
    )
    return tuple(islice(rows, count))


def _shown(tokenizer: PreTrainedTokenizerBase, pack: Pack, number: int) -> Shown:
    row = pack.rows[number]
    asked = (*pack.prefix, *row.question)
    tokens = [str(tokenizer.decode([token])) for token in (*asked, *row.answer)]
    counts = [False] * len(asked) + [weight > 0 for weight in row.weights]
    return Shown(tuple(tokens), tuple(counts))
