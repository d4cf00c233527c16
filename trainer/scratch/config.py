"""What a model from nothing is: its sizes, how it sees its prefix, and presets of 5 M to 150 M.

Pure; saved as `config.json` beside the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from trainer.fields import RecipeError, described, fitting

FILE = "config.json"


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a decoder-only model that reads a prefix and writes what follows."""

    vocabulary: int = described("tokens, those that are no text among them", 8000)
    width: int = described("numbers of a token's hidden state", 256)
    layers: int = described("blocks of attention and feed-forward", 4)
    heads: int = described("attention heads; width is a multiple of them", 4)
    kv_heads: int = described("heads of keys and values, each shared by heads / kv_heads", 2)
    ffn: int = described("width of the feed-forward layers (SwiGLU)", 704)
    dropout: float = described("of embeddings and of what each layer adds, in training", 0.1)
    positions: int = described("tokens of the longest sequence, prefix and answer", 512)
    rope_theta: float = described("base of the rotary positions' wavelengths", 10_000.0)
    norm_eps: float = described("what RMSNorm adds below its root", 1e-6)
    causal_prefix: bool = described(
        "whether a token of the prefix sees only those before it; otherwise it sees all of them",
        True,
    )

    def __post_init__(self) -> None:
        checks = {
            "vocabulary": self.vocabulary > 0,
            "width": self.width > 0 and self.width % max(1, self.heads) == 0,
            "layers": 0 < self.layers <= 200,
            "heads": self.heads > 0 and (self.width // self.heads) % 2 == 0,
            "kv_heads": self.kv_heads > 0 and self.heads % self.kv_heads == 0,
            "ffn": self.ffn > 0,
            "dropout": 0 <= self.dropout < 1,
            "positions": self.positions > 1,
            "rope_theta": self.rope_theta > 0,
            "norm_eps": self.norm_eps > 0,
        }
        for one in fields(self):
            if not checks.get(one.name, True):
                value = getattr(self, one.name)
                raise RecipeError(f"model.{one.name} = {value!r}: {one.metadata['help']}")

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    def parameters(self) -> int:
        """Parameters of the model; embedding and head are one matrix and count once."""
        attention = 2 * self.width * self.head_width * (self.heads + self.kv_heads)
        block = attention + 3 * self.width * self.ffn + 2 * self.width
        return self.vocabulary * self.width + self.layers * block + self.width

    def differences(self, other: ModelConfig) -> list[str]:
        """The fields in which another model's weights would not fit, each with both values; dropout
        is in no weight."""
        names = (one.name for one in fields(self) if one.name != "dropout")
        return [
            f"{name} {getattr(other, name)!r}, not {getattr(self, name)!r}"
            for name in names
            if getattr(self, name) != getattr(other, name)
        ]


PRESETS = {
    "5M": ModelConfig(),
    "10M": ModelConfig(width=320, layers=7, heads=5, kv_heads=1, ffn=896),
    "20M": ModelConfig(vocabulary=12_000, width=384, layers=9, heads=6, kv_heads=2, ffn=1024),
    "60M": ModelConfig(
        vocabulary=16_000, width=640, layers=12, heads=10, kv_heads=2, ffn=1728, positions=1024
    ),
    "150M": ModelConfig(
        vocabulary=32_000, width=896, layers=15, heads=14, kv_heads=2, ffn=2432, positions=1024
    ),
}


def parse_config(data: Any) -> ModelConfig:
    """The config that plain JSON data states; RecipeError names a field that does not fit."""
    if not isinstance(data, Mapping):
        raise RecipeError(f"model = {data!r}: fields and their values are needed")
    unknown = set(data) - {one.name for one in fields(ModelConfig)}
    if unknown:
        raise RecipeError(f"no such field: model.{', '.join(sorted(map(str, unknown)))}")
    return ModelConfig(**{name: fitting(ModelConfig, name, value) for name, value in data.items()})


def save_config(config: ModelConfig, folder: Path) -> None:
    """Write the config into a model's folder."""
    (folder / FILE).write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")


def load_config(folder: Path) -> ModelConfig:
    """The config in a model's folder; RecipeError where there is none."""
    try:
        return parse_config(json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{folder} holds no model from nothing: {error}") from error
