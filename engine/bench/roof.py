"""How far a cold click is from what the machine can do: bytes it reads against bytes a second,
multiplications against multiplications a second.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from engine.bench.growth import clicks
from engine.bench.sides import Case
from engine.engine import ModelEngine
from engine.lean import Part

_READ = 256 * 1024 * 1024  # bytes of a read that no cache holds
_SIDE = 2048  # of the matrices that show what products a second there are


class _Counting:
    """A body that counts its calls and tokens."""

    def __init__(self, body: Any):
        self._body, self.calls, self.tokens = body, 0, 0

    def cache(self) -> Any:
        return self._body.cache()

    def __call__(
        self, ids: torch.Tensor, positions: torch.Tensor, parts: Sequence[Part]
    ) -> torch.Tensor:
        self.calls += 1
        self.tokens += len(ids)
        return self._body(ids, positions, parts)


def roof(engine: ModelEngine, model: Any, cases: Sequence[Case]) -> dict[str, float]:
    """Per cold click, as means: calls of the body, its tokens, what they read of its weights and
    multiply, the time the machine needs for either alone, and the time taken. What the head reads
    is left out. `model` has the body's sizes."""
    runner = engine.decoder.runner
    plain, counting = runner.body, _Counting(runner.body)
    runner.body = counting
    try:
        seconds = clicks(engine, cases)
    finally:
        runner.body = plain
    embedding = model.get_input_embeddings().weight.numel()
    weights = sum(p.numel() for p in model.parameters()) - embedding
    calls, tokens = counting.calls / len(cases), counting.tokens / len(cases)
    read = calls * weights * model.dtype.itemsize
    multiplied = tokens * weights
    bandwidth, rate = _bandwidth(), _rate(model.dtype)
    return {
        "calls": round(calls, 2),
        "tokens": round(tokens, 1),
        "read_mb": round(read / 1e6, 1),
        "multiplications_g": round(multiplied / 1e9, 2),
        "bandwidth_gb_s": round(bandwidth / 1e9, 1),
        "multiplications_g_s": round(rate / 1e9),
        "read_ms": round(1000 * read / bandwidth, 1),
        "multiply_ms": round(1000 * multiplied / rate, 1),
        "taken_ms": round(1000 * statistics.mean(seconds), 1),
    }


def _bandwidth() -> float:
    """Bytes a second that all threads together read from memory."""
    block = torch.ones(_READ // 4)
    return _READ / _median(block.sum)


def _rate(dtype: torch.dtype) -> float:
    """Multiplications (with addition) a second in products of large matrices."""
    a, b = torch.ones(_SIDE, _SIDE, dtype=dtype), torch.ones(_SIDE, _SIDE, dtype=dtype)
    return _SIDE**3 / _median(lambda: a @ b)


def _median(run: Callable[[], object]) -> float:
    times = []
    for _ in range(7):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
