"""Task `translation`: what the model reads and writes for a whole sentence, and the writing of it.

    <bos>Translate this from English to Chinese:⏎English: He is here.⏎Chinese: 他在这里。<eos>

An answer is one line: it ends with the tokenizer's end-of-text, or at the first line end behind it.
A translator made from nothing has a token for each language instead: <en> He is here. <zh>
Works with any causal language model, with whatever adapter is active in it; knows no folders.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from engine.greedy import Growing, grow_on
from engine.names import LANGUAGES as LANGUAGES
from engine.names import languages as languages
from engine.sense import QueryError, clean_context
from engine.translator import TAGGED

TRANSLATION_VERSION = "translation-1"  # part of a kept answer's key: change it with the text
_BATCH = 32
_TORN = "\ufffd"  # what bytes of a character that is not whole are read as

Progress = Callable[[int, int], None]
"""Called with sentences done and sentences in all."""


@dataclass(frozen=True)
class TranslationStyle:
    """One way to ask for a translation; `opening` has places for both languages' names."""

    name: str
    opening: str

    def text(self, sentence: str, source: str, target: str) -> str:
        """The whole prompt, up to where the answer begins."""
        opening = self.opening.format(source=source, target=target)
        return f"{opening}\n{source}: {sentence}\n{target}:"


STYLES = {
    one.name: one
    for one in (
        TranslationStyle("short", "Translate this from {source} to {target}:"),
        TranslationStyle("long", "Translate the following text from {source} to {target}:"),
    )
}


class TranslationPrompt:
    """The text side of task `translation` for one tokenizer and style."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, style: str = "short"):
        if style not in STYLES:
            raise ValueError(f"no prompt style {style!r}; there are {', '.join(STYLES)}")
        if tokenizer.eos_token_id is None:
            raise ValueError("this tokenizer has no token that ends a text")
        self.tokenizer, self.style = tokenizer, style
        self.end: int = tokenizer.eos_token_id
        # What the tokenizer itself begins texts with: a base saw no other beginning.
        first = list(tokenizer("").input_ids)[:1]
        self._begin = tuple(first) if first == [tokenizer.bos_token_id] else ()

    def parts(self, sentence: str, pair: str) -> tuple[int, ...]:
        """The prompt's tokens; QueryError where a language of the pair is not known."""
        text = STYLES[self.style].text(_plain(sentence), *languages(pair))
        return (*self._begin, *self._ids(text))

    def answer(self, text: str) -> tuple[int, ...]:
        """The tokens of a translation, with the one that ends it."""
        return (*self._ids(f" {_plain(text)}"), self.end)

    def room(self, sentence: str) -> int:
        """How many tokens a translation of this sentence may have: four for each of its own, which
        scripts that are cut finely need, and some."""
        return 16 + 4 * len(self._ids(_plain(sentence)))

    def read(self, tokens: Sequence[int]) -> tuple[str, bool]:
        """The translation that these tokens have written so far, without torn characters, and
        whether it has ended."""
        ended = self.end in tokens
        kept = tokens[: list(tokens).index(self.end)] if ended else tokens
        text = str(self.tokenizer.decode(list(kept), skip_special_tokens=True)).lstrip()
        line, broken, _ = text.partition("\n")
        return line.rstrip(f"{_TORN} \t\r"), ended or bool(broken)

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)


class TaggedPrompt(TranslationPrompt):
    """The same for translators that were made from nothing: the sentence between its language's
    token and that of the language it is to be in."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        super().__init__(tokenizer)
        self.style, self._begin = TAGGED, ()

    def parts(self, sentence: str, pair: str) -> tuple[int, ...]:
        source, _, target = pair.partition("-")
        return (self._tag(source, pair), *self._ids(_plain(sentence)), self._tag(target, pair))

    def answer(self, text: str) -> tuple[int, ...]:
        return (*self._ids(_plain(text)), self.end)

    def _tag(self, language: str, pair: str) -> int:
        found = self.tokenizer.get_vocab().get(f"<{language}>")
        if found is None:
            raise QueryError("unknown_pair", pair=pair)
        return found

    def _ids(self, text: str) -> list[int]:
        # Whatever somebody writes is text: `</s>` in it ends nothing.
        told = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return list(told.input_ids)


def prompt_of(tokenizer: PreTrainedTokenizerBase, style: str) -> TranslationPrompt:
    """The prompt that a card's style names; ValueError where there is none."""
    return TaggedPrompt(tokenizer) if style == TAGGED else TranslationPrompt(tokenizer, style)


def room_behind(model: Any, prompt: Sequence[int], most: int) -> int:
    """`most` tokens, or as many as the model's positions leave behind the prompt. QueryError where
    the prompt takes more than half of them: what it asks for would not have room."""
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions is None:
        return most
    if 2 * len(prompt) > positions:
        raise QueryError("no_room", tokens=len(prompt), limit=positions // 2)
    return min(most, positions - len(prompt))


class Line:
    """A translation as it is written, a token at a time, by whatever chooses the tokens."""

    def __init__(self, prompt: TranslationPrompt, most: int):
        """`most`: tokens at most."""
        self._prompt, self._tokens, self._most = prompt, list[int](), most
        self.text, self.ended = "", False

    def put(self, token: int) -> bool:
        """Take the next token; whether there is more to come. `text` is the whole text so far;
        `ended` says that it came to its end, not only to the most that is allowed."""
        self._tokens.append(token)
        text, self.ended = self._prompt.read(self._tokens)
        if len(text) > len(self.text):  # bytes of a torn character may hide what stood before them
            self.text = text
        return not self.ended and len(self._tokens) < self._most


class Writing(Line):
    """A line that one model writes alone, a token a step, through a cache of its own. Between steps
    the model may do other things, under other adapters."""

    def __init__(
        self, model: Any, prompt: TranslationPrompt, sentence: str, pair: str, most: int = 0
    ):
        asked = prompt.parts(sentence, pair)
        super().__init__(prompt, room_behind(model, asked, most or prompt.room(sentence)))
        self._growing = Growing(model, [asked])

    def step(self) -> bool:
        """Write a token; whether there is more to come."""
        (token,) = self._growing.step()
        return self.put(token)


def write(
    model: Any, prompt: TranslationPrompt, sentence: str, pair: str, most: int = 0
) -> Iterator[str]:
    """The whole translation so far, each time it grows: greedy, up to the sentence's end or `most`
    tokens (0: what it has room for). QueryError where the model cannot read so long a sentence."""
    writing, shown, more = Writing(model, prompt, sentence, pair, most), "", True
    while more:
        more = writing.step()
        if writing.text != shown:
            shown = writing.text
            yield shown


@dataclass(frozen=True)
class Translated:
    """A translation as it came with nothing to stop it but the model itself. `text`: up to its end,
    in `tokens` tokens; `ended`: there is an end, so that readers' line is whole; `over`: tokens
    written behind it; `stopped`: the model ended the text itself, straight behind the line;
    `whole`: all that was written."""

    text: str
    tokens: int
    ended: bool
    over: int
    stopped: bool
    whole: str = ""


@dataclass(frozen=True)
class Asked:
    """A sentence and how it is asked for."""

    sentence: str
    prompt: TranslationPrompt
    pair: str


Begin = Callable[[Sequence[int], Sequence[Sequence[int]]], Growing]
"""Called with the numbers of rows and their prompts: the batch that writes them."""


def translate_all(
    model: Any,
    prompt: TranslationPrompt,
    sentences: Sequence[str],
    pair: str,
    progress: Progress = lambda done, of: None,
) -> list[Translated]:
    """Translations of many sentences, in order; greedy. Each is let write on behind its end, as far
    as its sentence has room, so that what it writes too much is counted; the text is what `write`
    gives, and nothing where that refuses the sentence."""
    asked = [Asked(sentence, prompt, pair) for sentence in sentences]
    return write_on(asked, model, lambda rows, prompts: Growing(model, prompts), progress)


def write_on(
    asked: Sequence[Asked], model: Any, begin: Begin, progress: Progress = lambda done, of: None
) -> list[Translated]:
    """The same for rows that differ in how they are asked for. `model`: whose positions they have;
    `begin` makes the batches."""
    prompts = [one.prompt.parts(one.sentence, one.pair) for one in asked]
    rooms = [
        _room_or_none(model, prompt, one.prompt.room(one.sentence))
        for prompt, one in zip(prompts, asked)
    ]
    order = sorted(
        (n for n, room in enumerate(rooms) if room), key=lambda n: len(asked[n].sentence)
    )
    found = {n: Translated("", 0, False, 0, False) for n, room in enumerate(rooms) if not room}
    for start in range(0, len(order), _BATCH):
        some = order[start : start + _BATCH]

        def is_over(row: int, tokens: Sequence[int], some: Sequence[int] = some) -> bool:
            n = some[row]
            return tokens[-1] == asked[n].prompt.end or len(tokens) >= rooms[n]

        growing = begin(some, [prompts[n] for n in some])
        written = grow_on(growing, len(some), is_over, max(rooms[n] for n in some))
        found |= {n: _measure(asked[n].prompt, tokens) for n, tokens in zip(some, written)}
        progress(len(found), len(asked))
    return [found[n] for n in range(len(asked))]


def _room_or_none(model: Any, prompt: Sequence[int], most: int) -> int:
    try:
        return room_behind(model, prompt, most)
    except QueryError:
        return 0


def _measure(prompt: TranslationPrompt, tokens: Sequence[int]) -> Translated:
    text, ended = prompt.read(tokens)
    stopped = tokens[-1] == prompt.end
    kept = list(tokens[:-1] if stopped else tokens)
    whole = str(prompt.tokenizer.decode(kept, skip_special_tokens=True))
    if not ended:
        return Translated(text, len(kept), False, 0, False, whole)
    # The token that breaks the line is no part of it.
    within = next((n for n in range(len(kept)) if prompt.read(kept[: n + 1])[1]), len(kept))
    over = len(kept) - within
    return Translated(text, within, True, over, stopped and not over, whole)


def _plain(text: str) -> str:
    """One line, with compatible forms composed, so that one look has one spelling for the model."""
    return unicodedata.normalize("NFC", clean_context(text))
