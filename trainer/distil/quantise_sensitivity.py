"""How much of a model's hidden states each matrix costs when it alone is shrunk, and a form that
leaves the dearest as they are. Dev rows alone; which rows judge a form is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from transformers import PreTrainedModel

from engine.forms import Form, FormError
from engine.lean import LeanBody, Part
from engine.matrices import WAYS, Matrix, pack
from engine.prompt import SensePrompt
from engine.views import views
from trainer.examples import Example

SENTENCES = 24


def costs(
    model: PreTrainedModel,
    form: Form,
    prompt: SensePrompt,
    examples: Sequence[Example],
    look: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """By place, the relative error of the last hidden states when that matrix alone is in the
    form's way: the mean over sentences. `model` has the library's body; `look` may raise between
    two matrices. FormError where the way cannot be tried like this."""
    way = WAYS[form.body]
    if way.calibrated:
        raise FormError("form_unfit", f"{way.name} needs scales: it is not tried matrix by matrix")
    plain: dict[str, Matrix] = {}
    small: dict[str, Matrix] = {}
    chosen: set[str] = set()

    def hold(place: str, weight: torch.Tensor) -> Matrix:
        plain[place], small[place] = pack(weight), way.lay_out(way.shrink(weight))
        return lambda x: (small if place in chosen else plain)[place](x)

    body = LeanBody(model.model, hold)
    asked = [_tokens(prompt, e) for e in examples[:SENTENCES]]
    with torch.inference_mode():
        exact = [_states(body, ids) for ids in asked]
        found = {}
        for place in plain:
            look()
            chosen.add(place)
            errors = [_error(_states(body, ids), states) for ids, states in zip(asked, exact)]
            found[place] = sum(errors) / len(errors)
            chosen.clear()
    return found


def mixed(form: Form, found: Mapping[str, float], count: int) -> Form:
    """The form with the `count` dearest matrices in bfloat16."""
    dearest = sorted(found, key=found.__getitem__, reverse=True)[:count]
    return replace(form, plain=tuple(sorted(dearest)))


def _tokens(prompt: SensePrompt, example: Example) -> list[int]:
    query = example.query
    view = next(v for v in views(query.context, query.pair) if query.position in v.asked)
    question = prompt.question(view.words, query.position - view.offset, ())
    return [*prompt.prefix(view.text), *question]


def _states(body: Any, ids: list[int]) -> torch.Tensor:
    count = len(ids)
    part = Part(torch.ones(count, count, dtype=torch.bool).tril(), body.cache())
    return body(torch.tensor(ids), torch.arange(count), [part]).float()


def _error(states: torch.Tensor, exact: torch.Tensor) -> float:
    return float((states - exact).norm() / exact.norm())
