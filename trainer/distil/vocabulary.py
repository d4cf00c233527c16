"""Which tokens a task can use, and the tokenizer that has these alone.

The text side stays as it is: of text whose tokens are all kept the smaller tokenizer makes the same
ones, any other text goes through in pieces that are kept, in bytes at worst. For that every token
is kept with what it is merged from. Byte-pair tokenizers only; knows no model.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import regex
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from engine.lemma import lemma
from engine.prompt import SensePrompt
from trainer.recipe import RecipeError
from trainer.rows import Pack

_BYTE = regex.compile(r"<0x[0-9A-F]{2}>")
_WORD = regex.compile(r"▁([A-Za-z]?[a-z]+)")
_SIGNS = "".join(map(chr, range(32, 127))) + "‘’“”–—…£€·，。；：！？（）《》、"


@dataclass(frozen=True)
class Smaller:
    """A smaller tokenizer: the ids it kept, ascending (its own are their places), and itself as
    the JSON of the library `tokenizers`."""

    kept: tuple[int, ...]
    text: str


def task_tokens(prompt: SensePrompt, packs: Iterable[Pack], texts: Iterable[str]) -> set[int]:
    """The ids that the task can use: all that a meaning can be written in, class names, single
    signs, and whatever the packs and texts are made of."""
    used = set(prompt.meaning_tokens)
    used |= {token for tokens in prompt.classes.values() for token in tokens}
    used |= {prompt.bar, prompt.end}
    for pack in packs:
        used.update(pack.prefix)
        for row in pack.rows:
            used.update(row.question, row.answer, (token for _, token, _ in row.gains))
    for text in (*_SIGNS, *(f" {sign}" for sign in _SIGNS), *texts):
        used.update(prompt.tokenizer(text, add_special_tokens=False).input_ids)
    return used


def word_tokens(tokenizer: PreTrainedTokenizerBase, lemmas: Collection[str]) -> set[int]:
    """The ids that are a form of one of these words as it stands behind a blank, in lower case or
    with a capital: what a sentence is made of, whether training has it or not."""
    found = set()
    for token, i in tokenizer.get_vocab().items():
        word = _WORD.fullmatch(token)
        if word and (word[1].lower() in lemmas or lemma(word[1]) in lemmas):
            found.add(i)
    return found


def cut(tokenizer: PreTrainedTokenizerBase, used: Collection[int]) -> Smaller:
    """The tokenizer with these ids, those they are merged from, bytes and special tokens.
    RecipeError where it is of a kind that cannot be cut."""
    data = _json_of(tokenizer)
    model = data["model"]
    vocabulary: dict[str, int] = model["vocab"]
    added = {one["content"]: one["id"] for one in data["added_tokens"]}
    special = {one["content"] for one in data["added_tokens"] if one["special"]}
    ids = vocabulary | added
    texts = {i: text for text, i in ids.items()}
    wanted = {texts[i] for i in used if i in texts}
    wanted |= {text for text in vocabulary if _BYTE.fullmatch(text)}
    wanted |= (special & _named(tokenizer)) | {model["unk_token"]} - {None}
    merges = [_pair(one) for one in model["merges"]]
    rank = {pair: number for number, pair in enumerate(merges)}
    for text in list(wanted - set(added)):
        wanted |= _merged_from(text, rank)
    kept = sorted({ids[text] for text in wanted if text in ids})
    place = {texts[i]: number for number, i in enumerate(kept)}
    model["vocab"] = {text: place[text] for text in vocabulary if text in place}
    model["merges"] = [[a, b] for a, b in merges if a in place and b in place and a + b in place]
    data["added_tokens"] = [
        one | {"id": place[one["content"]]}
        for one in data["added_tokens"]
        if one["content"] in place
    ]
    _renumber(data.get("post_processor"), place)
    return Smaller(tuple(kept), json.dumps(data, ensure_ascii=False))


def as_tokenizer(text: str, like: PreTrainedTokenizerBase) -> PreTrainedTokenizerFast:
    """The tokenizer in `text`, with the special tokens that `like` names."""
    named = {
        name: str(getattr(like, name))
        for name in ("bos_token", "eos_token", "pad_token", "unk_token")
        if getattr(like, name, None) is not None
    }
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(text), **named)


def _json_of(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    data: dict[str, Any] = json.loads(backend.to_str()) if backend else {}
    model = data.get("model", {})
    plain = not model.get("continuing_subword_prefix") and not model.get("end_of_word_suffix")
    if model.get("type") != "BPE" or not plain or model.get("ignore_merges"):
        raise RecipeError("distil.cut_vocabulary: only plain byte-pair tokenizers can be cut")
    return data


def _named(tokenizer: PreTrainedTokenizerBase) -> set[str]:
    """The special tokens that the tokenizer has a use for."""
    return set(map(str, tokenizer.all_special_tokens))


def _pair(merge: Any) -> tuple[str, str]:
    a, b = merge.split(" ") if isinstance(merge, str) else merge
    return a, b


def _merged_from(text: str, rank: Mapping[tuple[str, str], int]) -> set[str]:
    """All tokens on the way from single characters to `text`, merged as the tokenizer does it: the
    first of the merges that can be made, from left to right."""
    parts, seen = list(text), set(text)
    while len(parts) > 1:
        pairs: Sequence[tuple[str, str]] = list(zip(parts, parts[1:]))
        best = min(range(len(pairs)), key=lambda i: (rank.get(pairs[i], len(rank)), i))
        if pairs[best] not in rank:
            break
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
        seen.add(parts[best])
    return seen


def _renumber(part: Any, place: Mapping[str, int]) -> None:
    """New ids for the special tokens that the tokenizer sets around a text."""
    if not isinstance(part, dict):
        return
    for one in part.get("processors", ()):
        _renumber(one, place)
    for token in part.get("special_tokens", {}).values():
        token["ids"] = [place[text] for text in token["tokens"]]
