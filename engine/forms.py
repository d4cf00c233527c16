"""Forms of a model: its matrices and its embedding held in smaller numbers, in a folder of its own.

A form is made from a base and an adapter that is merged into it, and can be read without either.
`form.json` says what it was made of and how it was judged: one that did not pass is never served.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from engine.files import write_whole
from engine.lean import LeanBody, has_bfloat16, helps
from engine.matrices import WAYS, Matrix
from engine.models import BaseError
from engine.rows import SHRINK, Embedding, Head, Rows, shrink_rows
from engine.rows import WAY as ROWS_WAY
from engine.settings import Settings

VERSION = 2  # grows when the same tensors come to give other answers
FOLDER, TOLD, WEIGHTS = "forms", "form.json", "form.safetensors"
SMOOTH, MIXED, AWARE = "-smooth", "-mixed", "-aware"  # how such forms' names end, in this order
_ROWS, _NORM = "rows", "norm"
UNFIT = "Forms are for Gemma 3 on a processor that multiplies bfloat16."


class FormError(BaseError):
    """A form that cannot be made or must not be served; `code` names the reason."""


@dataclass(frozen=True)
class Form:
    """How a model is held: `body` one of WAYS, `rows` of the embedding one of SHRINK or "" (as they
    are), `plain` the places of matrices that stay in bfloat16. `smooth`: loud channels were
    quietened first; `aware`: the model was trained on for this."""

    body: str
    rows: str = ""
    plain: tuple[str, ...] = ()
    smooth: bool = False
    aware: bool = False

    @property
    def name(self) -> str:
        rows = f"-rows{self.rows.removeprefix('int')}" if self.rows else ""
        said = zip((SMOOTH, MIXED, AWARE), (self.smooth, bool(self.plain), self.aware))
        return f"{self.body}{rows}{''.join(end for end, is_so in said if is_so)}"

    @property
    def told(self) -> dict[str, Any]:
        """The form as plain data, which `Form(**…)` reads back."""
        return {
            "body": self.body, "rows": self.rows, "plain": list(self.plain),
            "smooth": self.smooth, "aware": self.aware,
        }  # fmt: skip

    @property
    def missing(self) -> str:
        """Why it cannot run on this platform; "" where it can."""
        return WAYS[self.body].missing() or (WAYS[ROWS_WAY].missing() if self.rows else "")

    def way_of(self, place: str) -> str:
        return "bf16" if place in self.plain else self.body


def parse_form(name: str) -> Form:
    """The form that a name such as `int8`, `int4-weight-rows8` or `int8-smooth` says, without what
    stands in `plain` and `aware`; FormError where none has it."""
    ends = name.removesuffix(AWARE).removesuffix(MIXED)
    smooth = ends.endswith(SMOOTH)
    body, _, bits = ends.removesuffix(SMOOTH).partition("-rows")
    rows = f"int{bits}" if bits else ""
    if body not in WAYS or (rows and rows not in SHRINK):
        raise FormError(
            "form_unknown",
            f"There is no form {name!r}: {', '.join(WAYS)}, each also with -rows8"
            " or -rows4, and then with -smooth.",
        )
    return Form(body, rows, smooth=smooth)


@dataclass(frozen=True)
class Told:
    """What a form's folder says of it; `gate` is {} where nobody judged it yet. `version`: of the
    products that it was judged with."""

    name: str
    base: str
    adapter: str
    sha256: str
    ways: Mapping[str, Any]
    gate: Mapping[str, Any] = field(default_factory=dict)
    version: int = VERSION

    @property
    def form(self) -> Form:
        return Form(**dict(self.ways) | {"plain": tuple(self.ways["plain"])})


def form_folder(home: Path, adapter: str, name: str) -> Path:
    """Where the form `name` of the adapter of this version lies."""
    return home / FOLDER / adapter / name


def shrink(
    model: PreTrainedModel, form: Form, scales: Mapping[str, float] | None = None
) -> dict[str, torch.Tensor]:
    """All that is stored of a model (its body not a lean one) in this form. `scales`: by place, of
    the inputs, where the way needs them. FormError where the model or the platform cannot."""
    if not helps(model):
        raise FormError("form_unfit", UNFIT)
    if form.missing:
        raise FormError("form_missing_library", f"{form.name}: {form.missing}")
    kept: dict[str, torch.Tensor] = {}

    def hold(place: str, weight: torch.Tensor) -> Matrix:
        way = WAYS[form.way_of(place)]
        for name, tensor in way.shrink(weight).items():
            kept[f"{place}/{name}"] = tensor
        if way.calibrated:
            kept[f"{place}/input_scale"] = torch.tensor((scales or {})[place])
        return lambda x: x

    LeanBody(model.model, hold)
    weight = model.get_output_embeddings().weight.detach()
    rows = shrink_rows(weight, form.rows) if form.rows else {"weight": weight}
    kept |= {f"{_ROWS}/{name}": tensor for name, tensor in rows.items()}
    for name, parameter in model.named_parameters():
        if "norm" in name:
            kept[f"{_NORM}/{name}"] = parameter.detach()
    return {name: tensor.contiguous() for name, tensor in kept.items()}


def build(config: Any, form: Form, tensors: Mapping[str, torch.Tensor]) -> PreTrainedModel:
    """The model that stored tensors make, ready for a Runner."""
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    body = model.model
    body.rotary_emb = type(body.rotary_emb)(config)  # it has buffers, and they are not stored
    model.load_state_dict(_under(tensors, _NORM), strict=False, assign=True)

    def hold(place: str, weight: torch.Tensor) -> Matrix:
        return WAYS[form.way_of(place)].lay_out(_under(tensors, place))

    stored = _under(tensors, _ROWS)
    if form.rows:
        rows = Rows(stored)
        body.embed_tokens, model.lm_head = Embedding(rows, config.hidden_size**0.5), Head(rows)
    else:
        weight = nn.Parameter(stored["weight"], requires_grad=False)
        scaled = body.embed_tokens
        scaled.embed_scale = torch.tensor(scaled.scalar_embed_scale)
        scaled.weight = model.lm_head.weight = weight
    between = torch.float32 if WAYS[form.body].wide else torch.bfloat16
    model.model = LeanBody(body, hold, between)
    return model.eval().requires_grad_(False)


def _under(tensors: Mapping[str, torch.Tensor], part: str) -> dict[str, torch.Tensor]:
    start = f"{part}/"
    return {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}


def save_form(
    folder: Path, config: Any, form: Form, tensors: dict[str, torch.Tensor], base: str, adapter: str
) -> Told:
    """Write a form into a new folder, whole or not at all; what the folder says of it."""
    fresh = folder.with_name(f"{folder.name}.new{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    config.save_pretrained(fresh)
    save_file(tensors, fresh / WEIGHTS)
    told = Told(form.name, base, adapter, _hash(fresh / WEIGHTS), form.told)
    write_told(fresh, told)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return told


def write_told(folder: Path, told: Told) -> None:
    text = json.dumps(vars(told), indent=1, ensure_ascii=False)
    write_whole(folder / TOLD, text + "\n")


def read_told(folder: Path) -> Told:
    """What a folder says of its form; FormError where it holds none."""
    try:
        return Told(**json.loads((folder / TOLD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise FormError("form_missing", f"{folder} holds no form: {error}") from error


def load_form(folder: Path) -> PreTrainedModel:
    """The model in a form's folder, judged or not; FormError where its weights are not those that
    the folder tells of."""
    told = read_told(folder)
    if not has_bfloat16():
        raise FormError("form_unfit", UNFIT)
    if _hash(folder / WEIGHTS) != told.sha256:
        raise FormError("form_changed", f"{folder / WEIGHTS} is not what was judged; make it anew.")
    form = told.form
    if form.missing:
        raise FormError("form_missing_library", f"{form.name}: {form.missing}")
    with safe_open(folder / WEIGHTS, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return build(AutoConfig.from_pretrained(folder, trust_remote_code=False), form, tensors)


def find_form(settings: Settings, base: str, adapter: str) -> Path:
    """The folder of the form that the settings ask for, of this base and adapter; FormError where
    there is none, or it did not pass."""
    name = settings.form
    parse_form(name)  # no other name is a folder's
    folder = form_folder(settings.home, adapter, name)
    if not (folder / TOLD).is_file():
        raise FormError(
            "form_missing",
            f"CTX_FORM={name}: this adapter has no such form yet. Make and judge it:"
            f" python -m trainer quantise setting --ways {name}",
        )
    told = read_told(folder)
    if told.version != VERSION:
        raise FormError("form_missing", f"CTX_FORM={name}: it was judged with an older version.")
    if told.base != base:
        raise FormError("form_missing", f"CTX_FORM={name}: it was made of {told.base}, not {base}.")
    if not told.gate.get("fit"):
        why = told.gate.get("reason") or "it was never judged"
        raise FormError("form_refused", f"CTX_FORM={name} did not pass its gate: {why}.")
    return folder


def _hash(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
