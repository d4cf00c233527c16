"""A model from nothing made on the spot: random weights, a tokenizer of letters and a few words."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch

from engine.translator import Translator
from trainer.scratch.config import ModelConfig
from trainer.scratch.export import export
from trainer.scratch.model import Translator as Model
from trainer.scratch.tokenizer import Codec, of_pieces, reserved

LINES = (
    "Ein Mann fährt mit dem Fahrrad durch die Stadt.", "A man rides his bicycle through the city.",
    "Zwei Hunde spielen am Wasser.", "Two dogs play by the water.",
    "Die Frau liest ein Buch im Garten.", "The woman reads a book in the garden.",
)  # fmt: skip
LANGUAGES = ("de", "en")
PIECES = (
    *" abcdefghijklmnopqrstuvwxyz.",
    " Mann",
    " man",
    " Hunde",
    " dogs",
    " die",
    " the",
    " book",
)
TINY = ModelConfig(
    vocabulary=len(reserved(LANGUAGES)) + len(PIECES), width=32, layers=2, heads=4, kv_heads=2,
    ffn=48, positions=64, dropout=0.0,
)  # fmt: skip


@cache
def tiny_codec() -> Codec:
    return Codec(of_pieces([(piece, -3.0) for piece in PIECES], LANGUAGES))


def tiny_scratch(seed: int = 0, **changes: Any) -> Model:
    """Weights large enough that no token is all but sure, and none all but alike."""
    torch.manual_seed(seed)
    model = Model(replace(TINY, **changes)).eval().requires_grad_(False)
    for one in model.parameters():
        one.mul_(2.0)
    if model.config.vocabulary == TINY.vocabulary:  # bytes and holes, of which no text would come
        model.embed_tokens.weight[: len(reserved(LANGUAGES))] *= 0.1
    return model


def tiny_translator(folder: Path, seed: int = 0, pair: str = "de-en", **changes: Any) -> Translator:
    """The same as a folder that the app serves, with room for whole sentences."""
    changes = {"positions": 256, **changes}
    card = {"name": f"tiny-{seed}", "pair": pair}
    both = changes.get("causal_prefix") is False
    return export(tiny_scratch(seed, **changes), tiny_codec(), card, folder, both)
