"""A model from nothing beside its like: python -m tests.benchmarks.scratch [--sizes 20M …]

What its cache saves against reading everything anew at each step; then tokens a second, written
and trained on, beside a torch.nn.Transformer and transformers' MarianMT of as many parameters.
Random weights: speed does not depend on them. The sides take turns in one run, so their ratios hold
on a busy machine, too; the load average stands with them. What is measured again replaces what the
file says of it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import MarianConfig, MarianMTModel

from engine.files import write_whole
from engine.settings import assets
from trainer.scratch.config import PRESETS, ModelConfig
from trainer.scratch.decode import greedy
from trainer.scratch.model import Translator, for_writing
from trainer.scratch.recipe import load_scratch

NEW, READ = 128, 24  # tokens written, and read of each prompt
BATCHES = (1, 8)  # rows that are written side by side
WRITTEN = 64  # tokens of a row, where models are set side by side
PAIRS, SIDE = 32, 24  # sentence pairs of a training step, tokens of each side
ROUNDS = 3
PAD, BEGIN, END = 0, 1, 2
PARTS = ("cache", "writing", "training")
SIDES = ("ours", "torch", "marian")
RESULT = "multi30k"  # the size of the recipe's model
RECIPE = assets() / "recipes" / "scratch" / f"{RESULT}.json"
NEVER = -1  # no token ends a row: each writes as many as are asked for


class Plain(nn.Module):
    """torch.nn.Transformer with tied embeddings and sinusoidal positions. It has no cache."""

    def __init__(self, config: ModelConfig, layers: int, inner: int):
        super().__init__()
        self.embed = nn.Embedding(config.vocabulary, config.width)
        self.body = nn.Transformer(
            config.width, config.heads, layers, layers, inner, config.dropout,
            batch_first=True, norm_first=True, bias=False,
        )  # fmt: skip
        place = torch.arange(config.positions)[:, None]
        speed = torch.exp(-9.21 * torch.arange(0, config.width, 2) / config.width)
        turns = torch.cat([(place * speed).sin(), (place * speed).cos()], dim=-1)
        self.register_buffer("places", turns, persistent=False)

    def states(self, tokens: Tensor) -> Tensor:
        return self.embed(tokens) + self.places[: tokens.shape[1]]

    def decode(self, memory: Tensor, tokens: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        return self.body.decoder(self.states(tokens), memory, mask, tgt_is_causal=True)

    def forward(self, source: Tensor, tokens: Tensor) -> Tensor:
        states = self.decode(self.body.encoder(self.states(source)), tokens)
        return F.linear(states, self.embed.weight)

    @torch.inference_mode()
    def write(self, source: Tensor, count: int) -> Tensor:
        memory = self.body.encoder(self.states(source))
        tokens = torch.full((len(source), 1), BEGIN)
        for _ in range(count):
            states = self.decode(memory, tokens)[:, -1]
            best = F.linear(states, self.embed.weight).argmax(-1, keepdim=True)
            tokens = torch.cat([tokens, best], dim=1)
        return tokens[:, 1:]


def inner_width(config: ModelConfig, layers: int) -> int:
    """The feed-forward width that gives an encoder and a decoder of so many layers, each of this
    width, as many parameters as the model has."""
    rest = config.parameters() - config.vocabulary * config.width - 12 * layers * config.width**2
    return max(1, round(rest / (4 * layers * config.width)))


def make_marian(config: ModelConfig, layers: int, inner: int) -> MarianMTModel:
    sizes: dict[str, Any] = {"encoder_layers": layers, "decoder_layers": layers}
    sizes |= {f"{side}_attention_heads": config.heads for side in ("encoder", "decoder")}
    sizes |= {f"{side}_ffn_dim": inner for side in ("encoder", "decoder")}
    return MarianMTModel(
        MarianConfig(
            vocab_size=config.vocabulary,
            d_model=config.width,
            dropout=config.dropout,
            max_position_embeddings=config.positions,
            pad_token_id=PAD,
            eos_token_id=END,
            bos_token_id=BEGIN,
            decoder_start_token_id=BEGIN,
            forced_eos_token_id=None,
            activation_function="relu",
            **sizes,
        )
    )


def count(model: nn.Module) -> int:
    return sum(one.numel() for one in model.parameters() if one.requires_grad)


@dataclass(frozen=True)
class Took:
    """Median seconds on the clock, and of processors, which other work on the machine stretches
    less."""

    clock: float
    processor: float


def in_turns(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, Took]:
    """What each side took, after one turn that does not count."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, act in sides.items():
            clock, processor = time.perf_counter(), time.process_time()
            act()
            if turn:
                took = time.perf_counter() - clock, time.process_time() - processor
                found[name].append(took)
    return {name: Took(*map(statistics.median, zip(*some))) for name, some in found.items()}


def ratio(other: Took, mine: Took) -> dict[str, float]:
    """How many times as long the other took."""
    return {
        "clock": round(other.clock / mine.clock, 2),
        "processor": round(other.processor / mine.processor, 2),
    }


def measure_cache(model: Translator, batches: Sequence[int], rounds: int) -> list[dict[str, Any]]:
    """Seconds for NEW tokens behind READ, with the cache and without."""
    found = []
    for batch in batches:
        prompts = torch.randint(3, model.config.vocabulary, (batch, READ)).tolist()
        took = in_turns(
            {
                "cached": lambda prompts=prompts: greedy(model, prompts, NEVER, NEW),
                "anew": lambda prompts=prompts: greedy(model, prompts, NEVER, NEW, cached=False),
            },
            rounds,
        )
        found.append({
            "batch": batch, "read": READ, "written": NEW,
            **{f"{name}_seconds": round(one.clock, 3) for name, one in took.items()},
            "times_faster": ratio(took["anew"], took["cached"]),
        })  # fmt: skip
    return found


def measure_writing(
    model: Translator, plain: Plain, marian: MarianMTModel, batches: Sequence[int], rounds: int
) -> list[dict[str, Any]]:
    """Tokens written a second by each, greedily."""
    limits = {"max_new_tokens": WRITTEN, "min_new_tokens": WRITTEN, "num_beams": 1}
    found = []
    for batch in batches:
        source = torch.randint(3, model.config.vocabulary, (batch, SIDE))
        took = in_turns(
            {
                "ours": lambda s=source: greedy(model, s.tolist(), NEVER, WRITTEN),
                "torch": lambda s=source: plain.write(s, WRITTEN),
                "marian": lambda s=source: marian.generate(s, do_sample=False, **limits),
            },
            rounds,
        )
        found.append({"what": f"written, {batch} at once"} | _rates(took, batch * WRITTEN))
    return found


def measure_training(
    model: Translator, plain: Plain, marian: MarianMTModel, rounds: int
) -> list[dict[str, Any]]:
    """Tokens a second, of both sides, of a whole step: forward, loss, backward, AdamW."""
    source = torch.randint(3, model.config.vocabulary, (PAIRS, SIDE))
    target = torch.randint(3, model.config.vocabulary, (PAIRS, SIDE))
    begun = torch.cat([torch.full((PAIRS, 1), BEGIN), target[:, :-1]], dim=1)
    prefix = torch.full((PAIRS,), SIDE + 1)

    def ours() -> Tensor:
        states = model(torch.cat([source, begun], dim=1), prefix)[:, SIDE:]
        return model.logits(states)

    sides = {
        "ours": (model, ours),
        "torch": (plain, lambda: plain(source, begun)),
        "marian": (marian, lambda: marian(input_ids=source, decoder_input_ids=begun).logits),
    }
    steps = {}
    for name, (module, forward) in sides.items():
        optimizer = torch.optim.AdamW(module.train().parameters(), lr=1e-4)

        def step(forward: Any = forward, optimizer: Any = optimizer) -> None:
            F.cross_entropy(forward().flatten(0, 1), target.flatten()).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        steps[name] = step
    took = in_turns(steps, rounds)
    for module, _ in sides.values():
        module.eval()
    what = f"trained on, {PAIRS} pairs a step"
    return [{"what": what} | _rates(took, 2 * PAIRS * SIDE)]


def _rates(took: dict[str, Took], tokens: int) -> dict[str, Any]:
    return {
        "tokens_per_second": {name: round(tokens / one.clock, 1) for name, one in took.items()},
        "times_as_fast_as": {name: ratio(took[name], took["ours"]) for name in SIDES[1:]},
    }


def measure(
    config: ModelConfig, parts: Sequence[str], batches: Sequence[int], rounds: int
) -> dict[str, Any]:
    """The figures of one size, with how busy the machine was."""
    torch.manual_seed(1)
    layers = max(1, config.layers // 2)
    inner = inner_width(config, layers)
    model = Translator(config)
    plain, marian = Plain(config, layers, inner).eval(), make_marian(config, layers, inner).eval()
    found: dict[str, Any] = {
        "parameters": {"ours": count(model), "torch": count(plain), "marian": count(marian)}
    }
    for_writing(model)
    for part in parts:
        load = os.getloadavg()[0]
        if part == "cache":
            figures = measure_cache(model, batches, rounds)
        elif part == "writing":
            figures = measure_writing(model, plain, marian, batches, rounds)
        else:
            figures = measure_training(Translator(config), plain, marian, rounds)
        busy = [round(load, 1), round(os.getloadavg()[0], 1)]
        found[part] = {
            "figures": figures, "rounds": rounds, "load_average": busy,
            "threads": torch.get_num_threads(),
        }  # fmt: skip
    return found


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown; beside a rate of another side, how many times as fast ours is."""
    rows = ["| tokens a second | ours | torch.nn.Transformer | MarianMT |", "|---|---|---|---|"]
    for name, size in found["sizes"].items():
        counts = [f"{size['parameters'][side] / 1e6:.1f} M" for side in SIDES]
        rows.append(f"| **{name}**: parameters | {' | '.join(counts)} |")
        for one in _figures(size, "writing") + _figures(size, "training"):
            rates, times = one["tokens_per_second"], one["times_as_fast_as"]
            cells = [f"{rates[side]:,.0f} ({_times(times[side])})" for side in SIDES[1:]]
            rows.append(f"| {one['what']} | **{rates['ours']:,.0f}** | {' | '.join(cells)} |")
    rows += ["", f"| {NEW} tokens behind {READ} | with the cache | all anew | |"]
    rows.append("|---|---|---|---|")
    rows += [
        f"| {name}, {one['batch']} at once | {one['cached_seconds']:.2f} s |"
        f" {one['anew_seconds']:.2f} s | {_times(one['times_faster'])} |"
        for name, size in found["sizes"].items()
        for one in _figures(size, "cache")
    ]
    return "\n".join(rows)


def _figures(size: dict[str, Any], part: str) -> list[dict[str, Any]]:
    return size.get(part, {"figures": []})["figures"]


def _times(ratios: dict[str, float]) -> str:
    """On the clock, in brackets by processors' time."""
    return f"{ratios['clock']:.1f} × [{ratios['processor']:.1f} ×]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=[RESULT, *PRESETS], default=[RESULT, "20M"])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES, metavar="ROWS")
    parser.add_argument("--threads", type=int, default=0, help="0: as torch has it")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, default=assets() / "bench" / "scratch-speed.json")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    out: Path = arguments.out
    found = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {"sizes": {}}
    found["machine"] = {
        "dtype": "float32", "processors": os.cpu_count(),
        "torch": torch.__version__,
    }  # fmt: skip
    configs = PRESETS | {RESULT: load_scratch(RECIPE).model}
    for name in arguments.sizes:
        mine = measure(configs[name], arguments.parts, arguments.batches, arguments.rounds)
        found["sizes"][name] = found["sizes"].get(name, {}) | mine
        write_whole(out, json.dumps(found, indent=1) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
