"""When a run gets worse: which evaluations count as degraded, and what follows. Pure.

Degraded is an evaluation whose rows score less than at the best one, beyond the 95 % interval of
a paired bootstrap over sentences, twice running, or by more than a share that the recipe states,
once; or a loss that is no number, or three times its median over some steps (more of them where a
step is few sentences: one sentence's loss is often three times another's). The run then goes back
to its best weights and optimizer at half the rate, at most twice.
"""

from __future__ import annotations

import math
import random
import statistics
from collections import deque
from collections.abc import Sequence

from trainer.checkpoints import Progress

MOST_ROLLBACKS = 2
_RUNNING = 2  # degraded evaluations in a row that are believed
_SPIKE = 3.0  # times the median
_RECENT, _WINDOW = 5, 20  # steps whose mean is compared; times as many it is compared with
_SENTENCES = 32  # that those steps have at least
_DRAWS = 1000


def interval(values: Sequence[float], seed: int = 1) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean of some values, one a sentence."""
    draw = random.Random(seed)
    count = len(values)
    means = sorted(sum(draw.choices(values, k=count)) / count for _ in range(_DRAWS))
    return means[round(0.025 * (_DRAWS - 1))], means[round(0.975 * (_DRAWS - 1))]


def is_worse(now: Sequence[float], best: Sequence[float]) -> bool:
    """Whether sentences score less than they did, beyond the interval of the difference."""
    return interval([a - b for a, b in zip(now, best, strict=True)])[1] < 0


class Guard:
    """Judges a run's evaluations and losses; what it remembers of evaluations stands in the run's
    progress, which is saved with each checkpoint."""

    def __init__(
        self,
        progress: Progress,
        patience: int = 0,
        drop: float = 0.0,
        sentences: int = _SENTENCES,
    ):
        """`sentences`: of a step; `drop`: the share of the best score, or of the best loss where
        no rows are scored, by which an evaluation may be worse; 0: no such bound."""
        self.progress, self._patience, self._drop = progress, patience, drop
        self._recent = max(_RECENT, math.ceil(_SENTENCES / sentences))
        self._losses: deque[float] = deque(maxlen=_WINDOW * self._recent)

    def judge(self, loss: float, rows: Sequence[float]) -> str:
        """What an evaluation is: best, fine, worse, or nan. `rows`: each dev sentence's score, ()
        where only the loss is watched."""
        now = self.progress
        if not math.isfinite(loss):
            return "nan"
        score = statistics.fmean(rows) if rows else -math.inf
        if (score, -loss) > (now.best_score, -now.best_loss):
            now.best_score, now.best_loss, now.best_rows = score, loss, tuple(rows)
            now.best_step, now.bad, now.waited = now.step, 0, 0
            return "best"
        now.waited += 1
        if self._is_below(loss, score, bool(rows)):
            return "worse"
        now.bad = now.bad + 1 if rows and is_worse(rows, now.best_rows) else 0
        return "worse" if now.bad >= _RUNNING else "fine"

    def _is_below(self, loss: float, score: float, scored: bool) -> bool:
        """Whether an evaluation is worse than the best by more than the bound."""
        if not self._drop:
            return False
        best = self.progress
        if scored:
            return score < best.best_score * (1 - self._drop)
        return loss > best.best_loss * (1 + self._drop)

    def watch(self, loss: float) -> str:
        """What a step's loss is: fine, spike or nan."""
        if not math.isfinite(loss):
            return "nan"
        self._losses.append(loss)
        if len(self._losses) < 4 * self._recent:
            return "fine"
        recent = statistics.fmean(list(self._losses)[-self._recent :])
        return "spike" if recent > _SPIKE * statistics.median(self._losses) else "fine"

    def is_patient(self) -> bool:
        """Whether there is still gain to be expected."""
        return not self._patience or self.progress.waited < self._patience

    def roll_back(self) -> bool:
        """Note that the run goes back to its best; False where it has done so often enough."""
        self._losses.clear()
        now = self.progress
        now.bad = 0
        if now.rollbacks >= MOST_ROLLBACKS:
            return False
        now.rollbacks, now.scale = now.rollbacks + 1, now.scale / 2
        return True
