"""The slow path: every row run alone from its beginning, through the library's own model. No tree,
no cache, no batch, no lean body; what the engine does to be fast must not change its answers."""

from __future__ import annotations

from typing import Any

import torch

from engine.branches import Row, Runner
from engine.lean import Part


class Alone(Runner):
    """A runner that runs each piece of a task as a text of its own."""

    def run(self, task: Any) -> Any:
        texts: dict[Row, tuple[int, ...]] = {Row(): ()}
        size = 0
        try:
            pieces = next(task)
            while True:
                rows: list[Row] = []
                for parent, tokens in pieces:
                    before = rows[parent] if isinstance(parent, int) else parent
                    rows.append(before.grown(size, len(tokens)))
                    size += len(tokens)
                    texts[rows[-1]] = (*texts[before], *tokens)
                states = [self.last_state(texts[row]) for row in rows]
                pieces = task.send((rows, torch.stack(states)))
        except StopIteration as end:
            return end.value

    def last_state(self, text: tuple[int, ...]) -> torch.Tensor:
        """The hidden state of a text's last token."""
        ids = torch.arange(len(text))
        mask = torch.ones(len(text), len(text), dtype=torch.bool).tril()
        return self.body(torch.tensor(text), ids, [Part(mask, self.body.cache())])[-1]
