"""A translator: a folder with a whole small model that translates a pair and has no base under it.

Hostile until checked, as adapter folders are: Llama's plain class and nothing else, safetensors
only, known files, a config and a tokenizer that say what this app's own do and nothing more
(`engine.plain`), tensors of just the names and shapes that the config states. Pure: no torch, so
that screens may list translators while nothing is loaded.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.checking import CARD, LARGEST_TEXT, AdapterError, Card, check_name, read_card
from engine.header import Stored, once, read_header
from engine.plain import is_plain, reads_tagged

WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
TAGGED = "tagged"  # its card's style: languages are tokens of their own, see engine.translation
FILES = (WEIGHTS, CONFIG, TOKENIZER, TOKENIZER_CONFIG)
LARGEST_WEIGHTS = 1 << 30  # bytes
LARGEST_TOKENIZER = 32 << 20


@dataclass(frozen=True)
class Translator:
    """A checked translator. `version` changes with whatever its folder holds; `bytes` are those of
    its weights, on disk."""

    folder: Path
    card: Card
    version: str
    bytes: int
    parameters: int

    @property
    def needs(self) -> int:
        """Bytes in memory, at most: its weights in float32."""
        return 4 * self.parameters


def is_translator(folder: Path) -> bool:
    """Whether the folder says that it holds one."""
    return (folder / WEIGHTS).is_file() and (folder / CONFIG).is_file()


def read_translator(folder: Path) -> Translator:
    """The translator in `folder`; AdapterError says why it is refused."""
    for name in (*FILES, CARD):
        if not (folder / name).is_file():
            raise AdapterError(f"{folder} is no translator: it has no {name}", "not_an_adapter")
    for file in folder.iterdir():
        check_name(file.name, str(folder))
    _check_sizes(folder)
    try:
        config, told = _read(folder / CONFIG), _read(folder / TOKENIZER_CONFIG)
        plain = is_plain(config, told)
        card = read_card(folder / CARD)
        tagged = plain and reads_tagged(_read(folder / TOKENIZER), told, config, card.pair)
        stored = read_header(folder / WEIGHTS)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AdapterError(f"{folder} cannot be read: {error}") from error
    if not plain:
        raise AdapterError(f"{folder} is not a plain model of Llama's class", "not_plain")
    if not tagged:
        raise AdapterError(f"{folder}: its tokenizer is none for {card.pair}", "not_plain")
    if (card.task, card.style) != ("translation", TAGGED):
        raise AdapterError(f"{folder}: its card does not say that it translates", "no_card")
    if card.base:
        raise AdapterError(f"{folder}: its card names a base; a translator has none", "wrong_base")
    _check_tensors(folder, config, stored)
    digest = hashlib.sha256()
    for name in (*FILES, CARD):
        digest.update((folder / name).read_bytes())
    size = (folder / WEIGHTS).stat().st_size
    return Translator(folder, card, digest.hexdigest()[:12], size, _count(stored))


def _check_sizes(folder: Path) -> None:
    for name in (*FILES, CARD):
        most = {WEIGHTS: LARGEST_WEIGHTS, TOKENIZER: LARGEST_TOKENIZER}.get(name, LARGEST_TEXT)
        if (folder / name).stat().st_size > most:
            raise AdapterError(f"{folder / name} is larger than {most >> 20} MB", "too_large")


def _read(file: Path) -> dict[str, Any]:
    """What a JSON file says; ValueError where a name in it stands twice: two readers might take it
    differently."""
    found = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=once)
    if not isinstance(found, dict):
        raise ValueError(f"{file.name} is no object")
    return found


def _check_tensors(folder: Path, config: dict[str, Any], stored: dict[str, Stored]) -> None:
    """AdapterError where the weights are not just those of the config."""
    wanted = _shapes(config)
    if stored.keys() != wanted.keys():
        odd = sorted(stored.keys() ^ wanted.keys())[0]
        raise AdapterError(f"{folder}: {odd!r:.100} is missing, or too much", "keys")
    for name, shape in wanted.items():
        if stored[name].shape != shape:
            raise AdapterError(
                f"{folder}: {name} is {stored[name].shape}, its config says {shape}", "shapes"
            )


def _shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Every tensor of such a model with its shape."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    queries = config["num_attention_heads"] * config["head_dim"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    found: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config["vocab_size"], width), "model.norm.weight": (width,),
    }  # fmt: skip
    for number in range(config["num_hidden_layers"]):
        layer = f"model.layers.{number}"
        found |= {
            f"{layer}.input_layernorm.weight": (width,),
            f"{layer}.post_attention_layernorm.weight": (width,),
            f"{layer}.self_attn.q_proj.weight": (queries, width),
            f"{layer}.self_attn.k_proj.weight": (keys, width),
            f"{layer}.self_attn.v_proj.weight": (keys, width),
            f"{layer}.self_attn.o_proj.weight": (width, queries),
            f"{layer}.mlp.gate_proj.weight": (inner, width),
            f"{layer}.mlp.up_proj.weight": (inner, width),
            f"{layer}.mlp.down_proj.weight": (width, inner),
        }
    return found


def _count(stored: dict[str, Stored]) -> int:
    total = 0
    for one in stored.values():
        product = 1
        for side in one.shape:
            product *= side
        total += product
    return total
