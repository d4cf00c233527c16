"""Adapters over a base: load a checked folder, give readers a merged copy.

A merged copy holds its own body matrices and shares the base's embedding; the base itself is
never written to. What a folder must be to get here: engine.checking.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from engine.checking import Adapter, AdapterError, BaseShape, check_fits
from engine.lean import lean
from engine.models import Base, find_base
from engine.settings import Settings


def lean_copy(base: Base) -> PreTrainedModel:
    """The base alone with a lean body where that helps: what is laid out anew is a copy, all else
    is the base's own."""
    weights = {id(one): one for one in (*base.model.parameters(), *base.model.buffers())}
    return lean(copy.deepcopy(base.model, weights))


def merged_copy(base: Base, adapter: Adapter) -> PreTrainedModel:
    """A model with the adapter's weights merged in and a lean body; embedding and head stay the
    base's own."""
    return lean(merged(base, adapter))


def merged(base: Base, adapter: Adapter) -> PreTrainedModel:
    """The same with the library's own body."""
    shared = {
        id(parameter): parameter
        for embedding in (base.model.get_input_embeddings(), base.model.get_output_embeddings())
        for parameter in embedding.parameters()
    }
    tuned = open_adapter(copy.deepcopy(base.model, shared), adapter, base, "default")
    with torch.no_grad():
        return tuned.merge_and_unload().eval().requires_grad_(False)  # type: ignore[return-value]


def open_adapter(
    model: PreTrainedModel | PeftModel, adapter: Adapter, base: Base, name: str
) -> PeftModel:
    """`model`, a copy of the base's or one that has adapters already, with this adapter under
    `name`; AdapterError where it does not fit. Not merged: the model can take more beside it."""
    check_fits(adapter, BaseShape(base.name, base.revision, linear_sizes(base.model)))
    options: dict[str, Any] = {"torch_device": base.choice.device, "use_safetensors": True}
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            if not isinstance(model, PeftModel):
                return PeftModel.from_pretrained(
                    model, adapter.folder, adapter_name=name, **options
                )
            model.load_adapter(adapter.folder, name, **options)
            return model
    except (ValueError, RuntimeError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise AdapterError(
            f"{adapter.folder} does not fit {base.name}: {reason}", "shapes"
        ) from error


def linear_sizes(model: nn.Module) -> dict[str, tuple[int, int]]:
    """Rows and columns of a model's linear layers by name."""
    return {
        name: (module.out_features, module.in_features)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    }


def base_shape(settings: Settings) -> BaseShape:
    """What an adapter has to fit for the base that the settings name; its weights are not read.
    BaseError where there is no such base."""
    source, name, revision = find_base(settings)
    config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    revision = revision or str(getattr(config, "_commit_hash", None) or "unknown")[:12]
    return BaseShape(name, revision, linear_sizes(model))
