"""Quantisation-aware training: the merged model's matrices are trained while each is multiplied as
its form will hold it, in the loop that trains everything else here. Short: it mends a model, it
does not make one. The embedding and the norms stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from engine.adapters import merged
from engine.checking import read_adapter
from engine.forms import Form, FormError
from engine.matrices import WAYS, values_of
from engine.models import load_base
from engine.settings import Settings
from trainer.examples import Example
from trainer.recipe import FULL, Recipe, Source
from trainer.run import make_order
from trainer.splits import Splits
from trainer.tasks import task_of
from trainer.training import fit

_GROUPS = {"qkv": ("q_proj", "k_proj", "v_proj"), "out": ("o_proj",),
           "gate_up": ("gate_proj", "up_proj"), "down": ("down_proj",)}  # fmt: skip

Report = Callable[[dict[str, Any]], None]


class _AsHeld(nn.Module):
    """A weight as its form holds it; its gradient goes to the weight itself, as if nothing had been
    rounded."""

    def __init__(self, shrink: Callable[[torch.Tensor], dict[str, torch.Tensor]]):
        super().__init__()
        self._shrink = shrink

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            difference = values_of(self._shrink(weight.bfloat16())) - weight
        return weight + difference


# Small steps: what is trained is every weight of a model that is trained already.
RECIPE = Recipe(
    name="aware",
    sources=(Source("en-zh-gold", "en-zh-gold", "dataset"),),
    matrices=FULL, rate=2e-5, steps=60, epochs=1.0, evaluate_every=30, dev_rows=100, guard_rows=0,
)  # fmt: skip


def recipe_for(examples: Sequence[Example], pair: str) -> Recipe:
    """RECIPE for examples of whatever datasets these are of."""
    names = sorted({example.source for example in examples})
    return replace(RECIPE, pair=pair, sources=tuple(Source(n, n, "dataset") for n in names))


def train_aware(
    adapter: Path | None,
    form: Form,
    splits: Splits,
    folder: Path,
    settings: Settings,
    report: Report,
    recipe: Recipe = RECIPE,
    stopped: Callable[[], bool] = lambda: False,
) -> Any | None:
    """The base with the adapter merged and trained on as `form` will hold it, ready to be shrunk to
    that form; None when stopped. Goes on from the folder's checkpoint. FormError where the form's
    numbers cannot be stood in for."""
    _check(form)
    base = load_base(settings)
    task = task_of(recipe)
    prompt = task.prompt(base.tokenizer, recipe)
    model = merged(base, read_adapter(adapter)) if adapter else base.model
    order = make_order(recipe, splits["train"], prompt)
    watch = task.watch(recipe, splits["dev"], prompt, adapter, base.choice.dtype)
    candidates = task.candidates(recipe, prompt, len(base.tokenizer), order.packs_of(0))
    del base
    with as_held(model, form):
        done = fit(model, recipe, order, watch, candidates, folder, report, stopped, torch.bfloat16)
    whole: Any = model  # transformers wraps `to` without its types
    return whole.to(torch.bfloat16).eval().requires_grad_(False) if done else None


@contextmanager
def as_held(model: nn.Module, form: Form) -> Iterator[None]:
    """Within it, the model's matrices are trained in float32, and multiplied as the form will hold
    them; all else is frozen. FormError where the form is of no bytes or nibbles."""
    _check(form)
    shrink = WAYS[form.body].shrink
    model.requires_grad_(False)
    found = list(_linears(model, form))
    for linear in found:
        linear.weight = nn.Parameter(linear.weight.detach().float())
        parametrize.register_parametrization(linear, "weight", _AsHeld(shrink))
    try:
        yield
    finally:
        for linear in found:
            original = linear.parametrizations.weight.original.detach().clone()
            parametrize.remove_parametrizations(linear, "weight", leave_parametrized=False)
            linear.weight = nn.Parameter(original, requires_grad=False)


def _check(form: Form) -> None:
    """FormError where the form's numbers cannot be stood in for."""
    if "scale" not in WAYS[form.body].shrink(torch.ones(4, 64)) or form.body == "nf4":
        raise FormError("form_unfit", f"{form.name} cannot be trained for: only bytes and nibbles")


def _linears(model: Any, form: Form) -> Iterator[Any]:
    """The linear layers that the form does not leave as they are."""
    for number, layer in enumerate(model.model.layers):
        parts = {**dict(layer.self_attn.named_children()), **dict(layer.mlp.named_children())}
        for group, names in _GROUPS.items():
            if form.way_of(f"{number}.{group}") == form.body:
                yield from (parts[name] for name in names)
