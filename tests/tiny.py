"""A model and a tokenizer made on the spot: random weights, characters as tokens. No download."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)
from transformers.models.gemma3.modeling_gemma3 import Gemma3RotaryEmbedding

from engine.models import Base, Choice
from engine.prompt import SensePrompt
from engine.sense import CLASSES

HAN = "打回电话睡觉上床人狗的了…在"
LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Class names and pairs of Han as whole tokens, all else by character; a blank is `▁`."""
    pieces = ["<pad>", "<bos>", "<unk>", *(f"▁{name}" for name in CLASSES), "睡觉", "电话"]
    pieces += ["▁", "\n", "|", ":", *HAN, *LATIN, *".,;!?'’-[]\"()"]
    tokenizer = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, [], unk_token="<unk>"))
    tokenizer.add_tokens([f"▁{name}" for name in CLASSES] + ["睡觉", "电话"])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex("."), "isolated")]
    )
    from tokenizers import normalizers

    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<bos>", pad_token="<pad>", unk_token="<unk>"
    )
    return fast


def tiny_model(vocabulary: int, seed: int = 0) -> LlamaForCausalLM:
    """Two layers of random float32 weights."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        initializer_range=0.5,
    )
    return LlamaForCausalLM(config).eval()


def tiny_gemma(heads: int = 4, shared: int = 1, vocabulary: int = 100) -> Gemma3ForCausalLM:
    """Six layers of random bfloat16 weights, as the embedded base has them."""
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=6,
        num_attention_heads=heads,
        num_key_value_heads=shared,
        head_dim=32,
        sliding_window=16,
        initializer_range=0.5,
    )
    model = Gemma3ForCausalLM(config).eval().to(torch.bfloat16)
    for name, weight in model.named_parameters():
        if "norm" in name:  # zero in a new model
            torch.nn.init.normal_(weight, std=0.5)
    model.model.rotary_emb = Gemma3RotaryEmbedding(config)  # in float32, as a loaded model has it
    return model


def tiny_base(tokenizer: PreTrainedTokenizerFast | None = None, revision: str = "0") -> Base:
    """The tiny model as a loaded base."""
    mine = tokenizer or tiny_tokenizer()
    model = tiny_model(len(mine)).requires_grad_(False)
    return Base(model, mine, "tiny", revision, Choice("cpu", torch.float32, "a test"))


def tiny_folder(folder: Path) -> Path:
    """The tiny model saved in a folder that CTX_BASE can name."""
    base = tiny_base()
    base.model.save_pretrained(str(folder))
    base.tokenizer.save_pretrained(str(folder))
    return folder


def tiny_prompt(style: str = "last") -> SensePrompt:
    return SensePrompt(tiny_tokenizer(), style)
