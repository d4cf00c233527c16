"""What comes into each of a model's matrices while it answers training rows: how loud each channel
is. Rows of train alone: what is scored must not be seen here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from transformers import PreTrainedModel

from engine.branches import Runner
from engine.decoding import SenseDecoder
from engine.lean import LeanBody
from engine.matrices import Matrix, pack
from trainer.evaluate import evaluate
from trainer.examples import Example

CALIBRATION_ROWS = 48
_HIGHEST = 127  # of a byte


def loudness(
    model: PreTrainedModel, decoder: SenseDecoder, examples: Sequence[Example]
) -> dict[str, torch.Tensor]:
    """By place the highest input of each channel, in float32. `model` has the library's body;
    `decoder` says how it is asked."""
    loudest: dict[str, torch.Tensor] = {}

    def hold(place: str, weight: torch.Tensor) -> Matrix:
        product = pack(weight)

        def listening(x: torch.Tensor) -> torch.Tensor:
            high = x.abs().amax(0).float()
            loudest[place] = torch.maximum(loudest[place], high) if place in loudest else high
            return product(x)

        return listening

    body = model.model
    try:
        model.model = LeanBody(body, hold)
        runner, d = Runner(model), decoder
        evaluate(SenseDecoder(runner, d.prompt, d.books, d.threshold, d.favour), examples)
    finally:
        model.model = body
    return {place: high.clone() for place, high in loudest.items()}  # none of inference mode's


def input_scales(loudest: Mapping[str, torch.Tensor]) -> dict[str, float]:
    """By place the scale under which the loudest input is the highest byte."""
    return {place: float(high.max()) / _HIGHEST for place, high in loudest.items()}
