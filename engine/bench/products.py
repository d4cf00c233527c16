"""How long the products of one call of Gemma's body take, for each way to hold its matrices.

python -m engine.bench.products [RESULT.json]

All 18 layers' matrices, so that they are read from memory and not from a cache; the ways take
turns. torchao's ways stand beside them where it is installed (trainer/distil/requirements.txt).
"""

from __future__ import annotations

import json
import logging
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.bench.run import machine_of
from engine.matrices import WAYS, Matrix

LAYERS = 18
SHAPES = {"qkv": (1536, 640), "out": (640, 1024), "gate_up": (4096, 640), "down": (640, 2048)}
ROWS = (1, 8, 23, 40, 92)
_ROUNDS = 5
_MOST = 400.0  # milliseconds after which a way is not tried with more rows

Made = Callable[[torch.Tensor], Matrix]
Body = list[tuple[str, Matrix]]


def torchao_ways() -> dict[str, Made]:
    """torchao's ways by name, as it runs them without a compiler; none where it is not
    installed."""
    if not find_spec("torchao"):
        return {}
    logging.disable(logging.WARNING)
    from torchao.quantization import (
        Int4WeightOnlyConfig,
        Int8DynamicActivationInt8WeightConfig,
        Int8WeightOnlyConfig,
        quantize_,
    )

    def made(config: Any) -> Made:
        def make(weight: torch.Tensor) -> Matrix:
            layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=weight.dtype)
            layer.weight = nn.Parameter(weight, requires_grad=False)
            quantize_(layer, config)
            return layer

        return make

    return {
        "torchao int8 dynamic": made(Int8DynamicActivationInt8WeightConfig(version=2)),
        "torchao int8 weight-only": made(Int8WeightOnlyConfig(version=2)),
        "torchao int4 weight-only": made(
            Int4WeightOnlyConfig(group_size=32, int4_packing_format="opaque")
        ),
    }


def products(tell: Callable[[str], None]) -> dict[str, Any]:
    """Milliseconds of a body's products by way and number of rows, medians; or why not."""
    torch.manual_seed(1)
    weights = [
        (name, (torch.randn(shape) * 0.03).bfloat16())
        for _ in range(LAYERS)
        for name, shape in SHAPES.items()
    ]
    bodies: dict[str, Body] = {}
    found: dict[str, dict[str, Any]] = {}
    for name, make in ({way: _own(way) for way in WAYS} | torchao_ways()).items():
        found[name] = {}
        try:
            bodies[name] = [(place, make(weight)) for place, weight in weights]
            _run(bodies[name], _inputs(1))
        except (
            RuntimeError,
            NotImplementedError,
            ImportError,
            AssertionError,
            ValueError,
        ) as error:
            bodies.pop(name, None)
            found[name]["missing"] = (str(error) or type(error).__name__).splitlines()[0]
    if not find_spec("torchao"):
        found["torchao"] = {"missing": "not installed"}
    for rows in ROWS:
        for name, ms in _turns(bodies, rows).items():
            found[name][str(rows)] = ms
            if ms > _MOST:
                del bodies[name]
    for name, told in found.items():
        tell(f"{name}: {told}")
    return {"machine": machine_of(), "rows": list(ROWS), "ms": found}


def _own(name: str) -> Made:
    way = WAYS[name]

    def make(weight: torch.Tensor) -> Matrix:
        if reason := way.missing():
            raise ImportError(reason)
        scale = {"input_scale": torch.tensor(4 / 127)} if way.calibrated else {}
        return way.lay_out(way.shrink(weight) | scale)

    return make


def _turns(bodies: Mapping[str, Body], rows: int) -> dict[str, float]:
    """The bodies take turns, so that a machine that slows down slows them all."""
    inputs = _inputs(rows)
    times: dict[str, list[float]] = {name: [] for name in bodies}
    for _ in range(_ROUNDS + 1):
        for name, body in bodies.items():
            times[name].append(_run(body, inputs))
    return {name: round(statistics.median(mine[1:]), 2) for name, mine in times.items()}


def _inputs(rows: int) -> dict[str, torch.Tensor]:
    return {name: torch.randn(rows, shape[1]).bfloat16() for name, shape in SHAPES.items()}


@torch.inference_mode()
def _run(body: Body, inputs: Mapping[str, torch.Tensor]) -> float:
    start = time.perf_counter()
    for name, product in body:
        product(inputs[name])
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    result = products(lambda line: print(line, flush=True))
    if len(sys.argv) > 1:
        text = json.dumps(result, indent=1, ensure_ascii=False)
        Path(sys.argv[1]).write_text(text + "\n", encoding="utf-8")
