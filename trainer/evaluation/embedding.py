"""Token vectors of a text: the hidden states of one layer of a base, less what all texts share. The
embedding score of translations matches them; it is not comparable with published BERTScores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from engine.models import Base
from trainer.evaluation.texts import Vectors

_DEPTH = 2 / 3  # of the layers: what is above turns towards the next token
_MOST_TOKENS = 512
# Their mean is taken off: without that, tokens of any two texts look alike to within 5 %.
_SENTENCES = (
    "今天下午我们在河边散步，看见了几只鸟。",
    "他昨天把报告交给了经理，可是没有得到回答。",
    "这座城市的历史很长，很多人从外地来参观。",
    "如果你有时间，请帮我把这封信寄出去。",
    "She opened the window because the room was too warm.",
    "The committee will decide next week whether to build the bridge.",
    "Nobody knows how long the repairs are going to take.",
    "I have never seen such a beautiful garden.",
)


def lower_part(base: Base, depth: float = _DEPTH) -> Base:
    """The same base without the layers above those that `base_vectors` looks at: less memory, the
    same vectors. It can write nothing any more."""
    decoder: Any = base.model.get_decoder()
    decoder.layers = decoder.layers[: kept_layers(base.model.config.num_hidden_layers, depth)]
    return base


def kept_layers(layers: int, depth: float = _DEPTH) -> int:
    """How many of so many layers `lower_part` leaves."""
    return min(layers, _layer(layers, depth) + 1)


def base_vectors(base: Base, depth: float = _DEPTH) -> Vectors:
    """A text → (tokens, width), of the layer at this share of the base's depth. The first token,
    which only marks a beginning and is alike in all texts, is left out."""
    layer = _layer(base.model.config.num_hidden_layers, depth)

    decoder: Any = base.model.get_decoder()

    def states(text: str) -> torch.Tensor:
        tokens = base.tokenizer(text, return_tensors="pt", truncation=True, max_length=_MOST_TOKENS)
        ids = tokens["input_ids"].to(base.model.device)
        if ids.shape[1] < 2:  # no token at all where the base marks no beginning
            return torch.zeros(0, base.model.config.hidden_size)
        with torch.inference_mode(), _lowered(decoder, layer + 1):
            found = decoder(ids, output_hidden_states=True).hidden_states
        return found[layer][0, 1:].float().cpu()

    middle = torch.cat([states(sentence) for sentence in _SENTENCES]).mean(0)
    return lambda text: states(text) - middle


@contextmanager
def _lowered(decoder: Any, count: int) -> Iterator[None]:
    """The decoder with its lowest layers alone. Of those one is above the layer that is looked at:
    behind the last, states are scaled."""
    whole = decoder.layers
    decoder.layers = whole[:count]
    try:
        yield
    finally:
        decoder.layers = whole


def _layer(layers: int, depth: float) -> int:
    return max(1, round(layers * depth))
