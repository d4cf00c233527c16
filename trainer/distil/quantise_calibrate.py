"""What comes into each of a model's matrices while it answers training rows: the scale that int8
with one scale for all inputs needs. Rows of train alone: what is scored must not be seen here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from engine.branches import Runner
from engine.decoding import SenseDecoder
from engine.lean import LeanBody
from engine.matrices import Matrix, pack
from trainer.evaluate import evaluate
from trainer.examples import Example

SENTENCES = 48
_HIGHEST = 127  # of a byte


def input_scales(
    model: PreTrainedModel, decoder: SenseDecoder, examples: Sequence[Example]
) -> dict[str, float]:
    """By place the scale under which the loudest input is the highest byte. `model` has the
    library's body; `decoder` says how it is asked."""
    loudest: dict[str, float] = {}

    def hold(place: str, weight: torch.Tensor) -> Matrix:
        product = pack(weight)

        def listening(x: torch.Tensor) -> torch.Tensor:
            loudest[place] = max(loudest.get(place, 0.0), float(x.abs().max()))
            return product(x)

        return listening

    body = model.model
    try:
        model.model = LeanBody(body, hold)
        evaluate(
            SenseDecoder(
                Runner(model), decoder.prompt, decoder.books, decoder.threshold, decoder.favour
            ),
            examples,
        )
    finally:
        model.model = body
    return {place: high / _HIGHEST for place, high in loudest.items()}
