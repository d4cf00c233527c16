"""What of a base decides how large a run on it is: read from its config, no weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transformers import AutoConfig

from trainer.recipe import FULL, MATRICES, Recipe


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
