"""A byte-pair tokenizer learnt on the spot, with bytes to fall back on, and a tiny model for it."""

from __future__ import annotations

import json
from functools import cache

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers
from transformers import PreTrainedTokenizerFast

from engine.models import Base, Choice
from engine.sense import CLASSES
from tests.tiny import HAN, tiny_model

TEXT = [
    " Tom saw Ann in bed\n", " call back: verb|打电话|回电话\n", " the cat sat on the mat\n",
    " they were seeing the bedroom\n", " Bob and Sue saw the dog\n", " we have seen him sawing\n",
]  # fmt: skip
BYTES = [f"<0x{number:02X}>" for number in range(256)]


@cache
def _learnt() -> str:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()
    ])  # fmt: skip
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=["<pad>", "<eos>", "<bos>", "<unk>"],
        initial_alphabet=[*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ▁\n|:.,'", *HAN],
        max_token_length=8,
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT * 3, trainer)
    data = json.loads(tokenizer.to_str())
    vocabulary = data["model"]["vocab"]
    for token in BYTES:
        vocabulary[token] = len(vocabulary)
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.add_tokens([AddedToken(f"▁{name}", normalized=True) for name in CLASSES])
    return tokenizer.to_str()


def bpe_tokenizer() -> PreTrainedTokenizerFast:
    """Learnt merges, bytes, and class names as whole tokens."""
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_learnt()),
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
    )


def bpe_base() -> Base:
    """A tiny model of this tokenizer as a loaded base."""
    mine = bpe_tokenizer()
    model = tiny_model(len(mine)).requires_grad_(False)
    return Base(model, mine, "tiny", "0", Choice("cpu", torch.float32, "a test"))
