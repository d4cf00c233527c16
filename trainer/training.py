"""LoRA training of one recipe: steps, dev loss, checkpoints, resume. Knows no screen and no job.

Everything a run makes lies in one folder; a checkpoint is written beside its name and renamed,
so a killed run leaves the last whole one. `fit` goes on from there when it is called again.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from peft import set_peft_model_state_dict as load_lora
from peft.helpers import disable_input_dtype_casting
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from engine.prompt import FIELDS
from trainer.recipe import MATRICES, Recipe
from trainer.rows import Batch, Pack, bucketed, count_steps, make_batch

CHECKPOINT = "checkpoint"
BEST = "best"
LOG = "log.jsonl"
_EVALUATION_BATCH = 32

Report = Callable[[dict[str, Any]], None]


@dataclass
class Progress:
    """Where a run stands; saved with each checkpoint."""

    step: int = 0
    best_loss: float = math.inf
    best_step: int = 0


def add_lora(model: PreTrainedModel, recipe: Recipe) -> PeftModel:
    """The model with new LoRA weights (float32) on the recipe's matrices; the base is frozen."""
    targets = MATRICES[recipe.matrices]
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(recipe.seed)
    return get_peft_model(model, config)


def answer_losses(
    model: PeftModel, batch: Batch, candidates: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy of each answer token, and whether it was the likeliest: (tokens,) each.

    Head and softmax see answer positions only, and of the vocabulary only `candidates`
    (ascending ids, targets among them) where they are given. What the batch's known meanings gain
    is added to the logits, as in decoding.
    """
    base: Any = model.get_base_model()
    hidden = base.get_decoder()(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        attention_mask=batch.mask,
        use_cache=False,
    ).last_hidden_state
    picked = hidden.flatten(0, 1)[batch.at]
    head, target, gained = base.get_output_embeddings().weight, batch.target, batch.gain_token
    if candidates is not None:
        head, target = head[candidates], torch.searchsorted(candidates, target)
        gained = torch.searchsorted(candidates, gained)
    logits = F.linear(picked, head).float()
    cap = getattr(base.config, "final_logit_softcapping", None)
    if cap:
        logits = torch.tanh(logits / cap) * cap
    logits = logits.index_put((batch.gain_at, gained), batch.gain, accumulate=True)
    hits = logits.detach().argmax(-1) == target
    return F.cross_entropy(logits, target, reduction="none"), hits


class Candidates:
    """The rows of the head a step's softmax sees: the task's tokens, the batch's own, and a fresh
    random sample of all others, which stands for the rest of the vocabulary."""

    def __init__(self, task: Sequence[int], vocabulary: int, sample: int, seed: int):
        self.task = torch.tensor(task)
        self.vocabulary, self.sample, self.seed = vocabulary, sample, seed

    def of(self, batch: Batch, step: int) -> torch.Tensor:
        """Ascending ids for one step; the same step always gets the same ones."""
        random = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        others = torch.randint(self.vocabulary, (self.sample,), generator=random)
        seen = (self.task, batch.target, batch.gain_token, batch.input_ids.flatten(), others)
        return torch.cat(seen).unique()


def fit(
    model: PeftModel,
    recipe: Recipe,
    train: Sequence[Pack],
    dev: Sequence[Pack],
    candidates: Candidates,
    folder: Path,
    report: Report,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Train to the recipe's end and leave the best weights in the model; False when stopped early.

    Goes on from the folder's checkpoint where there is one. `report` gets one dict an event.
    """
    folder.mkdir(parents=True, exist_ok=True)
    steps = count_steps(train, recipe.batch, recipe.epochs)
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: _rate(s, steps, recipe))
    progress = _resume(model, optimizer, schedule, folder)
    batches = _batches_from(train, recipe, progress.step)
    clock, rows_done, window = time.monotonic(), 0, []
    model.train()
    while progress.step < steps:
        batch = make_batch(packs := next(batches))
        chosen = candidates.of(batch, progress.step)
        loss = _step(model, optimizer, schedule, weights, batch, chosen, recipe)
        progress.step += 1
        rows_done += sum(len(pack.rows) for pack in packs)
        window.append(loss)
        if progress.step % 20 == 0:
            seconds = time.monotonic() - clock
            report({
                "step": progress.step, "steps": steps, "loss": sum(window) / len(window),
                "rate": schedule.get_last_lr()[0], "rows_per_second": rows_done / seconds,
            })  # fmt: skip
            clock, rows_done, window = time.monotonic(), 0, []
        stop = stopped()
        if progress.step % recipe.evaluate_every == 0 or progress.step == steps or stop:
            _evaluate_and_keep(model, optimizer, schedule, dev, progress, folder, report)
        if stop:
            return False
    load_lora(model, _load(folder / BEST / "weights.pt"))
    return True


def _step(model, optimizer, schedule, weights, batch, candidates, recipe: Recipe) -> float:
    with torch.autocast(model.device.type, torch.bfloat16), disable_input_dtype_casting(model):
        losses, _ = answer_losses(model, batch, candidates)
    loss = (losses * batch.weight).sum() / batch.weight.sum().clamp(min=1.0)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(weights, recipe.clip)
    optimizer.step()
    schedule.step()
    return loss.item()


def _rate(step: int, steps: int, recipe: Recipe) -> float:
    """Linear warm-up, then a cosine down to a tenth of the peak rate."""
    warmup = max(1, round(recipe.warmup * steps))
    if step < warmup:
        return (step + 1) / warmup
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def _batches_from(train: Sequence[Pack], recipe: Recipe, step: int) -> Iterator[list[Pack]]:
    """The endless order of batches, from the given step on."""
    endless = (
        batch
        for epoch in itertools.count()
        for batch in bucketed(train, recipe.batch, recipe.seed, epoch)
    )
    return itertools.islice(endless, step, None)


@torch.no_grad()
def dev_scores(model: PeftModel, packs: Sequence[Pack]) -> dict[str, float]:
    """Loss a token, and for each field the share of rows whose every token is the likeliest
    given the right ones before it. An upper bound on decoding, cheap enough to watch."""
    model.eval()
    total, tokens = 0.0, 0
    right = dict.fromkeys(FIELDS, 0)
    count = dict.fromkeys(FIELDS, 0)
    ordered = sorted(packs, key=len)
    for start in range(0, len(ordered), _EVALUATION_BATCH):
        batch = make_batch(ordered[start : start + _EVALUATION_BATCH])
        losses, hits = answer_losses(model, batch)
        known = batch.weight > 0
        total, tokens = total + losses[known].sum().item(), tokens + int(known.sum())
        for number, name in enumerate(FIELDS):
            mine = known & (batch.field == number)
            wrong = set(batch.row[mine & ~hits].tolist())
            asked = set(batch.row[mine].tolist())
            count[name] += len(asked)
            right[name] += len(asked - wrong)
    model.train()
    shares = {name: right[name] / count[name] for name in FIELDS if count[name]}
    return {"dev_loss": total / tokens, **shares}


def _evaluate_and_keep(model, optimizer, schedule, dev, progress, folder, report) -> None:
    scores = dev_scores(model, dev)
    if scores["dev_loss"] < progress.best_loss:
        progress.best_loss, progress.best_step = scores["dev_loss"], progress.step
        _save(folder / BEST, {"weights.pt": get_peft_model_state_dict(model)}, progress)
    state = {
        "weights.pt": get_peft_model_state_dict(model),
        "trainer.pt": {
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "random": torch.get_rng_state(),
        },
    }
    _save(folder / CHECKPOINT, state, progress)
    report({"step": progress.step, "best_step": progress.best_step, **scores})


def _save(folder: Path, state: dict[str, Any], progress: Progress) -> None:
    """Write beside the final name, then swap: a kill leaves the old one or the new one."""
    fresh, old = folder.with_suffix(".new"), folder.with_suffix(".old")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, value in state.items():
        with open(fresh / name, "wb") as file:
            torch.save(value, file)
            file.flush()
            os.fsync(file.fileno())
    (fresh / "progress.json").write_text(json.dumps(vars(progress)))
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _resume(model, optimizer, schedule, folder: Path) -> Progress:
    found = folder / CHECKPOINT
    if not found.exists():
        found = found.with_suffix(".old")  # killed between the two renames
    if not found.exists():
        return Progress()
    load_lora(model, _load(found / "weights.pt"))
    state = _load(found / "trainer.pt")
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    torch.set_rng_state(state["random"])
    return Progress(**json.loads((found / "progress.json").read_text()))


def _load(file: Path) -> Any:
    return torch.load(file, map_location="cpu", weights_only=True)
