"""What a training step of a model from nothing takes: numbers, attention's gradient, compiling.

python -m tests.benchmarks.scratch_training [RECIPE.json] [--steps N]

Processor time a token, over all threads, which hardly depends on what else runs; samples of random
tokens, as long as captions with their translations.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from engine.bench.run import machine_of
from trainer.scratch.folder import new_net
from trainer.scratch.loss import PairLoss, make_optimizer
from trainer.scratch.recipe import ScratchRecipe, load_scratch
from trainer.scratch.samples import Sample, make_batch

RECIPE = Path("assets/recipes/scratch/multi30k.json")
WAYS = (
    ("float32", torch.float32, False),
    ("bfloat16", torch.bfloat16, False),
    ("bfloat16, compiled", torch.bfloat16, True),
)


def make_samples(recipe: ScratchRecipe, tokens: int) -> list[Sample]:
    """A batch of so many tokens."""
    draw = random.Random(1)
    length = draw.randint(16, 22)
    made = []
    for _ in range(tokens // (2 * length)):
        ids = [draw.randrange(400, recipe.model.vocabulary) for _ in range(2 * length)]
        made.append(Sample(tuple(ids[:length]), tuple(ids[length:])))
    return made


def measure(
    recipe: ScratchRecipe, compute: torch.dtype, compiled: bool, steps: int
) -> tuple[float, float]:
    """Microseconds of processors a token, the median step; and seconds that the first step took."""
    phase = recipe.finetune
    net = new_net(recipe.model, 1).train()
    if compiled:
        for layer in net.layers:
            layer.compile(dynamic=True)
    loss = PairLoss(net, compute, phase.smoothing)
    optimizer = make_optimizer(dict(net.named_parameters()), phase)
    batch = make_batch(make_samples(recipe, phase.tokens))
    spent = []
    for _ in range(steps + 1):
        clock = time.process_time()
        losses, _ = loss(batch)
        losses.mean().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        spent.append(time.process_time() - clock)
    return 1e6 * statistics.median(spent[1:]) / batch.tokens.numel(), spent[0]


def attention(backend: SDPBackend | None, dtype: torch.dtype, steps: int) -> float:
    """Processor milliseconds of attention alone with its gradient: 64 rows of 36 tokens, 4 heads of
    64 numbers that share two of keys and values."""
    shapes = ((64, 4, 36, 64), (64, 2, 36, 64), (64, 2, 36, 64))
    parts = [torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]
    spent = []
    for _ in range(steps):
        clock = time.process_time()
        with sdpa_kernel(backend) if backend else nullcontext():
            found = torch.nn.functional.scaled_dot_product_attention(
                *parts, is_causal=True, enable_gqa=True
            )
        found.sum().backward()
        spent.append(time.process_time() - clock)
    return 1000 * statistics.median(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", nargs="?", type=Path, default=RECIPE)
    parser.add_argument("--steps", type=int, default=10)
    told = parser.parse_args()
    recipe, machine = load_scratch(told.recipe), machine_of()
    print(f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}")
    print(f"{recipe.model.parameters() / 1e6:.2f} M parameters, batches of"
          f" {recipe.finetune.tokens} tokens, n = {told.steps} steps\n")  # fmt: skip
    print("| step | processor µs a token | first step, s |\n|---|---|---|")
    for name, compute, compiled in WAYS:
        micro, first = measure(recipe, compute, compiled, told.steps)
        print(f"| {name} | {micro:.0f} | {first:.1f} |", flush=True)
    print("\n| attention and its gradient | processor ms |\n|---|---|")
    for dtype in (torch.float32, torch.bfloat16):
        for name, backend in (("fused", None), ("plain", SDPBackend.MATH)):
            spent = attention(backend, dtype, told.steps)
            print(f"| {name}, {str(dtype).removeprefix('torch.')} | {spent:.1f} |", flush=True)


if __name__ == "__main__":
    main()
