"""What the evaluations of a run take of translations: the figures of Evaluate, by its own code, and
whose token vectors their embedding score matches.

The vectors are of the base that Evaluate loads: the run's own, its adapter switched off, where it
is that one with its weights as they were; else that base's lower layers, loaded once beside the
run. Nothing is converted or fetched for a figure: where the base is not here, it is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from peft import PeftModel

from engine.models import Base, BaseError, check_here, load_base
from engine.settings import Settings
from trainer.evaluation.embedding import base_vectors, lower_part
from trainer.evaluation.texts import EMBEDDING, TextRow, Texts, Vectors
from trainer.recipe import FULL, TRANSLATION, Recipe, on_base

_FIGURES = ("chrf", "bleu", "ter", "rouge_1", "rouge_2", "rouge_l", EMBEDDING)

Report = Callable[[dict[str, Any]], None]


def figures_of(
    rows: Sequence[TextRow], pair: str, vectors: Vectors | None = None
) -> dict[str, float]:
    """An evaluation's figures of translations: of their texts, and the milliseconds of one."""
    found = Texts([rows], pair.partition("-")[2], vectors, draws=0).figures(0)
    texts = {name: found[name]["value"] for name in _FIGURES if name in found}
    return texts | {"answer_ms": found["ms"]["value"]}


def is_scored(recipe: Recipe) -> bool:
    """Whether a run's evaluations have an embedding score."""
    return recipe.task == TRANSLATION and recipe.guard_rows > 0


def holds_base(recipe: Recipe, settings: Settings) -> bool:
    """Whether a run has the base that Evaluate loads in memory, its weights as they were."""
    changed = recipe.matrices == FULL or recipe.quantised or recipe.distil.is_cut
    same = on_base(recipe, settings).base == settings.base
    return same and not changed and not recipe.sharded


def own_vectors(model: PeftModel, base: Base) -> Vectors:
    """Those of the base under a model in training, with its adapter switched off."""
    with model.disable_adapter():
        vectors = base_vectors(base)

    def without(text: str) -> Any:
        with model.disable_adapter():
            return vectors(text)

    return without


def load_vectors(settings: Settings, tell: Report) -> Vectors | None:
    """Those of a base that is loaded for them; None where it cannot be had, and why is told."""
    try:
        check_here(settings)
        return base_vectors(lower_part(load_base(settings)))
    except BaseError as error:
        tell({"event": "left_out", "figure": EMBEDDING, "code": error.code, "reason": str(error)})
        return None


def remembered(vectors: Vectors | None, texts: Collection[str]) -> Vectors | None:
    """The same; those of `texts`, the references of every evaluation, are worked out once."""
    if vectors is None:
        return None
    known, take = dict.fromkeys(texts), vectors

    def found(text: str) -> Any:
        if text not in known:
            return take(text)
        if known[text] is None:
            known[text] = take(text)
        return known[text]

    return found
