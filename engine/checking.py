"""An adapter folder, hostile until checked: its card, its config and the header of its weights.

Safetensors only, known files, a sane size, plain LoRA on named matrices, known keys and shapes, and
the base that it was made for; all of it before a tensor is read. Pure: no torch, so that screens
may list adapters while nothing is loaded.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.header import Stored, read_header
from engine.names import is_translated
from engine.script import is_written

WEIGHTS, CONFIG, CARD = "adapter_model.safetensors", "adapter_config.json", "card.json"
LARGEST_WEIGHTS = 512 << 20  # bytes
LARGEST_TEXT = 1 << 20  # bytes of any other file
CODE = frozenset({
    ".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".py", ".pyc",
    ".pyd", ".so", ".dll", ".dylib", ".exe", ".sh", ".bat", ".cmd", ".ps1", ".js", ".jar", ".whl",
})  # fmt: skip
TASKS = ("sense", "translation")
# The prompt styles that readers' engine speaks, by task, the usual one first.
STYLES = {
    "sense": ("last", "neighbours", "marked", "hinted"), "translation": ("short", "long"),
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9_.]+")  # of a matrix, never an expression
_PAIR = re.compile(r"[a-z]{2,3}-[a-z]{2,3}")
_KEY = re.compile(
    r"base_model\.model\.([A-Za-z0-9_.]+)\.(lora_A\.weight|lora_B\.weight|lora_magnitude_vector)"
)
_MOST_RANK, _LONGEST = 1024, 200
# What a config may say beside what is checked one by one. All else must be empty: it would change
# the base itself, read files or run code (layer_replication, init_lora_weights="pissa",
# megatron_config, patterns that are expressions, …).
_FREE = frozenset({
    "peft_type", "peft_version", "task_type", "base_model_name_or_path", "revision",
    "inference_mode", "r", "lora_alpha", "lora_dropout", "target_modules", "use_rslora",
    "use_dora", "init_lora_weights", "bias",
})  # fmt: skip
_IDLE = {"megatron_core": "megatron.core", "qalora_group_size": 16}  # of no use by themselves


class AdapterError(RuntimeError):
    """An adapter folder that is refused. `reason` is one word for a program: not_an_adapter, code,
    too_large, unreadable, not_plain, keys, shapes, wrong_base, link, path, no_card, hub, kept."""

    code = "adapter"

    def __init__(self, text: str, reason: str = "unreadable"):
        self.reason = reason
        super().__init__(text)


@dataclass(frozen=True)
class Card:
    """What an adapter says of itself: what it answers, how, from what it was made, and how far to
    rely on it."""

    name: str
    pair: str = "en-zh"
    task: str = "sense"
    style: str = "last"
    base: str = ""  # name@revision
    phrase_threshold: float = 0.5  # least vote of its members for a phrase to be shown
    phrase_favour: float = 0.0  # what a phrase of the book has in advance
    calibration: tuple[float, float] = (1.0, 0.0)  # slope and shift of confidence
    scores: dict[str, Any] = field(default_factory=dict)
    data: tuple[dict[str, Any], ...] = ()  # each source's name, origin, licence, rows, sha256
    licence: str = ""  # of the weights
    made: str = ""  # a day, ISO


@dataclass(frozen=True)
class Adapter:
    """A checked adapter folder. `version` changes with its weights, its card and its config;
    `bytes` are those of its weights; `matrices` what it adds to: rows and columns by name."""

    folder: Path
    card: Card
    version: str
    bytes: int = 0
    rank: int = 0
    matrices: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    targets: tuple[str, ...] = ()

    @property
    def needs(self) -> int:
        """Bytes in memory: its matrices in float32, as they are used."""
        return 4 * self.rank * sum(map(sum, self.matrices.values()))


@dataclass(frozen=True)
class BaseShape:
    """What an adapter has to fit: the base's name and revision, and its linear layers."""

    name: str
    revision: str
    matrices: Mapping[str, tuple[int, int]]


def read_adapter(folder: Path) -> Adapter:
    """The adapter in `folder`; AdapterError says why it is refused."""
    weights, config, card_file = folder / WEIGHTS, folder / CONFIG, folder / CARD
    if not weights.is_file() or not config.is_file():
        raise AdapterError(
            f"{folder} is no adapter: {WEIGHTS} and {CONFIG} are needed", "not_an_adapter"
        )
    for file in folder.iterdir():
        check_name(file.name, str(folder))
    for file, most in (
        (weights, LARGEST_WEIGHTS),
        (config, LARGEST_TEXT),
        (card_file, LARGEST_TEXT),
    ):
        if file.is_file() and file.stat().st_size > most:
            raise AdapterError(f"{file} is larger than {most >> 20} MB", "too_large")
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
        plain = _is_plain(settings)
        card = read_card(card_file)
        _check_asked(card)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise AdapterError(f"{folder}: {CONFIG} or {CARD} cannot be read: {error}") from error
    if not plain:
        raise AdapterError(f"{folder} is not a plain LoRA adapter", "not_plain")
    try:
        stored = read_header(weights)
    except ValueError as error:
        raise AdapterError(f"{weights} cannot be read: {error}") from error
    matrices = _matrices(folder, settings, stored)
    digest = hashlib.sha256()
    for file in (weights, config, card_file):
        if file.is_file():
            digest.update(file.read_bytes())
    return Adapter(
        folder, card, digest.hexdigest()[:12], weights.stat().st_size, settings.get("r", 8),
        matrices, tuple(settings["target_modules"]),
    )  # fmt: skip


def check_name(name: str, where: str) -> None:
    """AdapterError where a file of this name holds code or pickled weights."""
    if Path(name.lower()).suffix in CODE:
        raise AdapterError(
            f"{where} holds pickled weights or code ({name[:80]}); only safetensors is loaded",
            "code",
        )


def _is_plain(settings: dict[str, Any]) -> bool:
    """LoRA on named matrices: no regular expressions, no modules saved whole, no other method, and
    nothing that would touch more than these matrices."""
    targets = settings["target_modules"]
    rank, alpha = settings.get("r", 8), settings.get("lora_alpha", 8)
    dropout = settings.get("lora_dropout", 0.0)
    return (
        settings["peft_type"] == "LORA"
        and isinstance(targets, list)
        and 0 < len(targets) <= 64
        and all(isinstance(t, str) and _NAME.fullmatch(t) for t in targets)
        and type(rank) is int
        and 0 < rank <= _MOST_RANK
        and _is_number(alpha)
        and _is_number(dropout)
        and settings.get("bias", "none") == "none"
        and settings.get("init_lora_weights", True) in (True, False, "gaussian")
        and isinstance(settings.get("use_rslora", False), bool)
        and isinstance(settings.get("use_dora", False), bool)
        and all(
            not value or value == _IDLE.get(key)
            for key, value in settings.items()
            if key not in _FREE
        )
    )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= 65_536


def _matrices(
    folder: Path, settings: dict[str, Any], stored: Mapping[str, Stored]
) -> dict[str, tuple[int, int]]:
    """Rows and columns of each matrix that the weights add to; AdapterError where keys or shapes
    are not those of the config."""
    parts: dict[str, dict[str, tuple[int, ...]]] = {}
    for key, tensor in stored.items():
        found = _KEY.fullmatch(key)
        if found is None or not _is_target(found[1], settings["target_modules"]):
            raise AdapterError(f"{folder} holds {key!r:.100}, which no LoRA adapter has", "keys")
        parts.setdefault(found[1], {})[found[2].partition(".")[0]] = tensor.shape
    names = {"lora_A", "lora_B"} | (
        {"lora_magnitude_vector"} if settings.get("use_dora") else set()
    )
    if not parts or any(set(of) != names for of in parts.values()):
        raise AdapterError(f"{folder}: some matrix has not just {', '.join(sorted(names))}", "keys")
    matrices, rank = {}, settings.get("r", 8)
    for name, of in parts.items():
        a, b = of["lora_A"], of["lora_B"]
        lengths = of.get("lora_magnitude_vector", b[:1])
        if len(a) != 2 or len(b) != 2 or a[0] != rank or b[1] != rank or lengths != b[:1]:
            raise AdapterError(f"{folder}: {name} has shapes {b} and {a}, rank {rank}", "shapes")
        matrices[name] = (b[0], a[1])
    return matrices


def _is_target(name: str, targets: list[str] | tuple[str, ...]) -> bool:
    return any(name == target or name.endswith(f".{target}") for target in targets)


def check_fits(adapter: Adapter, shape: BaseShape) -> None:
    """AdapterError where the adapter's matrices are not just those that its config names in the
    base, in their sizes."""
    wanted = {n: size for n, size in shape.matrices.items() if _is_target(n, adapter.targets)}
    unknown = sorted(adapter.matrices.keys() - wanted.keys())
    missing = sorted(wanted.keys() - adapter.matrices.keys())
    if unknown or missing:
        what = f"it has no {unknown[0]}" if unknown else f"{missing[0]} is missing"
        raise AdapterError(f"{adapter.folder} does not fit {shape.name}: {what}", "shapes")
    for name, size in adapter.matrices.items():
        if size != wanted[name]:
            raise AdapterError(
                f"{adapter.folder} does not fit {shape.name}: {name} is {wanted[name]} there,"
                f" not {size}",
                "shapes",
            )


def check_base(card: Card, shape: BaseShape) -> None:
    """AdapterError where the card names another base, or another revision of it."""
    if card.base and card.base != f"{shape.name}@{shape.revision}":
        raise AdapterError(
            f"{card.name} was made for {card.base}; the base here is {shape.name}@{shape.revision}",
            "wrong_base",
        )


def read_card(file: Path) -> Card:
    """The card in a JSON file; a folder without one gets its name and the defaults. ValueError or
    TypeError where it says what no card can."""
    if not file.is_file():
        return Card(name=file.parent.name)
    data = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError("a card is an object")
    known = {key: value for key, value in data.items() if key in Card.__dataclass_fields__}
    slope, shift = known.get("calibration", Card.calibration)
    known["calibration"] = (float(slope), float(shift))
    # What is only shown is shown as far as it can be; what is gone by is refused.
    scores, sources = known.get("scores"), known.get("data")
    known["scores"] = scores if isinstance(scores, dict) else {}
    sources = sources if isinstance(sources, list) else []
    known["data"] = tuple(one for one in sources if isinstance(one, dict))
    for text in ("licence", "made"):
        known[text] = str(known.get(text) or "")[:_LONGEST]
    card = Card(**known)
    _check_card(card)
    return card


def _check_asked(card: Card) -> None:
    """ValueError where readers' engine has no words to ask such an adapter in."""
    if card.style not in STYLES[card.task]:
        raise ValueError(
            f"no prompt style {card.style!r:.40} of task {card.task}; there are"
            f" {', '.join(STYLES[card.task])}"
        )
    if not (is_translated if card.task == "translation" else is_written)(card.pair):
        raise ValueError(f"nothing is asked here in {card.pair!r:.40}")


def _check_card(card: Card) -> None:
    """Its pair and task name folders, its name is shown, its style and base are looked up, its
    numbers compared."""
    lines = ((card.name, _LONGEST), (card.style, _LONGEST), (card.base, 2 * _LONGEST))
    for text, most in lines:
        if not isinstance(text, str) or not text.isprintable() or len(text) > most:
            raise ValueError(f"name, style and base are lines of at most {most} characters")
    if not card.name.strip():
        raise ValueError("a card has a name")
    if not isinstance(card.pair, str) or not _PAIR.fullmatch(card.pair) or card.task not in TASKS:
        raise ValueError(f"{card.pair!r:.40} and {card.task!r:.40} are no pair and task")
    for number in (card.phrase_threshold, card.phrase_favour, *card.calibration):
        if not math.isfinite(number):
            raise ValueError(f"{number} is no number to go by")
