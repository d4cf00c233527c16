"""A student that is a model of its own: its teacher with layers and tokens taken out.

`student.json` beside its weights says what it is made from, and suffices to make it again from the
same base and adapter: so a small file and an adapter are all that has to be shipped. Its folder
loads like any base (CTX_BASE). `python -m trainer student student.json DIR` makes one again.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from engine.files import sync_folder
from engine.models import Base
from trainer.distil.teacher import Teacher
from trainer.distil.vocabulary import as_tokenizer, cut
from trainer.recipe import RecipeError

FOLDER, FILE = "student", "student.json"
_VERSION = 1


@dataclass(frozen=True)
class Cut:
    """What a student is: the base it is from, as name@revision, the version of the adapter that was
    merged in ("": none), the layers that stay of so many, and the ids that stay, ascending (():
    all of them)."""

    base: str
    adapter: str
    of_layers: int
    layers: tuple[int, ...]
    tokens: tuple[int, ...] = ()


def save_cut(cut_: Cut, file: Path) -> None:
    """Write a cut as JSON, ids as runs of neighbours."""
    data = vars(cut_) | {"version": _VERSION, "tokens": _runs(cut_.tokens)}
    file.write_text(json.dumps(data) + "\n", encoding="utf-8")


def read_cut(file: Path) -> Cut:
    """The cut in a file; RecipeError where it states none."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data.pop("version") != _VERSION:
            raise ValueError("another version")
        tokens = [i for first, count in data.pop("tokens") for i in range(first, first + count)]
        layers = tuple(map(int, data.pop("layers")))
        return Cut(**data, layers=layers, tokens=tuple(tokens))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecipeError(f"{file} states no student: {error}") from error


def _runs(ids: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for i in ids:
        if runs and i == sum(runs[-1]):
            runs[-1][1] += 1
        else:
            runs.append([i, 1])
    return runs


def build(cut_: Cut, teacher: Teacher, folder: Path) -> Path:
    """Make the student in `folder`, whole or not at all; the folder. RecipeError where the teacher
    is not the one that the cut is of."""
    if (cut_.base, cut_.adapter) != (teacher.plain, teacher.adapter):
        raise RecipeError(
            f"the student is made from {cut_.base} with adapter {cut_.adapter or 'none'}, not from"
            f" {teacher.plain} with {teacher.adapter or 'none'}"
        )
    fresh = folder.with_name(f"{folder.name}.new{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        _write(cut_, teacher.base, fresh)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _write(cut_: Cut, base: Base, folder: Path) -> None:
    tokenizer = base.tokenizer
    if cut_.tokens:
        smaller = cut(tokenizer, cut_.tokens)
        if smaller.kept != cut_.tokens:
            raise RecipeError("the student's tokens are not whole: some are merged from others")
        tokenizer = as_tokenizer(smaller.text, tokenizer)
    model: Any = smaller_model(base.model, cut_.layers, cut_.tokens)
    # In the same numbers wherever it is made, whatever this machine computes in.
    model.to(torch.bfloat16).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    save_cut(cut_, folder / FILE)


@torch.no_grad()
def smaller_model(
    model: PreTrainedModel, layers: Sequence[int], tokens: Sequence[int]
) -> PreTrainedModel:
    """A model with these layers and these rows of embedding and head alone; (): all rows. It
    shares what it keeps whole with `model`."""
    config: Any = copy.deepcopy(model.config)
    config.num_hidden_layers = len(layers)
    if getattr(config, "layer_types", None):
        config.layer_types = [config.layer_types[n] for n in layers]
    if tokens:
        config.vocab_size = len(tokens)
        place = {token: number for number, token in enumerate(tokens)}
        for name in ("pad_token_id", "bos_token_id", "eos_token_id", "unk_token_id"):
            setattr(config, name, _placed(getattr(config, name, None), place))
    state = _chosen(model, layers, torch.tensor(tokens) if tokens else None)
    made: Any = type(model)(config)  # not on "meta": some buffers are in no state
    made.load_state_dict(state, strict=True, assign=True)
    made.tie_weights()
    made.generation_config = type(made.generation_config).from_model_config(config)
    return made.eval()


def _placed(token: Any, place: dict[int, int]) -> Any:
    if isinstance(token, list):
        return [place[one] for one in token if one in place]
    return place.get(token) if token is not None else None


def _chosen(
    model: PreTrainedModel, layers: Sequence[int], tokens: torch.Tensor | None
) -> dict[str, torch.Tensor]:
    """The weights that stay, under their new names."""
    whole: Any = model
    stem = next(n for n, m in model.named_modules() if m is whole.get_decoder().layers)
    wide = {id(one.weight) for one in (whole.get_input_embeddings(), whole.get_output_embeddings())}
    rows = {name for name, p in model.named_parameters(remove_duplicate=False) if id(p) in wide}
    place = {old: new for new, old in enumerate(layers)}
    state = {}
    for name, tensor in model.state_dict().items():
        if name.startswith(f"{stem}."):
            number, _, rest = name.removeprefix(f"{stem}.").partition(".")
            if int(number) in place:
                state[f"{stem}.{place[int(number)]}.{rest}"] = tensor
        elif name in rows and tokens is not None:
            state[name] = tensor[tokens].contiguous()
        else:
            state[name] = tensor
    return state


def bytes_of(model: PreTrainedModel, size: int = 2) -> int:
    """Bytes of a model's parameters in numbers of so many bytes; what is tied counts once."""
    return size * sum(one.numel() for one in model.parameters())
