"""Rows of tokens that grow from one prefix, in one KV cache: a tree; and tasks that grow them.

Every token sees the tokens that its own row is made of and no others; rows that part are not
copied, and rows of different lengths are not padded. A task is a generator: it asks for growth and
is sent hidden states, and what several tasks ask for at a time is run through the model at once,
in one tree (`side_by_side`) or in a tree each (`Runner.run_all`). Knows no meaning of the tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch.nn import functional as F
from transformers import DynamicCache, PreTrainedModel

from engine.lean import LeanBody, Part
from engine.matrices import pack
from engine.rows import Rows

_MOST_LAID_OUT = 65_536  # rows of a head: 84 MB of the embedded base's

Span = tuple[int, int]  # places [first, last) of a tree
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One row: where its tokens stand in the tree, in order, and how many they are."""

    spans: tuple[Span, ...] = ()
    length: int = 0

    def grown(self, first: int, count: int) -> Row:
        """The row with `count` tokens more, which stand from `first` on."""
        if self.spans and self.spans[-1][1] == first:
            return Row((*self.spans[:-1], (self.spans[-1][0], first + count)), self.length + count)
        return Row((*self.spans, (first, first + count)), self.length + count)


Piece = tuple[Row | int, Sequence[int]]
"""What tokens (one at least) go on: a row, or the number of an earlier piece; and the tokens."""

Grown = tuple[list[Row], torch.Tensor]
"""The rows that end with the pieces, and the hidden states of their last tokens."""

Task = Generator[Sequence[Piece], Grown, T]
"""Asks for pieces, is sent what they have grown to, and returns what it is for."""


def begin(
    prefix: Sequence[int], tokens: Sequence[Sequence[int]]
) -> Task[tuple[Row, Branches, torch.Tensor]]:
    """Run a prefix and the first tokens of branches behind it, all at once; the prefix as a row,
    and the hidden states of each branch's last token: (branches, width)."""
    pieces: list[Piece] = [(Row(), prefix), *((0, mine) for mine in tokens)]
    (row, *rows), hidden = yield pieces
    return row, Branches(rows), hidden[1:]


def side_by_side(*tasks: Task[Any]) -> Task[list[Any]]:
    """Run tasks at the same time; what each returns, in order."""
    returned: list[Any] = [None] * len(tasks)
    asked: dict[int, Sequence[Piece]] = {}

    def go_on(number: int, grown: Grown | None) -> None:
        task = tasks[number]
        try:
            asked[number] = next(task) if grown is None else task.send(grown)
        except StopIteration as end:
            asked.pop(number, None)
            returned[number] = end.value

    for number in range(len(tasks)):
        go_on(number, None)
    while asked:
        pieces: list[Piece] = []
        starts: dict[int, int] = {}
        for number, mine in asked.items():
            starts[number] = start = len(pieces)
            pieces += [(on + start if isinstance(on, int) else on, new) for on, new in mine]
        rows, hidden = yield pieces
        for number, start in starts.items():
            end = start + len(asked[number])
            go_on(number, (rows[start:end], hidden[start:end]))
    return returned


class Body(Protocol):
    """The layers of a model: new tokens' ids and positions, tree by tree, and of each tree what its
    tokens see → their hidden states (new, width)."""

    def cache(self) -> Any: ...
    def __call__(
        self, ids: torch.Tensor, positions: torch.Tensor, parts: Sequence[Part]
    ) -> torch.Tensor: ...


class Runner:
    """Runs one model: tasks, and logits over chosen rows of its head."""

    def __init__(self, model: PreTrainedModel):
        body = model.get_decoder()
        self.body: Body = body if isinstance(body, LeanBody) else _PlainBody(body)
        self.head: torch.Tensor | Rows = model.get_output_embeddings().weight
        self.device = self.head.device
        self._cap = getattr(model.config, "final_logit_softcapping", None)

    def run(self, task: Task[T]) -> T:
        """Run one task, with all those inside it, in a tree of its own."""
        (returned,) = self.run_all([task])
        return returned

    def run_all(self, tasks: Sequence[Task[T]]) -> list[T]:
        """Run tasks at the same time, each in a tree of its own; what each returns, in order."""
        trees = [_Tree(self.body) for _ in tasks]
        returned: dict[int, T] = {}
        grown: Mapping[int, Grown | None] = dict.fromkeys(range(len(tasks)))
        while grown:
            asked = {}
            for number, mine in grown.items():
                task = tasks[number]
                try:
                    asked[number] = next(task) if mine is None else task.send(mine)
                except StopIteration as end:
                    returned[number] = end.value
            grown = self._grow({number: (trees[number], some) for number, some in asked.items()})
        return [returned[number] for number in range(len(tasks))]

    def _grow(self, asked: Mapping[int, tuple[_Tree, Sequence[Piece]]]) -> dict[int, Grown | None]:
        """Run what is asked of some trees through the model at once."""
        if not asked:
            return {}
        new = [tree.grow(pieces) for tree, pieces in asked.values()]
        device = self.device
        states = self.body(
            torch.tensor([token for one in new for token in one.ids], device=device),
            torch.tensor([place for one in new for place in one.positions], device=device),
            [Part(one.mask.to(device), tree.cache) for one, (tree, _) in zip(new, asked.values())],
        )
        found = states.split([len(one.ids) for one in new])
        return {
            number: (one.rows, mine[torch.tensor(one.ends, device=device)])
            for number, one, mine in zip(asked, new, found)
        }

    def logits(self, hidden: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
        """float32 logits of hidden states (rows, width) over rows of the head (ids, width)."""
        return self.capped(F.linear(hidden, head).float())

    def scorer(self, tokens: Sequence[int]) -> Callable[[torch.Tensor], torch.Tensor]:
        """As `logits` over the same tokens' rows every time, laid out once; where they are many,
        nothing is laid out, and they are chosen from all."""
        chosen = torch.tensor(tokens, device=self.device)
        whole = self.head
        if isinstance(whole, Rows):
            product = whole.matrix(chosen)
            return lambda hidden: self.capped(product(hidden).float())
        if len(tokens) > _MOST_LAID_OUT:
            return lambda hidden: self.logits(hidden, whole)[:, chosen]
        head = whole[chosen]
        if isinstance(self.body, LeanBody):
            packed = pack(head)
            return lambda hidden: self.capped(packed(hidden).float())
        return lambda hidden: self.logits(hidden, head)

    def own_logits(self, hidden: torch.Tensor, tokens: Sequence[int]) -> torch.Tensor:
        """One logit a row, (rows, 1): that of the row's own token."""
        head = self.head[torch.tensor(tokens, device=self.device)]
        return self.capped((hidden * head).sum(-1, keepdim=True).float())

    def capped(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.tanh(logits / self._cap) * self._cap if self._cap else logits


class _PlainBody:
    """Any model's own body, as the tree wants it. Its cache has no sliding window: a row sees all
    of itself, as in training."""

    def __init__(self, decoder: Any):
        self._decoder = decoder
        self._dtype = next(decoder.parameters()).dtype

    def cache(self) -> DynamicCache:
        return DynamicCache()

    def __call__(self, ids, positions, parts: Sequence[Part]) -> torch.Tensor:
        sizes = [len(part.mask) for part in parts]
        return torch.cat([
            self._run(*one) for one in zip(ids.split(sizes), positions.split(sizes), parts)
        ])  # fmt: skip

    def _run(self, ids: torch.Tensor, positions: torch.Tensor, part: Part) -> torch.Tensor:
        # Added to scores by every kind of attention; a boolean mask is not.
        unseen = torch.zeros(part.mask.shape, dtype=self._dtype, device=ids.device)
        unseen.masked_fill_(~part.mask, float("-inf"))
        return self._decoder(
            input_ids=ids[None],
            position_ids=positions[None],
            attention_mask=unseen[None, None],
            past_key_values=part.cache,
            use_cache=True,
        ).last_hidden_state[0]


@dataclass(frozen=True)
class _New:
    """New tokens of a tree: their ids and positions, which of its tokens each sees (new, all), the
    rows that end with the pieces, and the places of those ends among them."""

    ids: list[int]
    positions: list[int]
    mask: torch.Tensor
    rows: list[Row]
    ends: list[int]


class _Tree:
    """All rows of one task."""

    def __init__(self, body: Body):
        self.cache = body.cache()
        self._size = 0

    def grow(self, pieces: Sequence[Piece]) -> _New:
        """The tokens of pieces; they have their places from now on."""
        first, count = self._size, sum(len(tokens) for _, tokens in pieces)
        mask = torch.zeros(count, first + count, dtype=torch.bool)
        positions: list[int] = []
        ends: list[int] = []
        rows: list[Row] = []
        for parent, tokens in pieces:
            at, end = len(positions), len(positions) + len(tokens)
            row = rows[parent] if isinstance(parent, int) else parent
            for low, high in row.spans:
                mask[at:end, low:high] = True
            mask[at:end, first + at : first + end] = _earlier(len(tokens))
            positions += range(row.length, row.length + len(tokens))
            rows.append(row.grown(first + at, len(tokens)))
            ends.append(end - 1)
        self._size = first + count
        return _New([token for _, mine in pieces for token in mine], positions, mask, rows, ends)


class Branches:
    """Rows of one tree, each growing by its own tokens."""

    def __init__(self, rows: Sequence[Row]):
        self._rows = list(rows)

    def feed(self, tokens: Sequence[Sequence[int]]) -> Task[torch.Tensor]:
        """Append each row's tokens (one at least); hidden states of the last: (rows, width)."""
        self._rows, hidden = yield list(zip(self._rows, tokens, strict=True))
        return hidden

    def feed_twice(
        self, tokens: Sequence[Sequence[int]], more: Sequence[int], twice: Sequence[int]
    ) -> Task[tuple[torch.Tensor, Branches, torch.Tensor]]:
        """Append each row's tokens; and, in branches of their own, `more` behind the rows with the
        numbers `twice`. The hidden states of both last tokens: (rows, width), (twice, width)."""
        count = len(self._rows)
        pieces: list[Piece] = [*zip(self._rows, tokens, strict=True)]
        pieces += [(number, more) for number in twice]
        rows, hidden = yield pieces
        self._rows = rows[:count]
        return hidden[:count], Branches(rows[count:]), hidden[count:]

    def feed_along(
        self, paths: Sequence[Sequence[Sequence[int]]]
    ) -> Task[list[tuple[Branches, torch.Tensor]]]:
        """For each row a path of tokens behind it, in steps: the rows that end with its steps, and
        the hidden states there: (steps, width). The branches themselves stay."""
        pieces: list[Piece] = []
        ends = []
        for row, path in zip(self._rows, paths, strict=True):
            on: Row | int = row
            for step in path:
                pieces.append((on, step))
                on = len(pieces) - 1
            ends.append(len(pieces))
        rows, hidden = yield pieces
        return [
            (Branches(rows[end - len(path) : end]), hidden[end - len(path) : end])
            for path, end in zip(paths, ends)
        ]

    def chosen(self, rows: Sequence[int]) -> Branches:
        """The rows with these numbers, in this order, to grow another way; one may come twice."""
        return Branches([self._rows[row] for row in rows])

    @staticmethod
    def joined(parts: Sequence[Branches]) -> Branches:
        """The rows of several, in order."""
        return Branches([row for part in parts for row in part._rows])


def _earlier(count: int) -> torch.Tensor:
    """(count, count): True where a token sees another of the same piece."""
    return torch.ones(count, count, dtype=torch.bool).tril()
