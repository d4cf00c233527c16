"""Rows of tokens that grow from one prefix, in one KV cache: a tree.

Every token sees the tokens that its own row is made of and no others; rows that part are not
copied, and rows of different lengths are not padded. Knows no task: tokens in, hidden states and
logits out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F
from transformers import DynamicCache, PreTrainedModel

Span = tuple[int, int]  # places [first, last) of a tree


@dataclass(frozen=True)
class _Row:
    """One row: where its tokens stand in the tree, in order, and how many they are."""

    spans: tuple[Span, ...] = ()
    length: int = 0

    def grown(self, first: int, count: int) -> _Row:
        """The row with `count` tokens more, which stand from `first` on."""
        if self.spans and self.spans[-1][1] == first:
            return _Row((*self.spans[:-1], (self.spans[-1][0], first + count)), self.length + count)
        return _Row((*self.spans, (first, first + count)), self.length + count)


Piece = tuple[_Row | int, Sequence[int]]
"""What tokens go on: a row, or the number of an earlier piece; and the tokens."""


class _Tree:
    """All rows behind one prefix. Its cache has no sliding window: a row sees all of itself, as in
    training."""

    def __init__(self) -> None:
        self.cache = DynamicCache()
        self.size = 0


@dataclass(frozen=True)
class Prefix:
    """What all rows share, already run through the model."""

    tree: _Tree
    row: _Row


class Runner:
    """Runs one model: prefixes, branches, and logits over chosen rows of the head."""

    def __init__(self, model: PreTrainedModel):
        self.decoder = model.get_decoder()
        self.head = model.get_output_embeddings().weight
        self.device = self.head.device
        self._cap = getattr(model.config, "final_logit_softcapping", None)

    def begin(
        self, prefix: Sequence[int], tokens: Sequence[Sequence[int]]
    ) -> tuple[Prefix, Branches, torch.Tensor]:
        """Run a prefix and the first tokens of branches behind it, all at once; with the hidden
        states of each branch's last token: (branches, width)."""
        tree = _Tree()
        pieces: list[Piece] = [(_Row(), prefix), *((0, mine) for mine in tokens)]
        (row, *rows), hidden = self._grow(tree, pieces)
        return Prefix(tree, row), Branches(self, tree, rows), hidden[1:]

    def branch(self, prefix: Prefix, rows: int) -> Branches:
        """That many branches behind a prefix."""
        return Branches(self, prefix.tree, [prefix.row] * rows)

    def _grow(self, tree: _Tree, pieces: Sequence[Piece]) -> tuple[list[_Row], torch.Tensor]:
        """Run pieces (one token at least each) through the model; the rows that end with them, and
        the hidden states of their last tokens."""
        first, count = tree.size, sum(len(tokens) for _, tokens in pieces)
        mask = torch.zeros(count, first + count, dtype=torch.bool)
        positions: list[int] = []
        ends: list[int] = []
        rows: list[_Row] = []
        for parent, tokens in pieces:
            at, end = len(positions), len(positions) + len(tokens)
            row = rows[parent] if isinstance(parent, int) else parent
            for low, high in row.spans:
                mask[at:end, low:high] = True
            mask[at:end, first + at : first + end] = _earlier(len(tokens))
            positions += range(row.length, row.length + len(tokens))
            rows.append(row.grown(first + at, len(tokens)))
            ends.append(end - 1)
        ids = torch.tensor([[token for _, tokens in pieces for token in tokens]])
        states = self.decoder(
            input_ids=ids.to(self.device),
            attention_mask=mask[None, None].to(self.device),
            position_ids=torch.tensor([positions], device=self.device),
            past_key_values=tree.cache,
            use_cache=True,
        )
        tree.size = first + count
        return rows, states.last_hidden_state[0, torch.tensor(ends, device=self.device)]

    def logits(self, hidden: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
        """float32 logits of hidden states (rows, width) over rows of the head (ids, width)."""
        return self.capped(F.linear(hidden, head).float())

    def own_logits(self, hidden: torch.Tensor, tokens: Sequence[int]) -> torch.Tensor:
        """One logit a row, (rows, 1): that of the row's own token."""
        head = self.head[torch.tensor(tokens, device=self.device)]
        return self.capped((hidden * head).sum(-1, keepdim=True).float())

    def capped(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.tanh(logits / self._cap) * self._cap if self._cap else logits


class Branches:
    """Rows of one tree, each growing by its own tokens."""

    def __init__(self, runner: Runner, tree: _Tree, rows: list[_Row]):
        self._runner, self._tree, self._rows = runner, tree, rows

    def feed(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Append each row's tokens (one at least); hidden states of the last: (rows, width)."""
        pieces = list(zip(self._rows, tokens, strict=True))
        self._rows, hidden = self._runner._grow(self._tree, pieces)
        return hidden

    def feed_twice(
        self, tokens: Sequence[Sequence[int]], more: Sequence[int]
    ) -> tuple[torch.Tensor, Branches, torch.Tensor]:
        """Append each row's tokens; and, in branches of their own, `more` behind each. The hidden
        states of both last tokens: (rows, width) each."""
        count = len(self._rows)
        pieces: list[Piece] = [*zip(self._rows, tokens, strict=True)]
        pieces += [(number, more) for number in range(count)]
        rows, hidden = self._runner._grow(self._tree, pieces)
        self._rows = rows[:count]
        return hidden[:count], Branches(self._runner, self._tree, rows[count:]), hidden[count:]

    def copy(self) -> Branches:
        """The same rows, to grow another way."""
        return Branches(self._runner, self._tree, list(self._rows))

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; one may be kept several times."""
        self._rows = [self._rows[row] for row in rows]

    def put(self, numbers: Sequence[int], others: Branches) -> None:
        """Rows of the same tree in place of the rows with these numbers."""
        for number, row in zip(numbers, others._rows, strict=True):
            self._rows[number] = row


def _earlier(count: int) -> torch.Tensor:
    """(count, count): True where a token sees another of the same piece."""
    return torch.ones(count, count, dtype=torch.bool).tril()
