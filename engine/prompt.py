"""What the model reads and writes, by task and style; the trainer and the decoder share it.

The model text of task `sense`, style `last` (what differs between words stands last, so that
all words of a sentence share one prefix; style `hinted` names a known phrase behind the word,
` back (call back):`):

    <bos> I'll call Tom back tomorrow.⏎ back: verb call back|回|回电话⏎
    <bos> I'll call Tom back tomorrow.⏎ Tom: proper noun|汤姆⏎

Fields are tokenised one by one, so a constrained decoder can rebuild exactly these tokens.
Knows a tokenizer, no model.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from transformers import PreTrainedTokenizerBase

from engine.passage import Word
from engine.script import script_of
from engine.sense import CLASSES, Query, Sense, occurrence

PROMPT_VERSION = "sense-1"  # part of every kept answer's key: change it when the text changes
STYLES = ("last", "neighbours", "marked", "hinted")
FIELDS = ("class", "phrase", "meaning", "phrase_meaning")
_BLANK, _BYTE_BLANK = "▁", "Ġ"  # a blank in a token of text, and in one of bytes


@dataclass(frozen=True)
class AnswerTokens:
    """One answer as token ids, field by field in the order the model writes them."""

    word_class: tuple[int, ...]
    phrase: tuple[int, ...]  # members and the bar after them, or only the bar
    meaning: tuple[int, ...]  # with the bar or the end after it; empty where it is unknown
    phrase_meaning: tuple[int, ...]  # with the end after it; empty without a phrase, or unknown

    def fields(self) -> tuple[tuple[int, ...], ...]:
        return self.word_class, self.phrase, self.meaning, self.phrase_meaning

    def marked(self) -> tuple[tuple[int, int, bool], ...]:
        """Each token with its field's number in FIELDS, and whether it holds the answer together:
        the bars and the end do, whatever they stand behind."""
        return tuple(
            (token, number, number > 0 and place == len(tokens) - 1)
            for number, tokens in enumerate(self.fields())
            for place, token in enumerate(tokens)
        )


class SensePrompt:
    """The text side of task `sense` for one tokenizer, style, and language of meanings."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, style: str = "last", language: str = "zh"
    ):
        if style not in STYLES:
            raise ValueError(f"no prompt style {style!r}; there are {', '.join(STYLES)}")
        self.tokenizer, self.style, self.script = tokenizer, style, script_of(language)
        self._ids: dict[str, tuple[int, ...]] = {}

    def ids(self, text: str) -> tuple[int, ...]:
        """Token ids of `text` on its own, without special tokens."""
        found = self._ids.get(text)  # another thread may clear them meanwhile
        if found is None:
            if len(self._ids) > 50_000:
                self._ids.clear()
            found = tuple(self.tokenizer(text, add_special_tokens=False).input_ids)
            self._ids[text] = found
        return found

    def prefix(self, context: str, marked: Word | None = None) -> tuple[int, ...]:
        """Begin-of-text and the context: what all words of the context share."""
        if marked is not None:
            context = f"{context[: marked.start]}[{marked.text}]{context[marked.end :]}"
        bos = self.tokenizer.bos_token_id
        # Not through `ids`: a context is asked once, and must not fill the cache.
        body = self.tokenizer(f" {_plain(context)}\n", add_special_tokens=False).input_ids
        return (*([] if bos is None else [bos]), *body)

    def question(
        self, words: tuple[Word, ...], position: int, hint: Sequence[int] = ()
    ) -> tuple[int, ...]:
        """The part that asks for one word: ` back:`, or ` back 2:` for a second occurrence. `hint`:
        members of a known phrase that may be meant, for the style that names one."""
        word = words[position].text
        if self.style == "neighbours":
            around = words[max(0, position - 1) : position + 2]
            word = f"{' '.join(w.text for w in around)}: {word}"
        else:
            nth = occurrence(words, position)
            word = f"{word} {nth}" if nth > 1 else word
            if hint and self.style == "hinted":
                word = f"{word} ({' '.join(words[i].text for i in hint)})"
        return self.ids(f" {_plain(word)}:")

    def parts(
        self, query: Query, hint: Sequence[int] = ()
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The prompt of one query: what its context's words share, and its own question."""
        marked = query.words[query.position] if self.style == "marked" else None
        question = self.question(query.words, query.position, hint)
        return self.prefix(query.context, marked), question

    def answer(self, query: Query, sense: Sense) -> AnswerTokens:
        """The tokens that answer `query` with `sense`, up to the first meaning that is unknown."""
        members: tuple[int, ...] = ()
        for i in sense.phrase.members if sense.phrase else ():
            members += self.member(query.words[i])
        meaning: tuple[int, ...] = ()
        phrase_meaning: tuple[int, ...] = ()
        if sense.meaning:
            meaning = (*self.ids(sense.meaning), self.bar if sense.phrase else self.end)
            if sense.phrase and sense.phrase.meaning:
                phrase_meaning = (*self.ids(sense.phrase.meaning), self.end)
        head = self.classes[sense.word_class], (*members, self.bar)
        return AnswerTokens(*head, meaning, phrase_meaning)

    def member(self, word: Word) -> tuple[int, ...]:
        """A word of the context as a phrase's member."""
        return self.ids(f" {_plain(word.text)}")

    @cached_property
    def classes(self) -> dict[str, tuple[int, ...]]:
        """The tokens of each class name; their first tokens differ."""
        named = {name: self.ids(f" {name}") for name in CLASSES}
        if len({tokens[0] for tokens in named.values()}) != len(named):
            raise ValueError("this tokenizer does not tell the classes apart by their first token")
        return named

    @cached_property
    def bar(self) -> int:
        return self._single("|")

    @cached_property
    def end(self) -> int:
        return self._single("\n")

    def _single(self, text: str) -> int:
        (token,) = self.ids(text)
        return token

    @cached_property
    def meaning_texts(self) -> dict[int, str]:
        """Every token that can be part of a meaning, ascending, and what it writes."""
        vocabulary = self.tokenizer.get_vocab()
        read = _read_text
        if _BYTE_BLANK in vocabulary and _BLANK not in vocabulary:  # its tokens are bytes
            read = self._read_bytes
        texts = ((i, read(token)) for token, i in vocabulary.items())
        return dict(sorted((i, text) for i, text in texts if self.script.token.fullmatch(text)))

    @cached_property
    def meaning_tokens(self) -> tuple[int, ...]:
        """Every token that can be part of a meaning, ascending."""
        return tuple(self.meaning_texts)

    def _read_bytes(self, token: str) -> str:
        return str(self.tokenizer.convert_tokens_to_string([token]))


def _read_text(token: str) -> str:
    return token.replace(_BLANK, " ")


def _plain(text: str) -> str:
    """`text` with compatible forms composed, so that one look has one spelling for the model."""
    return unicodedata.normalize("NFC", text)
