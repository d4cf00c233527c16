"""A model from nothing as a folder that transformers loads by itself: LlamaForCausalLM and
AutoTokenizer, with trust_remote_code=False and equal logits. Weights are renamed, nothing more.

That class reads a prompt causally. A model that sees its prefix both ways is another function: its
folder says so (`"prefix": "both"`), the app reads it, but `generate` would give other texts, so it
is written only for those who ask for it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import LlamaConfig, PreTrainedTokenizerFast

from engine.catalogue import HOME_FOLDER, STAGE
from engine.checking import CARD
from engine.files import sync_folder
from engine.translator import TAGGED, WEIGHTS, Translator, read_translator
from trainer.fields import RecipeError
from trainer.scratch.config import ModelConfig
from trainer.scratch.folder import check_translates
from trainer.scratch.model import Translator as Model
from trainer.scratch.tokenizer import END, FILL, HOLES, PAD, UNKNOWN, Codec, tag_of

_CAUSAL = (
    "this model sees its prefix both ways, and Llama's class sees it causally: other programs would"
    " get other texts. Train one with model.causal_prefix, or export it for this app alone with"
    " --both-ways"
)


def export(
    model: Model, codec: Codec, card: Mapping[str, Any], folder: Path, both_ways: bool = False
) -> Translator:
    """Write the model into a new folder, whole or not at all. `card` names its pair, and whatever
    else people should know. RecipeError where it sees its prefix both ways and that was not asked
    for, or there is something at `folder`."""
    check_translates(card)
    if not model.config.causal_prefix and not both_ways:
        raise RecipeError(_CAUSAL)
    if folder.exists():
        raise RecipeError(f"{folder} is there already")
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".new-{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        to_config(model.config, codec).save_pretrained(fresh)
        to_tokenizer(codec, str(card["pair"]), model.config).save_pretrained(fresh)
        weights = {f"model.{name}": one.contiguous() for name, one in model.state_dict().items()}
        save_file(weights, fresh / WEIGHTS, metadata={"format": "pt"})
        text = json.dumps(to_card(card), indent=2, ensure_ascii=False)
        (fresh / CARD).write_text(text + "\n", encoding="utf-8")
        read_translator(fresh)  # what would be refused later is refused here
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return read_translator(folder)


def install(
    model: Model, codec: Codec, card: Mapping[str, Any], home: Path, both_ways: bool = False
) -> Translator:
    """Write the model among the adapters of a home, where it can be evaluated, compared and
    promoted as kept:VERSION; refused as by `export`."""
    (home / HOME_FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=STAGE, dir=home / HOME_FOLDER) as stage:
        made = export(model, codec, card, Path(stage) / "model", both_ways)
        place = home / HOME_FOLDER / f"{made.card.pair}-{made.card.task}" / made.version
        if not place.exists():
            place.parent.mkdir(mode=0o700, exist_ok=True)
            made.folder.rename(place)
            sync_folder(place.parent)
    return read_translator(place)


def to_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """The model's card as cards of adapters are: each text that it learnt from with its licence."""
    shared = {name: card.get(name, "") for name in ("origin", "licence")}
    data = [
        {"name": one["file"], "rows": one["lines"], "sha256": one["sha256"], **shared}
        for one in card.get("data", ())
    ]
    told = {"task": "translation", "style": TAGGED, "base": "", "data": data}
    return {**card, **told}


def to_config(config: ModelConfig, codec: Codec) -> LlamaConfig:
    """The shape in Llama's words."""
    found = LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=config.vocabulary,
        hidden_size=config.width,
        intermediate_size=config.ffn,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads,
        head_dim=config.head_width,
        max_position_embeddings=config.positions,
        rms_norm_eps=config.norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=True,
        dtype="float32",
        pad_token_id=codec.pad,
        bos_token_id=None,
        eos_token_id=codec.end,
    )
    found.update({"prefix": "causal" if config.causal_prefix else "both"})  # what the app reads
    return found


def to_tokenizer(codec: Codec, pair: str, config: ModelConfig) -> PreTrainedTokenizerFast:
    """The tokenizer as transformers has it; what is no text is left out of decoded texts."""
    tags = [tag_of(language) for language in pair.split("-")]
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(codec.tokenizer.to_str()),  # a copy: it is added to
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        additional_special_tokens=[FILL, *tags, *(f"<hole_{n}>" for n in range(HOLES))],
        model_max_length=config.positions,
        clean_up_tokenization_spaces=False,
    )
