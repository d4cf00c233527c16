"""Ways to hold a weight matrix: in which numbers, and laid out for which product on a CPU.

A way shrinks a weight to tensors that can be stored, and lays those out for products x Wᵀ. Knows no
model; `engine.forms` says which matrix of a model is held in which way.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch.nn import functional as F

Tensors = Mapping[str, torch.Tensor]
Matrix = Callable[[torch.Tensor], torch.Tensor]
"""x (rows, in) → x Wᵀ (rows, out), both in bfloat16; both may be in float32 where its way is wide,
and for `pack`."""

NF4_BLOCK = 64  # weights that share a scale in NF4
GROUP = 32  # weights of a row that share a scale, in 4 bits
_ROWS = 16  # tokens of a typical call; the layout is right for any number
_MIDDLE = 128  # what 0 is among unsigned bytes: oneDNN has no fast product of signed ones
# float32 rounded to bytes of a given scale and zero, times a packed weight, in one call
_from_float = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32
_LEAST = 1e-8  # of a scale: a row of zeros has none


@dataclass(frozen=True)
class Way:
    """One way. `shrink`: a weight (out, in) → what is stored of it; `missing`: why it cannot run
    on this platform, "" where it can; `calibrated`: its tensors need an `input_scale` as well;
    `wide`: its products are fastest between float32."""

    name: str
    text: str
    shrink: Callable[[torch.Tensor], dict[str, torch.Tensor]]
    lay_out: Callable[[Tensors], Matrix]
    missing: Callable[[], str] = lambda: ""
    calibrated: bool = False
    wide: bool = False


def pack(weight: torch.Tensor) -> Matrix:
    """A bfloat16 weight, laid out once for products of a few rows."""
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), _ROWS)
    product = torch.ops.mkldnn._linear_pointwise
    return lambda x: product(x.bfloat16(), packed, None, "none", [], "").to(x.dtype)


def bytes_of(weight: torch.Tensor) -> dict[str, torch.Tensor]:
    """A weight as signed bytes with a scale for each of its rows."""
    wide = weight.detach().float()
    scale = (wide.abs().amax(1) / 127).clamp_(min=_LEAST)
    whole = (wide / scale[:, None]).round_().clamp_(-127, 127)
    return {"weight": whole.to(torch.int8), "scale": scale}


def nibbles_of(weight: torch.Tensor) -> dict[str, torch.Tensor]:
    """A weight in 4 bits, two to a byte, with a scale and a zero for each GROUP of a row."""
    wide = weight.detach().float().unflatten(1, (-1, GROUP))
    low, high = wide.amin(-1), wide.amax(-1)
    scale = ((high - low) / 15).clamp_(min=_LEAST).bfloat16()
    zero = (low + 8 * scale.float()).bfloat16()  # the value of a nibble of 8
    nibbles = (wide - zero.float()[..., None]) / scale.float()[..., None] + 8
    flat = nibbles.round_().clamp_(0, 15).to(torch.uint8).flatten(1)
    return {"weight": flat[:, ::2] << 4 | flat[:, 1::2], "scale": scale, "zero": zero}


def values_of(tensors: Tensors) -> torch.Tensor:
    """The float32 values that bytes or nibbles stand for."""
    weight, scale = tensors["weight"], tensors["scale"]
    if "zero" not in tensors:
        return weight.float() * scale[:, None]
    nibbles = _apart(weight).float().unflatten(1, (-1, GROUP)) - 8
    return (nibbles * scale.float()[..., None] + tensors["zero"].float()[..., None]).flatten(1)


def _apart(nibbles: torch.Tensor) -> torch.Tensor:
    return torch.stack([nibbles >> 4, nibbles & 15], -1).flatten(1)


def _lay_out_float16(tensors: Tensors) -> Matrix:
    """Multiplied as it is where the processor can; else widened once, as float16 is 20 to 40 times
    as slow there."""
    if has_float16():
        return lambda x: F.linear(x.half(), tensors["weight"]).bfloat16()
    wide = tensors["weight"].float()
    return lambda x: F.linear(x.float(), wide).bfloat16()


@cache
def has_float16() -> bool:
    """Whether oneDNN multiplies float16 on this processor."""
    return bool(torch.ops.mkldnn._is_mkldnn_fp16_supported())


def _prepack(tensors: Tensors) -> torch.ScriptObject:
    zeros = torch.zeros(len(tensors["scale"]), dtype=torch.long)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        weight = torch._make_per_channel_quantized_tensor(
            tensors["weight"], tensors["scale"].double(), zeros, 0
        )
        return torch.ops.quantized.linear_prepack(weight, None)


def _lay_out_dynamic(tensors: Tensors) -> Matrix:
    packed = _prepack(tensors)
    return lambda x: torch.ops.quantized.linear_dynamic(x.float(), packed).bfloat16()


def _lay_out_by_row(tensors: Tensors) -> Matrix:
    """torch has one scale for all rows of a product: one loud token would take the others' digits.
    So each row is brought to a height of one and back, and the scale is always the same: a row
    gives bit for bit what it gives alone."""
    packed = _prepack(tensors)

    def product(x: torch.Tensor) -> torch.Tensor:
        wide = x.float()
        height = wide.abs().amax(1, keepdim=True).clamp_(min=_LEAST)
        return _from_float(wide / height, 1 / 127, _MIDDLE, packed).mul_(height).to(x.dtype)

    return product


def _lay_out_static(tensors: Tensors) -> Matrix:
    onednn, scale = torch.ops.onednn, tensors["scale"]
    packed, step = onednn.qlinear_prepack(tensors["weight"], None), float(tensors["input_scale"])
    zeros, middle = torch.zeros(len(scale), dtype=torch.int32), torch.tensor(float(_MIDDLE))

    def product(x: torch.Tensor) -> torch.Tensor:
        whole = middle.add(x.float(), alpha=1 / step).round_().clamp_(0, 255).to(torch.uint8)
        return onednn.qlinear_pointwise(
            whole, step, _MIDDLE, packed, scale, zeros, None, 1.0, 0, torch.bfloat16, "none", [], ""
        )  # fmt: skip

    return product


def _lay_out_bytes(tensors: Tensors) -> Matrix:
    # Its kernel reads beyond the end, where a mapped file has no page.
    weight, scale = tensors["weight"].clone(), tensors["scale"].bfloat16()
    return lambda x: torch._weight_int8pack_mm(x.contiguous(), weight, scale)


def _lay_out_nibbles(tensors: Tensors) -> Matrix:
    packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(_apart(tensors["weight"]).int(), 1)
    both = torch.stack([tensors["scale"], tensors["zero"]], -1).transpose(0, 1).contiguous()
    return lambda x: torch.ops.aten._weight_int4pack_mm_for_cpu(x.contiguous(), packed, GROUP, both)


def _shrink_nf4(weight: torch.Tensor) -> dict[str, torch.Tensor]:
    from bitsandbytes.functional import quantize_4bit

    packed, state = quantize_4bit(
        weight.detach().bfloat16().contiguous(), blocksize=NF4_BLOCK, quant_type="nf4"
    )
    return {"weight": packed, "scale": state.absmax, "shape": torch.tensor(weight.shape)}


def _lay_out_nf4(tensors: Tensors) -> Matrix:
    """bitsandbytes' own layer: it lays its weights out anew where the processor has a product for
    them, and widens them at every product where it has not."""
    from bitsandbytes.functional import QuantState, get_4bit_type
    from bitsandbytes.nn import Linear4bit, Params4bit

    out, inner = tensors["shape"].tolist()
    code = get_4bit_type("nf4", "cpu")
    state = QuantState(
        tensors["scale"].clone(), torch.Size((out, inner)), code, NF4_BLOCK, "nf4", torch.bfloat16
    )
    layer: Any = Linear4bit(
        inner, out, bias=False, compute_dtype=torch.bfloat16, compress_statistics=False,
        quant_type="nf4", device="meta",
    )  # fmt: skip
    layer.weight = Params4bit.from_prequantized(
        tensors["weight"].clone(), state.as_dict(packed=True), device="cpu"
    )
    return layer.eval()


def _without_bitsandbytes() -> str:
    return "" if find_spec("bitsandbytes") else "bitsandbytes is not installed"


def _without_engine() -> str:
    return "" if torch.backends.quantized.engine != "none" else "torch has no int8 products here"


def _without_fbgemm() -> str:
    known = torch.backends.quantized.engine in ("x86", "fbgemm")
    return "" if known else "torch rounds float32 to bytes within a product on x86 alone"


WAYS = {
    way.name: way
    for way in (
        Way("bf16", "bfloat16", lambda w: {"weight": w.detach().bfloat16()},
            lambda tensors: pack(tensors["weight"])),
        Way("fp16", "float16", lambda w: {"weight": w.detach().half()}, _lay_out_float16),
        Way("int8", "bytes; inputs as bytes, a scale for each row, found as they come",
            bytes_of, _lay_out_by_row, _without_fbgemm, wide=True),
        Way("int8-dynamic", "bytes; inputs as bytes, one scale for all rows, found as they come",
            bytes_of, _lay_out_dynamic, _without_engine),
        Way("int8-static", "bytes; inputs as bytes, one scale, found on training rows",
            bytes_of, _lay_out_static, calibrated=True),
        Way("int8-weight", "bytes, inputs in bfloat16", bytes_of, _lay_out_bytes),
        Way("int4", f"stored in 4 bits, a scale and a zero for {GROUP} weights; multiplied as int8",
            nibbles_of, lambda tensors: _lay_out_by_row(bytes_of(values_of(tensors))),
            _without_fbgemm, wide=True),
        Way("int4-weight", f"4 bits, a scale and a zero for {GROUP} weights; inputs in bfloat16",
            nibbles_of, _lay_out_nibbles),
        Way("nf4", "4 bits by the normal distribution's quantiles (bitsandbytes)",
            _shrink_nf4, _lay_out_nf4, _without_bitsandbytes),
    )
}  # fmt: skip
