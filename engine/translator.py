"""A translator: a folder with a whole small model that translates a pair and has no base under it.

Hostile until checked, as adapter folders are: Llama's plain class and nothing else, safetensors
only, known files, tensors of just the names and shapes that its config states. Pure: no torch, so
that screens may list translators while nothing is loaded.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.checking import CARD, LARGEST_TEXT, AdapterError, Card, check_name, read_card
from engine.header import Stored, read_header

WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
TAGGED = "tagged"  # its card's style: languages are tokens of their own, see engine.translation
FILES = (WEIGHTS, CONFIG, TOKENIZER, TOKENIZER_CONFIG)
LARGEST_WEIGHTS = 1 << 30  # bytes
_LARGEST_TOKENIZER = 32 << 20
_COUNTS = {
    "vocab_size": 1 << 20, "hidden_size": 8192, "intermediate_size": 32_768,
    "num_hidden_layers": 96, "num_attention_heads": 128, "num_key_value_heads": 128,
    "head_dim": 512, "max_position_embeddings": 1 << 20,
}  # fmt: skip


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
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        tokenizer = json.loads((folder / TOKENIZER_CONFIG).read_text(encoding="utf-8"))
        plain = _is_plain(config, tokenizer)
        card = read_card(folder / CARD)
        stored = read_header(folder / WEIGHTS)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AdapterError(f"{folder} cannot be read: {error}") from error
    if not plain:
        raise AdapterError(f"{folder} is not a plain model of Llama's class", "not_plain")
    if (card.task, card.style) != ("translation", TAGGED):
        raise AdapterError(f"{folder}: its card does not say that it translates", "no_card")
    _check_tensors(folder, config, stored)
    digest = hashlib.sha256()
    for name in (*FILES, CARD):
        digest.update((folder / name).read_bytes())
    size = (folder / WEIGHTS).stat().st_size
    return Translator(folder, card, digest.hexdigest()[:12], size, _count(stored))


def _check_sizes(folder: Path) -> None:
    for name in (*FILES, CARD):
        most = {WEIGHTS: LARGEST_WEIGHTS, TOKENIZER: _LARGEST_TOKENIZER}.get(name, LARGEST_TEXT)
        if (folder / name).stat().st_size > most:
            raise AdapterError(f"{folder / name} is larger than {most >> 20} MB", "too_large")


def _is_plain(config: dict[str, Any], tokenizer: dict[str, Any]) -> bool:
    """Llama's class and a tokenizer that is its file, with sizes that are sane; nothing that loads
    code or changes how weights are read."""
    return (
        (config["model_type"], config["architectures"]) == ("llama", ["LlamaForCausalLM"])
        and not config.get("auto_map")
        and not config.get("quantization_config")
        and config.get("prefix", "causal") in ("causal", "both")
        and config["tie_word_embeddings"] is True
        and all(type(config[n]) is int and 0 < config[n] <= most for n, most in _COUNTS.items())
        and tokenizer["tokenizer_class"] in ("TokenizersBackend", "PreTrainedTokenizerFast")
        and not tokenizer.get("auto_map")
    )


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
