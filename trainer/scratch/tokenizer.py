"""The tokenizer: Unigram pieces for a pair of languages, bytes for whatever has no piece.

Any text comes back as it was: nothing is normalised, and as the text is cut at every mark before
pieces are looked for, none can be read as a byte's or an instruction's token (`<0x41>`, `</s>`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from engine.plain import CUT
from trainer.fields import RecipeError
from trainer.scratch.errors import ScratchError

FILE = "tokenizer.json"
PAD, END, UNKNOWN, FILL = "<pad>", "</s>", "<unk>", "<fill>"
HOLES = 64  # tokens that stand for the spans a text lacks
_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
_LONGEST = 16  # characters of a piece
_NEVER = -100.0  # score of a token that no text has
_DIGITS = 7  # of a score behind the point
_STEP = 1e-4  # by which the trainer sets scores apart that it gives out in no order


def reserved(languages: Sequence[str]) -> list[str]:
    """The tokens that are no piece of a text: what holds sequences together, then bytes."""
    tags = [tag_of(language) for language in languages]
    return [PAD, END, UNKNOWN, FILL, *tags, *(f"<hole_{n}>" for n in range(HOLES)), *_BYTES]


def tag_of(language: str) -> str:
    """The token that says in which language a text is, or is to be."""
    return f"<{language}>"


def train_tokenizer(
    lines: Sequence[str], vocabulary: int, languages: Sequence[str] = ("de", "en")
) -> Tokenizer:
    """A tokenizer of exactly `vocabulary` tokens for these texts; ScratchError where they do not
    hold so many pieces."""
    first = reserved(languages)
    wanted = vocabulary - len(first)
    if wanted < 1:
        raise RecipeError(f"vocabulary = {vocabulary}: {len(first)} tokens are no text's")
    _check_holds(lines, wanted, len(first))
    pieces = _learn(lines, wanted)
    if len(pieces) < wanted:  # some fell out in learning: of few texts, many do
        pieces = _learn(lines, 2 * wanted)[:wanted]
    if len(pieces) < wanted:
        raise _too_large(wanted, len(pieces), len(first))
    return of_pieces(pieces, languages)


def _check_holds(lines: Sequence[str], wanted: int, first: int) -> None:
    """ScratchError where the lines hold fewer pieces than are wanted, whatever is learnt of them: a
    piece is a character, or stands in several words or in one several times."""
    cuts = _around(Tokenizer(models.Unigram()))
    words: set[str] = set()
    seen: set[str] = set()
    again: set[str] = set()
    for line in lines:
        for word, _ in cuts.pre_tokenizer.pre_tokenize_str(cuts.normalizer.normalize_str(line)):
            if word in words:
                continue
            words.add(word)
            for piece in _parts(word):
                (again if piece in seen or len(piece) == 1 else seen).add(piece)
            if len(again) >= wanted:
                return
    raise _too_large(wanted, len(again), first)


def _parts(word: str) -> Iterator[str]:
    for start in range(len(word)):
        for end in range(start + 1, min(start + _LONGEST, len(word)) + 1):
            yield word[start:end]


def _too_large(wanted: int, there: int, first: int) -> ScratchError:
    return ScratchError(
        "large_vocabulary",
        f"vocabulary = {wanted + first}: the corpus holds pieces for {there + first};"
        " take fewer or bring more text",
    )


def of_pieces(pieces: Sequence[tuple[str, float]], languages: Sequence[str]) -> Tokenizer:
    """The tokenizer of these pieces of text, each with the logarithm of its probability."""
    first = reserved(languages)
    known = [*((piece, _NEVER) for piece in first), *pieces]
    return _around(Tokenizer(models.Unigram(known, first.index(UNKNOWN), byte_fallback=True)))


def _learn(lines: Sequence[str], most: int) -> list[tuple[str, float]]:
    """At most so many pieces with their scores, the likeliest first."""
    learning = _around(Tokenizer(models.Unigram()))
    trainer = trainers.UnigramTrainer(
        vocab_size=most, show_progress=False, max_piece_length=_LONGEST, special_tokens=[]
    )
    learning.train_from_iterator(_usual(lines, max(1, most // 2)), trainer)
    return _ordered(json.loads(learning.to_str())["model"]["vocab"])[:most]


def _ordered(pieces: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """The pieces as any training on these lines gives them. The trainer goes through tables whose
    order is another each time: sums of scores differ behind the tenth digit, and characters that
    no piece was left for get the lowest scores, a step apart, as they come."""
    rounded = {piece: round(score, _DIGITS) for piece, score in pieces}
    letters = [piece for piece in rounded if len(piece) == 1]
    most = min(rounded.values(), default=0.0) + _STEP * (len(letters) + 1)
    late = sorted(piece for piece in letters if rounded[piece] < most)
    given = sorted((rounded[piece] for piece in late), reverse=True)
    rounded.update(zip(late, given, strict=True))
    return sorted(rounded.items(), key=lambda one: (-one[1], one[0]))


def _usual(lines: Sequence[str], most: int) -> Iterator[str]:
    """The lines without their rarest characters, where there are more than `most`: bytes will
    do for those, and each that is seen would take a piece."""
    counts = Counter(chain.from_iterable(lines))
    rare = {character for character, _ in counts.most_common()[most:]}
    for line in lines:
        yield "".join(c for c in line if c not in rare) if rare & {*line} else line


def _around(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer with what cuts its texts and joins its pieces: the first word gets a blank, so
    that it is the same word as further on, and loses it again."""
    tokenizer.normalizer = normalizers.Prepend(" ")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(CUT), "isolated")
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return tokenizer


@dataclass(frozen=True)
class Codec:
    """Texts as ids and back, with the ids that hold a sequence together."""

    tokenizer: Tokenizer

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text."""
        return [one.ids for one in self.tokenizer.encode_batch(texts, add_special_tokens=False)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; those that are no text's are passed over."""
        kept = [one for one in ids if one >= self._first_byte]
        return self.tokenizer.decode(kept, skip_special_tokens=False)

    def id_of(self, token: str) -> int:
        """A reserved token's id; RecipeError where this tokenizer has no such token."""
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise RecipeError(f"the tokenizer knows no {token}: it is of other languages")
        return found

    def question(self, ids: Sequence[int], source: str, target: str) -> tuple[int, ...]:
        """The prefix that asks for a sentence's translation."""
        return (self.id_of(tag_of(source)), *ids, self.id_of(tag_of(target)))

    def gap_text(self, ids: Sequence[int], language: str) -> tuple[int, ...]:
        """The prefix that asks for what fills a text's holes."""
        return (self.id_of(tag_of(language)), *ids, self.id_of(FILL))

    @cached_property
    def pad(self) -> int:
        return self.id_of(PAD)

    @cached_property
    def end(self) -> int:
        return self.id_of(END)

    @cached_property
    def holes(self) -> tuple[int, ...]:
        return tuple(self.id_of(f"<hole_{n}>") for n in range(HOLES))

    @cached_property
    def _first_byte(self) -> int:
        return self.id_of(_BYTES[0])

    @property
    def vocabulary(self) -> int:
        return self.tokenizer.get_vocab_size()

    def save(self, folder: Path) -> None:
        self.tokenizer.save(str(folder / FILE))


def load_codec(folder: Path) -> Codec:
    """The tokenizer in a folder; ScratchError where there is none, or not whole."""
    file = folder / FILE
    if not file.is_file():
        told = f"{folder} holds no tokenizer: run  python -m trainer scratch tokenizer"
        raise ScratchError("no_tokenizer", told)
    try:
        return Codec(Tokenizer.from_file(str(file)))
    except Exception as error:  # the library has no narrower one
        raise ScratchError("not_whole", f"{file} is not whole: {error}") from error


def fertility(codec: Codec, lines: Sequence[str]) -> dict[str, float]:
    """What a language costs: tokens a word, characters a token, and the share of bytes' tokens."""
    ids = list(chain.from_iterable(codec.encode(lines)))
    first = codec.id_of(_BYTES[0])
    spelt = sum(first <= one < first + len(_BYTES) for one in ids)
    return {
        "tokens_per_word": len(ids) / max(1, sum(len(line.split()) for line in lines)),
        "characters_per_token": sum(map(len, lines)) / max(1, len(ids)),
        "bytes_share": spelt / max(1, len(ids)),
    }
