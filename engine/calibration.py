"""How sure an answer is: from a product of token probabilities to how often it is right. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

SURE, LIKELY = 0.7, 0.4  # calibrated probability of being right from which a level begins


@dataclass(frozen=True)
class Calibration:
    """Platt scaling: sigmoid(slope · logit(p) + shift), fitted on dev data."""

    slope: float = 1.0
    shift: float = 0.0

    def apply(self, probability: float) -> float:
        """The calibrated probability, 0 to 1."""
        p = min(max(probability, 1e-6), 1 - 1e-6)
        return 1 / (1 + math.exp(-(self.slope * math.log(p / (1 - p)) + self.shift)))

    @staticmethod
    def level(confidence: float) -> str:
        """sure, likely or unsure, for a calibrated confidence."""
        return "sure" if confidence >= SURE else "likely" if confidence >= LIKELY else "unsure"
