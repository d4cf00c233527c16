"""What a recipe says of distillation: the teacher, the loss, the student, the gate. Pure.

A part of trainer/recipe.py's recipe, under the name `distil`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from trainer.fields import RecipeError, described, fitting

BASE = "base"  # as a teacher: the base alone
DIVERGENCES = ("forward", "reverse", "skew")
IMPORTANCES = ("loss", "cosine")


@dataclass(frozen=True)
class Distil:
    """What a run learns of a teacher's probabilities, what its student is, and what it must reach.
    All of it is idle without a teacher."""

    teacher: str = described(
        "whose probabilities are learnt beside the answers: present for the adapter that readers"
        " have, base for the base alone, an adapter's or a model's folder; empty: nobody's", "",
    )  # fmt: skip
    alpha: float = described("weight of what the teacher says: α of α·T²·KL + β·CE", 0.8)
    beta: float = described("weight of the answer itself: β", 0.2)
    temperature: float = described("T: what both sides' logits are divided by", 2.0)
    divergence: str = described(
        "forward: KL(teacher ‖ student); reverse: KL(student ‖ teacher); skew: KL(teacher ‖ a mix"
        " of both)", "forward", DIVERGENCES,
    )  # fmt: skip
    skew: float = described("the teacher's share of that mix", 0.1)
    top: int = described(
        "tokens of the teacher's that are known one by one; the rest is one class", 64
    )
    cached: bool = described(
        "ask the teacher once and keep its answers on disk; otherwise at every step", True
    )
    layers_out: int = described("layers that are taken out of the student, the least important", 0)
    importance: str = described(
        "what a layer is worth: how far the dev loss rises without it, or how far its output turns"
        " from its input", "loss", IMPORTANCES,
    )  # fmt: skip
    cut_vocabulary: bool = described(
        "keep only the tokens that the task can use, in the student's embedding and head; for words"
        " alone, as sentences may need any",
        False,
    )
    drop: float = described(
        "an evaluation that scores worse than the best by this share sends the run back to it", 0.05
    )
    least_low: float = described(
        "what the interval of the kept share must not go below at its lower end", 0.88
    )

    def __post_init__(self) -> None:
        checks = {
            "alpha": self.alpha >= 0,
            "beta": self.beta >= 0 and self.alpha + self.beta > 0,
            "temperature": 0 < self.temperature <= 100,
            "skew": 0 <= self.skew < 1,
            "top": 0 < self.top <= 4096,
            "layers_out": self.layers_out >= 0 and (bool(self.teacher) or not self.layers_out),
            "cut_vocabulary": bool(self.teacher) or not self.cut_vocabulary,
            "drop": 0 <= self.drop < 1,
            "least_low": 0 <= self.least_low <= 1,
        }
        for one in fields(self):
            value, choices = getattr(self, one.name), one.metadata["choices"]
            if not checks.get(one.name, True) or (choices and value not in choices):
                raise RecipeError(f"distil.{one.name} = {value!r}: {one.metadata['help']}")

    @property
    def is_cut(self) -> bool:
        """Whether the student is a model of its own, cut from the teacher."""
        return bool(self.layers_out or self.cut_vocabulary)


def parse_distil(data: Any) -> Distil:
    """The part of a recipe that plain JSON data states; RecipeError names a field that does not
    fit."""
    if not isinstance(data, dict):
        raise RecipeError(f"distil = {data!r}: fields and their values are needed")
    unknown = set(data) - {f.name for f in fields(Distil)}
    if unknown:
        raise RecipeError(f"no such field: distil.{', '.join(sorted(map(str, unknown)))}")
    return Distil(**{name: fitting(Distil, name, value) for name, value in data.items()})
