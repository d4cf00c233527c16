"""The published table, repeated: four choices of what is trained, on the same rows, seed and steps,
with question and answer as JSON, each scored on the same held-out rows.

python -m trainer sweep. What is done is kept in its run's folder and not run again, so the same
command goes on after a stop. Knows no screen and no job.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file

from engine.checking import WEIGHTS
from engine.files import write_whole
from engine.phrasebook import digest
from engine.settings import Settings
from trainer.card import Finished
from trainer.checkpoints import discard
from trainer.evaluate import by_context
from trainer.examples import Example
from trainer.free import write_freely
from trainer.metrics import Scored, intervals, score, summarise
from trainer.recipe import FULL, WIRE, Recipe, RecipeError, Source, stated
from trainer.rows import make_packs
from trainer.run import LOG, Report, run_recipe
from trainer.splits import Splits, load_splits
from trainer.watch import choose_rows, dev_scores, missing
from trainer.wire import prompt_for

# Average losses on 500 held-out rows, as published for a base of two billion parameters.
PUBLISHED = {"q,v": 0.2092, "q,k,v": 0.4135, "ffn": 1.4550, FULL: 1.6094}
RATES = {FULL: 2e-5}  # what is not a small addition bears only small steps
_RATE = 4e-4
HELD_OUT, ROWS = 500, 4000
_WATCHED = 64  # dev rows that choose a run's best weights; no held-out row is among them
_LONGEST = 96  # tokens of an answer
DONE = "sweep.done.json"
TEACHER = "ctx-translator-train.jsonl"


@dataclass(frozen=True)
class Outcome:
    """What one choice of matrices came to. `loss`: the mean over all tokens of the held-out rows'
    answers; `meaning_match`: of answers written freely, with its 95 % interval over sentences;
    `valid`: the share of those that are answers at all; `seconds`: of the training steps."""

    matrices: str
    rate: float
    loss: float
    rows: int
    meaning_match: float
    low: float
    high: float
    valid: float
    parameters: int
    seconds: float
    published: float


@dataclass(frozen=True)
class Sweep:
    """What all choices share, and what each came to."""

    source: str
    rows: int
    held_out: int
    steps: int
    outcomes: tuple[Outcome, ...]


def run_sweep(
    folder: Path,
    settings: Settings,
    report: Report,
    stopped: Callable[[], bool] = lambda: False,
    rows: int = ROWS,
    steps: int = 0,
    held_out: int = HELD_OUT,
) -> Sweep | None:
    """Train and score what is not done yet; None when stopped. `steps` 0: each row once.
    RecipeError where there are too few rows."""
    source = find_rows(settings)
    plain = Recipe(name="sweep", style=WIRE, sources=(source,), epochs=1.0, guard_rows=0)
    splits, data = load_splits(plain, folder, settings)
    splits = divide(splits, rows, held_out, plain.seed)
    outcomes, taken = [], 0
    for matrices in PUBLISHED:
        recipe = sweep_recipe(source, matrices, steps)
        known = [data[0]["sha256"], settings.base, len(splits["train"]), held_out]
        mine = folder / digest([stated(recipe), *known])
        if not (mine / DONE).exists():
            report({"sweep": matrices})
            if not run_recipe(recipe, splits, data, mine, settings, report, stopped, _score):
                return None
            discard(mine)  # a run of all parameters leaves gigabytes
        found = json.loads((mine / DONE).read_text(encoding="utf-8"))
        taken = found.pop("steps")
        outcomes.append(Outcome(**found))
    return Sweep(source.name, len(splits["train"]), len(splits["test"]), taken, tuple(outcomes))


def find_rows(settings: Settings) -> Source:
    """The teacher's rows where CTX_DATA has them, as the published models were taught by such;
    the project's own otherwise."""
    if settings.data and (settings.data / TEACHER).is_file():
        return Source("teacher", str(settings.data / TEACHER), WIRE)
    return Source("gold", "en-zh-gold", "dataset")


def sweep_recipe(source: Source, matrices: str, steps: int) -> Recipe:
    """The run of one choice of matrices."""
    return Recipe(
        name="sweep", style=WIRE, sources=(source,), matrices=matrices, epochs=1.0, steps=steps,
        rate=RATES.get(matrices, _RATE), guard_rows=0, dev_rows=_WATCHED, evaluate_every=100,
    )  # fmt: skip


def divide(splits: Splits, rows: int, held_out: int, seed: int) -> Splits:
    """The same rows for all: `rows` to train on, some dev rows that a run may look at, and as
    `test` the held-out ones: of the test split, then of dev sentences that no run looks at."""
    train = splits["train"]
    few = random.Random(seed).sample(train, min(rows, len(train))) if rows else train
    watched = choose_rows(splits["dev"], _WATCHED, seed)
    seen = {e.query.context for e in watched}
    rest = [e for e in splits["dev"] if e.query.context not in seen]
    held = choose_rows(splits["test"], held_out, seed)
    held += choose_rows(rest, held_out - len(held), seed)
    if not held:
        raise RecipeError("the sources hold too few rows: none can be held out")
    return {"train": few, "dev": watched, "test": held[:held_out], "unknown": []}


def _score(run: Finished, tell: Report) -> None:
    """End one choice's run: score it on the held-out rows and keep what it came to."""
    recipe, base, compute = run.recipe, run.base, run.base.choice.dtype
    full, held = recipe.matrices == FULL, run.splits["test"]
    model: Any = base.model if full else PeftModel.from_pretrained(base.model, str(run.folder))
    model.eval()
    weights = model.parameters() if full else load_file(run.folder / WEIGHTS).values()
    prompt = prompt_for(base.tokenizer, recipe.style, recipe.pair)
    loss = dev_scores(model, make_packs(held, prompt), compute)["dev_loss"]
    tell({"event": "scoring", "loss": loss})
    groups = answered(model, prompt, held, compute)
    scored = [one for group in groups for one in group]
    low, high = intervals([[s for s, _ in group] for group in groups])["meaning_match"]
    log = (run.folder.parent / LOG).read_text(encoding="utf-8").splitlines()
    steps, seconds = trained(list(map(json.loads, log)), recipe.batch)
    outcome = Outcome(
        recipe.matrices, recipe.rate, round(loss, 4), len(held),
        round(summarise([s for s, _ in scored])["meaning_match"], 4), round(low, 4),
        round(high, 4), round(sum(valid for _, valid in scored) / len(scored), 4),
        sum(w.numel() for w in weights), round(seconds, 1), PUBLISHED[recipe.matrices],
    )  # fmt: skip
    tell({"event": "outcome", **asdict(outcome)})
    write_json({"steps": steps, **asdict(outcome)}, run.folder.parent / DONE)


def answered(
    model: Any, prompt: Any, rows: Sequence[Example], compute: torch.dtype
) -> list[list[tuple[Scored, bool]]]:
    """Each sentence's rows as answered with nothing to hold the model: scores, and whether it was
    an answer."""
    groups = list(by_context(rows).values())
    ordered = [e for group in groups for e in group]
    device = next(model.parameters()).device.type
    with torch.autocast(device, compute, enabled=compute != torch.float32):
        written = iter(write_freely(model, prompt, [e.query for e in ordered], _LONGEST))
    found = []
    for group in groups:
        pairs = [(e, next(written).sense) for e in group]
        found.append([
            (score(e.query, e.sense, s, e.fields) if s else missing(e), s is not None)
            for e, s in pairs
        ])  # fmt: skip
    return found


def trained(events: Sequence[dict[str, Any]], batch: int) -> tuple[int, float]:
    """The steps of a run, and the seconds they took, from what it told; a step that was taken again
    after a kill counts once."""
    speeds = {e["step"]: e["rows_per_second"] for e in events if e.get("event") == "step"}
    ends = sorted(speeds)
    seconds = [(end - start) * batch / speeds[end] for start, end in zip([0, *ends], ends)]
    return max(ends, default=0), sum(seconds)


def write_json(data: Any, file: Path) -> None:
    """Write the file whole or not at all."""
    write_whole(file, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def page(sweep: Sweep) -> str:
    """The table as Markdown, and what of it can be compared."""
    lines = ["| trained | loss | published | meaning match | answers | parameters | rate | time |"]
    lines.append("|---" * 8 + "|")
    for o in sweep.outcomes:
        match = f"{o.meaning_match:.3f} ({o.low:.3f}–{o.high:.3f}, n = {o.rows})"
        lines.append(
            f"| {o.matrices} | {o.loss:.4f} | {o.published:.4f} | {match} | {o.valid:.2f}"
            f" | {o.parameters / 1e6:.1f} M | {o.rate:g} | {o.seconds / 60:.0f} min |"
        )
    told = (
        f"Trained on {sweep.rows} rows ({sweep.source}), {sweep.steps} steps; scored on"
        f" {sweep.held_out} rows of other sentences."
    )
    own = "" if sweep.source == "teacher" else OWN_ROWS
    return "\n".join([*lines, "", told, "", COMPARABLE + own])


COMPARABLE = """\
What can be compared is the order of the four and how far they are apart, with care: the rows are
such as the published models were taught by, question and answer are the same JSON without a chat
template's marks around them, and the loss is the plain mean over an answer's tokens. The losses
themselves cannot be: the published ones are of a base of 2 B parameters with another vocabulary, on
a split, rows, steps and rates that are not told. Most of an answer's tokens are its JSON frame, so
a small loss says little of the meanings; *meaning match*, over answers written freely to the same
rows, says more. All parameters are trained at a smaller rate than LoRA's matrices; everything else
is the same for all four."""
OWN_ROWS = """
These rows are the project's own, not a teacher's, as CTX_DATA does not have those: not even the
order can be compared."""
