"""A model's folder: `config.json`, `model.safetensors`, `tokenizer.json`, and `card.json`, which
says what it was trained on and what it scored. Written whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.files import sync_folder
from trainer.scratch.config import ModelConfig, load_config, save_config
from trainer.scratch.errors import ScratchError
from trainer.scratch.model import Translator, for_writing
from trainer.scratch.tokenizer import Codec, load_codec

WEIGHTS, CARD = "model.safetensors", "card.json"


@dataclass(frozen=True)
class Model:
    """A loaded model with its tokenizer and card."""

    net: Translator
    codec: Codec
    card: Mapping[str, Any]


def save_model(folder: Path, net: Translator, codec: Codec, card: Mapping[str, Any]) -> None:
    """Write the model in place of what is at `folder`."""
    fresh = folder.with_name(f"{folder.name}.new{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    weights = {name: one.detach().cpu().contiguous() for name, one in net.named_parameters()}
    save_file(weights, str(fresh / WEIGHTS))
    save_config(net.config, fresh)
    codec.save(fresh)
    write_card(fresh, card)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    sync_folder(folder.parent)


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    text = json.dumps(card, indent=2, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def load_model(folder: Path) -> Model:
    """The model in a folder, ready to write; ScratchError where it is not whole."""
    net = Translator(load_config(folder))
    load_weights(net, folder)
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScratchError("not_whole", f"{folder} has no card: {error}") from error
    return Model(for_writing(net), load_codec(folder), card)


def check_translates(card: Mapping[str, Any]) -> None:
    """ScratchError where a model of this card has not learnt to translate."""
    if card.get("phase") == "pretrain":
        told = "this model was only pre-trained: it does not translate yet"
        raise ScratchError("only_pretrained", told)


def load_weights(net: Translator, folder: Path) -> None:
    """Give the net a folder's weights; ScratchError where they are another shape's."""
    differ = net.config.differences(load_config(folder))
    if differ:
        raise ScratchError("other_config", f"{folder} is of another config: {'; '.join(differ)}")
    try:
        weights = load_file(str(folder / WEIGHTS))
        net.load_state_dict(weights, strict=True)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ScratchError("not_whole", f"{folder / WEIGHTS} is not whole: {error}") from error


def start_from(net: Translator, codec: Codec, folder: Path) -> None:
    """Go on from another run's weights; ScratchError where its config or tokenizer differ."""
    load_weights(net, folder)
    if load_codec(folder).tokenizer.to_str() != codec.tokenizer.to_str():
        told = f"{folder} has another tokenizer: its tokens mean something else"
        raise ScratchError("other_tokenizer", told)


def new_net(config: ModelConfig, seed: int) -> Translator:
    """A net of random weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Translator(config)
