"""Measures training against plain transformers.Trainer with PEFT, side by side in one run:
python -m tests.benchmarks.training [--rounds N] [--steps N] [--out FILE]

Each side is a process of its own with the same base and rows; they take turns, a round each, while
the others wait. Prints rows a second, peak memory and ratios. Wants an idle machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from engine.settings import assets
from trainer.order import Order
from trainer.recipe import WIRE, Recipe, Source

SOURCE = Source("gold", str(assets() / "datasets" / "en-zh-gold"))
RECIPE = Recipe(
    name="speed", sources=(SOURCE,), dropout=0.05, guard_rows=0, evaluate_every=10**6, epochs=1000
)
LONGEST = 2048  # what the padded side pads its rows to
WARM = 2  # untimed steps before the first round
BATCH = 16


@dataclass(frozen=True)
class Side:
    """One way to train: ours or plain, its matrices and prompt style. `padded`: each row to LONGEST
    tokens, one row a step."""

    ours: bool
    matrices: str
    style: str
    padded: bool = False


SIDES = {
    "ours": Side(True, "all-linear", "last"),
    "ours, q,v": Side(True, "q,v", "last"),
    "ours, JSON": Side(True, "all-linear", WIRE),
    "plain": Side(False, "all-linear", "last"),
    "plain, q,v": Side(False, "q,v", "last"),
    "plain, JSON": Side(False, "all-linear", WIRE),
    "padded, JSON, q,v": Side(False, "q,v", WIRE, padded=True),
}
# What is set beside what, and the least that is wanted of it.
RATIOS = (
    ("ours", "plain", 1.5),
    ("ours, q,v", "plain, q,v", 1.5),
    ("ours, JSON", "plain, JSON", 1.5),
    ("ours", "plain, JSON", 4.0),
    ("ours, q,v", "padded, JSON, q,v", 200.0),
)
MOST_GB = 3.0  # of ours
Turns = Callable[[int], bool]
"""Called after each step with the rows seen so far; whether to end."""


def answer_turns(pipe: Connection) -> Turns:
    """Do rounds as the pipe asks for them, and answer with their seconds and rows."""
    from engine.memory import give_back

    left, rows, clock = WARM, 0, time.perf_counter()
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss

    def after_step(seen: int) -> bool:
        nonlocal left, rows, clock
        left -= 1
        if left:
            return False
        seconds = time.perf_counter() - clock
        # Blocks freed between rounds must be there for the side whose turn it is.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        give_back()
        pipe.send((seconds, seen - rows, peak / 1e9))
        left = pipe.recv()
        rows, clock = seen, time.perf_counter()
        return not left

    return after_step


class Counted:
    """A run's order that counts the rows it has given."""

    def __init__(self, order: Order):
        self.order, self.steps, self.seen = order, order.steps, 0

    def from_step(self, step: int) -> Iterator[Any]:
        for batches in self.order.from_step(step):
            self.seen += sum(len(pack.rows) for batch in batches for pack in batch)
            yield batches


def train_ours(side: Side, turns: Turns) -> None:
    """The trainer's own loop, one evaluation of dev rows before its first step."""
    from engine.models import load_base
    from engine.settings import read_settings
    from trainer.model import make_trainable
    from trainer.rows import make_packs
    from trainer.run import make_order
    from trainer.splits import load_splits
    from trainer.tasks import task_of
    from trainer.training import Watched, fit
    from trainer.watch import dev_scores
    from trainer.wire import prompt_for

    recipe, settings = replace(RECIPE, matrices=side.matrices, style=side.style), read_settings()
    splits, _ = load_splits(recipe, Path(), settings)
    base = load_base(settings)
    prompt = prompt_for(base.tokenizer, side.style, RECIPE.pair)
    order = Counted(make_order(recipe, splits["train"], prompt))
    dev = make_packs(random.Random(1).sample(splits["dev"], 64), prompt)
    with tempfile.TemporaryDirectory() as folder:
        fit(
            make_trainable(base.model, recipe),
            recipe,
            order,
            lambda model: Watched(dev_scores(model, dev, base.choice.dtype)),
            task_of(recipe).candidates(recipe, prompt, len(base.tokenizer), ()),
            Path(folder),
            lambda event: None,
            lambda: turns(order.seen),
            base.choice.dtype,
        )


def train_plain(side: Side, turns: Turns) -> None:
    """What a user who knows both libraries writes: bfloat16, dynamic padding, prompts masked."""
    from peft import LoraConfig, get_peft_model
    from transformers import (
        AutoModelForCausalLM,
        DataCollatorForSeq2Seq,
        Trainer,
        TrainerCallback,
        TrainingArguments,
        default_data_collator,
    )

    from engine.models import choose, embedded_folder, load_tokenizer
    from engine.settings import read_settings
    from trainer.recipe import MATRICES

    settings = read_settings()
    folder = str(embedded_folder(settings.home))
    choice = choose(settings)
    few = choice.dtype_name == "bfloat16"
    tokenizer = load_tokenizer(folder)
    rows, targets = plain_rows(side, tokenizer), MATRICES[side.matrices]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="bfloat16" if few else "float32")
    config = LoraConfig(
        r=RECIPE.rank, lora_alpha=RECIPE.alpha, lora_dropout=RECIPE.dropout, task_type="CAUSAL_LM",
        target_modules=targets if isinstance(targets, str) else list(targets),
    )  # fmt: skip
    batch = 1 if side.padded else BATCH

    class TakeTurns(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            control.should_training_stop = turns(state.global_step * batch)

    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            out, per_device_train_batch_size=batch, max_steps=10**6, learning_rate=RECIPE.rate,
            lr_scheduler_type="cosine", bf16=few, seed=RECIPE.seed, save_strategy="no",
            report_to="none", disable_tqdm=True, logging_strategy="no",
            use_cpu=choice.device == "cpu",
        )  # fmt: skip
        collator = DataCollatorForSeq2Seq(tokenizer, padding=True)
        Trainer(
            get_peft_model(model, config), arguments, train_dataset=rows, callbacks=[TakeTurns()],
            data_collator=default_data_collator if side.padded else collator,
        ).train()  # fmt: skip


def plain_rows(side: Side, tokenizer: Any) -> list[dict[str, list[int]]]:
    """The train rows as one text each, the prompt's labels -100."""
    from engine.settings import read_settings
    from trainer.splits import load_splits
    from trainer.wire import prompt_for

    prompt = prompt_for(tokenizer, side.style, RECIPE.pair)
    splits, _ = load_splits(RECIPE, Path(), read_settings())
    rows = []
    for example in splits["train"]:
        asked = list(sum(prompt.parts(example.query), ()))
        marked = prompt.answer(example.query, example.sense).marked()
        answer = [token for token, _, _ in marked]
        ids, labels = asked + answer, [-100] * len(asked) + answer
        pad = LONGEST - len(ids) if side.padded else 0
        mask = [1] * len(ids) + [0] * pad
        ids, labels = ids + [tokenizer.pad_token_id] * pad, labels + [-100] * pad
        rows.append({"input_ids": ids, "labels": labels, "attention_mask": mask})
    return rows


def run_side(side: Side, pipe: Connection) -> None:
    """A side's process, until the pipe says 0."""
    (train_ours if side.ours else train_plain)(side, answer_turns(pipe))


def start(side: Side) -> tuple[Any, Connection]:
    """The side's process, warmed up. Ours waits as its jobs do, the plain one as torch does."""
    here, there = mp.Pipe()
    kept = os.environ.get("OMP_WAIT_POLICY")
    if side.ours:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    else:
        os.environ.pop("OMP_WAIT_POLICY", None)
    process = mp.get_context("spawn").Process(target=run_side, args=(side, there), daemon=True)
    process.start()
    there.close()
    if kept is not None:
        os.environ["OMP_WAIT_POLICY"] = kept
    here.recv()
    return process, here


def measure(names: list[str], rounds: int, steps: int) -> dict[str, dict[str, Any]]:
    """Each side's rows a second in each round, and its peak memory."""
    running = {}
    for name in names:
        print(f"starting: {name}", flush=True)
        running[name] = start(SIDES[name])
    found: dict[str, dict[str, Any]] = {name: {"rounds": []} for name in names}
    for _ in range(rounds):
        for name, (_, pipe) in running.items():
            pipe.send(1 if SIDES[name].padded else steps)
            seconds, rows, peak = pipe.recv()
            found[name]["rounds"].append(round(rows / seconds, 3))
            found[name]["peak_gb"] = round(peak, 2)
            print(f"{name}: {rows} rows in {seconds:.1f} s", flush=True)
    for process, pipe in running.values():
        pipe.send(0)
        process.join(60)
    for one in found.values():
        one["rows_per_second"] = round(statistics.median(one["rounds"]), 3)
    return found


def ratios(found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Each pair's ratio of rows a second, round by round: its median, least and greatest."""
    told = []
    for one, other, wanted in RATIOS:
        if one in found and other in found:
            pairs = zip(found[one]["rounds"], found[other]["rounds"], strict=True)
            each = sorted(a / b for a, b in pairs)
            median = round(statistics.median(each), 2)
            ends = {"least": round(each[0], 2), "most": round(each[-1], 2)}
            told.append({"side": one, "beside": other, "ratio": median, **ends, "wanted": wanted})
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12, help="of a round; a padded side takes one")
    parser.add_argument("--sides", default="", help=f"only these, by `;`: {'; '.join(SIDES)}")
    parser.add_argument("--out", type=Path, default=assets() / "bench" / "training.json")
    asked = parser.parse_args()
    names = [name.strip() for name in asked.sides.split(";")] if asked.sides else list(SIDES)
    found = measure(names, asked.rounds, asked.steps)
    compared = ratios(found)
    print(f"\n{'side':20} {'rows/s':>8} {'peak GB':>8}")
    for name, one in found.items():
        over = "  more than wanted" if SIDES[name].ours and one["peak_gb"] > MOST_GB else ""
        print(f"{name:20} {one['rows_per_second']:8.2f} {one['peak_gb']:8.2f}{over}")
    for one in compared:
        print("{side} : {beside} = {ratio} ({least} to {most}; wanted {wanted})".format(**one))
    import torch

    memory = round(psutil.virtual_memory().total / 1e9)
    machine = {"cores": psutil.cpu_count(), "memory_gb": memory, "torch": torch.__version__}
    whole = {"machine": machine, "steps": asked.steps, "sides": found, "ratios": compared}
    asked.out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
