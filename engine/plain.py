"""What a translator's config and tokenizer may say: what this app's own exports do, and no more.

All else must be empty: a config can name code or kernels to fetch, weights that no file has,
another way to read positions; a tokenizer can hold an expression that takes for ever. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

# A word or one other sign, each with the blank before it.
CUT = r" ?[\p{L}\p{M}]+| ?\p{N}| ?[^\s\p{L}\p{M}\p{N}]|\s"
_COUNTS = {
    "vocab_size": 1 << 20, "hidden_size": 8192, "intermediate_size": 32_768,
    "num_hidden_layers": 96, "num_attention_heads": 128, "num_key_value_heads": 128,
    "head_dim": 512, "max_position_embeddings": 1 << 20,
}  # fmt: skip
_ONLY: dict[str, Any] = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "tie_word_embeddings": True,
    "hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "attention_dropout": 0.0,
    "pretraining_tp": 1, "use_cache": True, "bos_token_id": None,
}  # fmt: skip
_NEEDED = ("model_type", "architectures", "tie_word_embeddings")
_FREE = frozenset(
    {"dtype", "torch_dtype", "initializer_range", "transformers_version"}
)  # of no use
_CHECKED = frozenset({
    *_COUNTS, *_ONLY, *_FREE, "prefix", "rms_norm_eps", "rope_parameters", "eos_token_id",
    "pad_token_id",
})  # fmt: skip
_TOLD = frozenset({
    "backend", "clean_up_tokenization_spaces", "eos_token", "extra_special_tokens",
    "model_max_length", "pad_token", "tokenizer_class", "unk_token",
})  # fmt: skip
_CLASSES = ("TokenizersBackend", "PreTrainedTokenizerFast")
_AROUND: dict[str, Any] = {
    "truncation": None,
    "padding": None,
    "normalizer": {"type": "Prepend", "prepend": " "},
    "pre_tokenizer": {
        "type": "Split", "pattern": {"Regex": CUT}, "behavior": "Isolated", "invert": False,
    },
    "decoder": {"type": "Sequence", "decoders": [
        {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ]},
}  # fmt: skip


def is_plain(config: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Whether a config is of Llama's plain class with sizes that are sane, and what is told of the
    tokenizer (`tokenizer_config.json`) is that it is its file. KeyError where a size is missing."""
    return (
        all(name in config for name in _NEEDED)
        and all(config.get(name, only) == only for name, only in _ONLY.items())
        and all(type(config[n]) is int and 0 < config[n] <= most for n, most in _COUNTS.items())
        and config["num_attention_heads"] % config["num_key_value_heads"] == 0
        and config.get("prefix", "causal") in ("causal", "both")
        and _is_number(config["rms_norm_eps"], 1.0)
        and _turns(config["rope_parameters"])
        and not any(value for name, value in config.items() if name not in _CHECKED)
        and told["tokenizer_class"] in _CLASSES
        and not any(value for name, value in told.items() if name not in _TOLD)
    )


def _turns(rope: Any) -> bool:
    """Whether positions are turned as usual."""
    return (
        isinstance(rope, dict)
        and set(rope) == {"rope_type", "rope_theta"}
        and rope["rope_type"] == "default"
        and _is_number(rope["rope_theta"], 1e9)
    )


def reads_tagged(
    tokenizer: Mapping[str, Any], told: Mapping[str, Any], config: Mapping[str, Any], pair: str
) -> bool:
    """Whether a tokenizer cuts texts as this app's do, has a token for each language of the pair
    and for the end, and none that the model has no row for."""
    model, cut = tokenizer["model"], tokenizer.get("post_processor") or {}
    vocabulary = [_piece(one) for one in model["vocab"]]
    known = {piece: number for number, piece in enumerate(vocabulary)}
    return (
        all(tokenizer.get(name) == only for name, only in _AROUND.items())
        and set(tokenizer) <= {"version", "added_tokens", "post_processor", "model", *_AROUND}
        and not cut.get("special_tokens")
        and cut.get("type", "TemplateProcessing") == "TemplateProcessing"
        and set(model) == {"type", "unk_id", "vocab", "byte_fallback"}
        and (model["type"], model["byte_fallback"]) == ("Unigram", True)
        and len(known) == len(vocabulary) <= config["vocab_size"]
        and _is_place(model["unk_id"], vocabulary)
        and all(known.get(one["content"]) == one["id"] for one in tokenizer["added_tokens"])
        and all(f"<{language}>" in known for language in pair.split("-"))
        and all(
            known[told[f"{name}_token"]] == config[f"{name}_token_id"] for name in ("eos", "pad")
        )
    )


def _piece(one: Any) -> str:
    """A piece of a vocabulary; ValueError where it is none."""
    piece, score = one
    if not isinstance(piece, str) or not (type(score) in (int, float) and math.isfinite(score)):
        raise ValueError(f"{one!r:.80} is no piece with a score")
    return piece


def _is_place(value: Any, of: list[str]) -> bool:
    return type(value) is int and 0 <= value < len(of)


def _is_number(value: Any, most: float) -> bool:
    return type(value) in (int, float) and 0 < value <= most
