"""Linear layers whose weights are laid out once as the CPU's matrix products want them.

Plain ones are laid out anew at every call, which takes as long as a small product itself. For
inference on a CPU only; any other model stays as it is.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import PreTrainedModel

_ROWS = 16  # tokens of a typical call; the layout is right for any number


class PackedLinear(nn.Module):
    """y = x Wᵀ, bit for bit what `linear` gives; holds its own copy of the weight."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _ROWS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, self._weight, None, "none", [], "")


def pack(model: PreTrainedModel) -> PreTrainedModel:
    """The same model with its body's linear layers packed, where that helps: bfloat16 on a CPU
    that multiplies it. The head stays, as parts of it are read by row."""
    if not _helps(model):
        return model
    head = model.get_output_embeddings()
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear and child.bias is None and child is not head:
                setattr(parent, name, PackedLinear(child))
    return model


def _helps(model: PreTrainedModel) -> bool:
    on_cpu = model.device.type == "cpu" and model.dtype == torch.bfloat16
    onednn = torch.backends.mkldnn.is_available()
    return on_cpu and onednn and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
