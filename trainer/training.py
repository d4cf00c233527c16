"""The training loop: steps, evaluations, checkpoints, resume, and its guard's rollbacks.

Everything a run makes lies in one folder; `fit` goes on from there when it is called again, and
step for step it is the same run as one that was never stopped. On accelerate, so the same recipe
runs on one core or on many machines. Knows no screen, no job and no data.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import torch
from accelerate import Accelerator
from torch import nn

from engine.memory import give_back
from trainer.averaging import AveragedAdamW
from trainer.checkpoints import BEST, CHECKPOINT, Progress, State, discard, load, save
from trainer.guard import Guard, interval
from trainer.losses import AnswerLoss, Candidates
from trainer.pace import Learnt, Pace, Steps
from trainer.parallel import prepare
from trainer.troubles import name_trouble

_TIDY = 20  # steps after which freed memory is given back to the system
_REPORTS = 200  # of a run's steps, at most, and every 20th at least

Report = Callable[[dict[str, Any]], None]


class TrainingError(RuntimeError):
    """A run that cannot go on; `code` names the reason, the text says what to do."""

    def __init__(self, code: str, text: str):
        self.code = code
        super().__init__(text)


@dataclass(frozen=True)
class Watched:
    """An evaluation: its figures, among them `dev_loss`, each dev sentence's score, and what was
    wrong with its answers, with examples."""

    figures: Mapping[str, float]
    sentences: tuple[float, ...] = ()
    errors: Mapping[str, Any] = field(default_factory=dict)


def fit(
    model: nn.Module,
    recipe: Pace,
    order: Steps,
    watch: Callable[[nn.Module], Watched],
    candidates: Candidates | None,
    folder: Path,
    report: Report,
    stopped: Callable[[], bool] = lambda: False,
    compute: torch.dtype = torch.float32,
    accelerator: Accelerator | None = None,
    make_loss: Callable[[nn.Module, torch.dtype], Any] = AnswerLoss,
    make_optimizer: Callable[[Weights, Pace], torch.optim.Optimizer] | None = None,
) -> bool:
    """Train to the recipe's end and leave the weights it keeps in the model; False when stopped.

    Goes on from the folder's checkpoint where there is one. `report` gets one dict an event;
    `candidates` None: a step's softmax sees all tokens. TrainingError where memory or disk do not
    suffice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        loss = make_loss(model, compute)
        optimizer = (make_optimizer or _adamw)(_trained(model), recipe)
        run = _Run(loss, optimizer, recipe, order, watch, candidates, folder, report, accelerator)
        return run.go(stopped)
    except Exception as error:
        code, advice = name_trouble(error)
        if not code:
            raise
        raise TrainingError(code, advice) from error


Weights = Mapping[str, nn.Parameter]
"""What is trained of a model, by name."""


def _trained(model: nn.Module) -> Weights:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def _adamw(weights: Weights, recipe: Pace) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        weights.values(), lr=recipe.rate, weight_decay=recipe.weight_decay, fused=True
    )


class _Run:
    """What `fit` holds while it is at work."""

    def __init__(
        self, loss, optimizer, recipe, order, watch, candidates, folder, report, accelerator
    ):
        model = loss.model
        self.model, self.recipe, self.order, self.watch = model, recipe, order, watch
        self.candidates, self.folder, self.report = candidates, folder, report
        cpu = next(model.parameters()).device.type == "cpu"
        self.accelerator = accelerator or Accelerator(cpu=cpu)
        self.weights = _trained(model)
        self.make_batch, self.pieces = loss.make_batch, loss.pieces
        self.mean = optimizer if isinstance(optimizer, AveragedAdamW) else None
        self.loss, self.optimizer = prepare(self.accelerator, loss, optimizer)
        sentences = recipe.sentences_a_step
        self.guard = Guard(Progress(), recipe.patience, recipe.drop, sentences)
        self.began, self.first = time.monotonic(), 0
        self.spent = 0.0  # seconds of evaluations since the last report

    @property
    def progress(self) -> Progress:
        return self.guard.progress

    def go(self, stopped: Callable[[], bool]) -> bool:
        if not self._resume(self.folder / CHECKPOINT):
            if self.accelerator.is_main_process:
                discard(self.folder)
            self.accelerator.wait_for_everyone()
            if self._evaluate() == "nan":
                raise TrainingError("nan", "The base's own loss is no number: try another dtype.")
        every = max(1, min(20, self.order.steps // _REPORTS or 1))
        rows, losses, self.spent = 0, [], 0.0
        self.began = clock = time.monotonic()
        self.model.train()
        steps = self.order.from_step(self.progress.step)
        while self.progress.step < self.order.steps and not self.progress.over:
            batches = next(steps)
            losses.append(self._step(batches))
            self.progress.step += 1
            rows += sum(pack.count for batch in batches for pack in batch)
            state, last = self.guard.watch(losses[-1]), self.progress.step == self.order.steps
            if self.progress.step % every == 0 or last:
                self._tell(losses, rows, time.monotonic() - clock - self.spent)
                rows, losses, clock, self.spent = 0, [], time.monotonic(), 0.0
            if self.progress.step % _TIDY == 0:
                give_back()
            if state == "fine" and (self.progress.step % self.recipe.evaluate_every == 0 or last):
                state = self._evaluate()
            if state not in ("best", "fine"):
                self._roll_back(state)
            elif not self.guard.is_patient():
                self._end_early()
            if self._is_stopped(stopped):
                self._save(self.folder / CHECKPOINT)
                self.report({"event": "stopped", "step": self.progress.step})
                return False
        if self.recipe.keep == "best" or self.progress.bad or self.progress.over == "given_up":
            self._restore(_whole(self.folder / BEST))
        elif self.mean:
            self.mean.settle()
        self.model.eval()
        return True

    def _step(self, batches: Sequence[Sequence[Learnt]]) -> float:
        """One step of the optimizer over these batches; the loss, a mean by weight."""
        recipe, world = self.recipe, self.accelerator.num_processes
        weight = max(1.0, sum(pack.weight for batch in batches for pack in batch))
        # The same step draws the same dropout, whether the run was stopped before it or not.
        torch.manual_seed((recipe.seed * 1_000_003 + self.progress.step) * world + self._rank)
        rate = recipe.rate * self.progress.scale * rate_at(self.progress.step, self.order, recipe)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.accelerator.device)
        for number, batch in enumerate(batches):
            total += self._backward(batch, weight, number == len(batches) - 1)
        if world > 1:
            total = self.accelerator.reduce(total, "sum")
        self.accelerator.clip_grad_norm_(list(self.weights.values()), recipe.clip)
        self.optimizer.step()
        return float(total)

    def _backward(self, batch: Sequence[Learnt], weight: float, last: bool) -> torch.Tensor:
        """Add this process's share of a batch to the gradients, in pieces that the memory bears;
        its part of the loss. The step's last piece is where processes meet."""
        world, device = self.accelerator.num_processes, self.accelerator.device
        mine = batch[self._rank :: world]
        share = float(world if mine else 0)  # every process must take part; the mean is taken
        # All processes and pieces see one softmax, that of the whole batch.
        chosen = None
        if self.candidates:
            chosen = self.candidates.of(self.make_batch(batch).to(device), self.progress.step)
        parts = self.pieces(mine or batch[:1], self.recipe.tokens_at_once)
        total = torch.zeros((), device=device)
        for number, part in enumerate(parts):
            met = last and number == len(parts) - 1
            with nullcontext() if met else self.accelerator.no_sync(self.loss):
                made = self.make_batch(part).to(device)
                losses, _ = self.loss(made, chosen)
                loss = share * (losses * made.weight).sum() / weight
                self.accelerator.backward(loss)
                total += loss.detach() / world
        return total

    def _tell(self, losses: list[float], rows: int, seconds: float) -> None:
        done, steps = self.progress.step, self.order.steps
        rate = self.optimizer.param_groups[0]["lr"]
        spent = time.monotonic() - self.began
        event = {
            "event": "step", "step": done, "steps": steps, "loss": sum(losses) / len(losses),
            "rate": rate, "rows_per_second": rows / max(seconds, 1e-9),
            "memory_gb": psutil.Process().memory_info().rss / 1e9,
            "left_seconds": spent / max(1, done - self.first) * (steps - done),
        }  # fmt: skip
        self.report({k: v if not isinstance(v, float) or math.isfinite(v) else None
                     for k, v in event.items()})  # fmt: skip

    def _evaluate(self) -> str:
        """Score the weights as they are, and keep them; what the guard says of them."""
        clock = time.monotonic()
        self.model.eval()
        with self.mean.averaged() if self.mean else nullcontext():
            found = self.watch(self.model)
            said = self.guard.judge(found.figures["dev_loss"], found.sentences)
            if said == "best":
                self._save(self.folder / BEST)
        self.model.train()
        figures = {k: v for k, v in found.figures.items() if math.isfinite(v)}
        if found.sentences:
            low, high = interval(found.sentences)
            score = sum(found.sentences) / len(found.sentences)
            figures |= {"score": score, "low": low, "high": high}
        best = said == "best"
        self.report({"event": "dev", "step": self.progress.step, **figures, "best": best})
        if found.errors:
            self.report({"event": "errors", "step": self.progress.step, **found.errors})
        if said in ("best", "fine"):
            self._save(self.folder / CHECKPOINT)
        self.spent += time.monotonic() - clock
        return said

    def _end_early(self) -> None:
        self.progress.over = "early"
        self.report({"event": "early", "step": self.progress.step})
        self._save(self.folder / CHECKPOINT)

    def _roll_back(self, reason: str) -> None:
        best, step = _whole(self.folder / BEST), self.progress.step
        goes_on = self.guard.roll_back()
        self.progress.over = "" if goes_on else "given_up"
        self._restore(best)
        rate = self.recipe.rate * self.progress.scale
        event = {"step": step, "to_step": self.progress.best_step, "reason": reason, "rate": rate}
        self.report({"event": "rollback" if goes_on else "given_up", **event})
        self._save(self.folder / CHECKPOINT)

    def _restore(self, state: State) -> None:
        """Take a state's weights and optimizer; where the run stands is left as it is."""
        _put(state.weights, self.weights)
        self.optimizer.load_state_dict(state.optimizer)

    def _resume(self, folder: Path) -> bool:
        state = load(folder)
        if state is None or load(self.folder / BEST) is None:
            return False
        self._restore(state)
        self.guard.progress = state.progress
        self.first = self.progress.step
        self.report({"event": "resumed", "step": self.progress.step})
        return True

    def _save(self, folder: Path) -> None:
        if not self.accelerator.is_main_process:
            return self.accelerator.wait_for_everyone()
        weights = {name: weight.detach().cpu() for name, weight in self.weights.items()}
        save(folder, State(weights, self.optimizer.state_dict(), self.progress))
        self.accelerator.wait_for_everyone()

    def _is_stopped(self, stopped: Callable[[], bool]) -> bool:
        """Whether the first process is asked to stop: all of them do what it does."""
        if self.accelerator.num_processes == 1:
            return stopped()
        asked = float(self.accelerator.is_main_process and stopped())
        flag = torch.tensor(asked, device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag, "sum"))

    @property
    def _rank(self) -> int:
        return self.accelerator.process_index


@torch.no_grad()
def _put(state: Mapping[str, torch.Tensor], weights: Weights) -> None:
    for name, weight in weights.items():
        weight.copy_(state[name])


def _whole(folder: Path) -> State:
    state = load(folder)
    if state is None:
        raise TrainingError("best_lost", f"The best weights in {folder} are not what was written.")
    return state


def rate_at(step: int, order: Steps, recipe: Pace) -> float:
    """The share of the peak rate at a step: a linear warm-up, then as the schedule says, cosine and
    linear down to a tenth."""
    steps = order.steps
    warmup = max(1, round(recipe.warmup * steps))
    if step < warmup:
        return (step + 1) / warmup
    past = (step - warmup) / max(1, steps - warmup)
    if recipe.schedule == "constant":
        return 1.0
    if recipe.schedule == "linear":
        return 1.0 - 0.9 * past
    return 0.1 + 0.45 * (1 + math.cos(math.pi * past))
