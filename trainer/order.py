"""The order of a run's batches, fixed by the seed: any step's batches can be had without those
before it, so a run that was stopped goes on exactly where it was. Pure.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

from trainer.recipe import Recipe
from trainer.rows import Pack, bucketed


class Order:
    """All batches of a run. Each epoch has the packs `own`, and as many of `older` (the next ones
    each time) as make their rows the recipe's share of it."""

    def __init__(self, recipe: Recipe, own: Sequence[Pack], older: Sequence[Pack] = ()):
        self._recipe, self._own, self._older = recipe, own, older
        rows = sum(len(pack.rows) for pack in own)
        self._replayed = round(rows * recipe.replay / (1 - recipe.replay)) if older else 0
        self._starts = [0]  # numbers of the packs in `older` at which epochs begin
        batches = len(self.batches_of(0))
        whole = max(1, math.ceil(recipe.epochs * batches / recipe.accumulation))
        self.steps = recipe.steps or whole
        self.rows = sum(len(pack.rows) for pack in self.packs_of(0))

    def packs_of(self, epoch: int) -> list[Pack]:
        """The packs of an epoch, in the order they were given."""
        if not self._replayed:
            return list(self._own)
        while len(self._starts) <= epoch + 1:
            self._starts.append(self._end(self._starts[-1]))
        first, last = self._starts[epoch : epoch + 2]
        count = len(self._older)
        return [*self._own, *(self._older[i % count] for i in range(first, last))]

    def packs(self) -> list[Pack]:
        """All packs there are, own and older."""
        return [*self._own, *self._older]

    def changed(self, change: Callable[[Pack], Pack]) -> Order:
        """The same order of changed packs."""
        return Order(self._recipe, list(map(change, self._own)), list(map(change, self._older)))

    def _end(self, start: int) -> int:
        """The number behind the packs from `start` on that hold enough rows."""
        rows = 0
        for number in itertools.count(start):
            if rows >= self._replayed or number - start >= len(self._older):
                return number
            rows += len(self._older[number % len(self._older)].rows)
        raise AssertionError

    def batches_of(self, epoch: int) -> list[list[Pack]]:
        """The epoch's batches."""
        recipe = self._recipe
        return list(bucketed(self.packs_of(epoch), recipe.batch, recipe.seed, epoch))

    def from_step(self, step: int) -> Iterator[list[list[Pack]]]:
        """The batches of each step, from this one on, without end."""
        endless = itertools.chain.from_iterable(map(self.batches_of, itertools.count()))
        count = self._recipe.accumulation
        rest = itertools.islice(endless, step * count, None)
        while True:
            yield list(itertools.islice(rest, count))
