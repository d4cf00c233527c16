"""The prompt style `wire`: question and answer as JSON, as the wire format has them. For comparison
with models that were trained so; readers' engine does not speak it.

    <bos>{"context": "I'll call Tom back.", "target": "back", "idx": 1}⏎
    {"class": "verb", "zh": "回", "phrase": "call back|回电话"}⏎
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from engine.prompt import FIELDS, SensePrompt
from engine.sense import Query, Sense, to_wire
from trainer.recipe import WIRE

_CLASS, _PHRASE, _MEANING = (FIELDS.index(name) for name in ("class", "phrase", "meaning"))


@dataclass(frozen=True)
class WireAnswer:
    """An answer's tokens in the order of the wire format: class, meaning, phrase."""

    pieces: tuple[tuple[int, tuple[int, ...], bool], ...]  # field number, tokens, structure
    meaning: tuple[int, ...] = ()

    def marked(self) -> tuple[tuple[int, int, bool], ...]:
        """Each token with its field's number, and whether it holds the answer together."""
        return tuple((token, n, holds) for n, tokens, holds in self.pieces for token in tokens)


class WirePrompt(SensePrompt):
    """The text side of task `sense` in JSON. Nothing of a prompt is shared between words."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        super().__init__(tokenizer)
        self.style = WIRE

    def parts(
        self, query: Query, hint: Sequence[int] = ()
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        asked = {"context": query.context, "target": query.target, "idx": query.idx}
        bos = self.tokenizer.bos_token_id
        text = json.dumps(asked, ensure_ascii=False)
        ids = self.tokenizer(f"{text}\n", add_special_tokens=False).input_ids
        return (*([] if bos is None else [bos]), *ids), ()

    def answer(self, query: Query, sense: Sense) -> WireAnswer:  # type: ignore[override]
        wire = {k: json.dumps(v, ensure_ascii=False) for k, v in to_wire(query, sense).items()}
        pieces = (
            (_CLASS, '{"class": ', True), (_CLASS, wire["class"], False),
            (_MEANING, ', "zh": ', True), (_MEANING, wire["zh"], False),
            (_PHRASE, ', "phrase": ', True), (_PHRASE, wire["phrase"], False),
            (_PHRASE, "}\n", True),
        )  # fmt: skip
        return WireAnswer(tuple((n, self.ids(text), holds) for n, text, holds in pieces))


def prompt_for(tokenizer: PreTrainedTokenizerBase, style: str, pair: str) -> SensePrompt:
    """The prompt of a recipe's style and pair."""
    if style == WIRE:
        return WirePrompt(tokenizer)
    return SensePrompt(tokenizer, style, pair.partition("-")[2])
