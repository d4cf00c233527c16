"""From the page's form to a run of a model from nothing, and back: a corpus, a tokenizer, a
pre-training or a fine-tuning. The forms are made of the recipes' fields, whatever they are. Every
value comes from a stranger. Knows no gradio; imports the trainer when it is first asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, asdict, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from db.store.checks import MAX_NAME, check_text
from ui.desk import Bad, Reply
from ui.strings.scratch_fields import CHINESE_HELP
from ui.train.kinds import CORPUS, PHASES, PRETRAIN, TOKENIZER

if TYPE_CHECKING:
    from trainer.scratch.corpus.recipe import CorpusRecipe
    from trainer.scratch.recipe import ScratchRecipe

# The page has parts of their own for these.
_ELSEWHERE = {
    "sources", "languages", "tokenizer", "pair", "train", "dev", "test", "dataset", "texts",
}  # fmt: skip
_BASIC = ("name", "sentences", "similar", "held_out", "origin", "licence", "model.vocabulary")
_BASIC_OF_PHASES = ("steps", "tokens", "rate", "evaluate_every")
_HOLES = ("holes", "span")  # of pre-training alone
_LARGEST = 2**53


def to_fields() -> list[Reply]:
    """The fields of all kinds as the form needs them, each with the kinds that it is of."""
    found: dict[tuple[str, bool], Reply] = {}
    for kind in (CORPUS, *PHASES):
        for name, one, usual in named_fields(kind):
            # A corpus has fields that are called like a model's, and are none of them.
            shared = found.setdefault((name, kind == CORPUS), _field(name, one, usual))
            shared["tasks"].append(kind)
            shared["choices"][kind] = list(one.metadata.get("choices", ()))
    return list(found.values())


def named_fields(kind: str) -> Iterator[tuple[str, Field[Any], Any]]:
    """The fields of a kind's form with their names there and their usual values."""
    if kind == CORPUS:
        from trainer.scratch.corpus.recipe import CorpusRecipe

        yield from ((f.name, f, f.default) for f in fields(CorpusRecipe) if _is_shown(f.name))
        return
    from trainer.scratch.recipe import ScratchRecipe

    for one in fields(ScratchRecipe):
        if is_dataclass(one.default):
            for inner in fields(one.default):  # type: ignore[arg-type]
                if _is_part(kind, one.name, inner.name):
                    yield f"{one.name}.{inner.name}", inner, getattr(one.default, inner.name)
        elif _is_own(kind, one.name):
            yield one.name, one, one.default


def _is_shown(name: str) -> bool:
    return name not in _ELSEWHERE


def _is_own(kind: str, name: str) -> bool:
    """Whether a field that is in no part matters to a kind."""
    if kind == TOKENIZER:
        return name == "name"
    return _is_shown(name) and (kind == PRETRAIN or name not in _HOLES)


def _is_part(kind: str, part: str, name: str) -> bool:
    """Whether a field of the model or of a phase matters to a kind."""
    if part == "model":
        return kind != TOKENIZER or name == "vocabulary"
    return part == kind


def _field(name: str, one: Field[Any], usual: Any) -> Reply:
    part, _, last = name.rpartition(".")
    text, choices = one.metadata["help"], one.metadata.get("choices", ())
    listed = isinstance(usual, tuple)
    return {
        "name": name,
        "tasks": [],
        "kind": "choice" if choices else "str" if listed else type(usual).__name__,
        "choices": {},
        "basic": name in _BASIC or (part in PHASES and last in _BASIC_OF_PHASES),
        "help": {"en": text, "zh-CN": CHINESE_HELP.get(name, CHINESE_HELP.get(last, text))},
        "usual": ", ".join(usual) if listed else usual,
    }


def to_sizes() -> list[Reply]:
    """The model's sizes to choose from, with the values that each stands for."""
    from trainer.scratch.config import PRESETS

    return [
        {
            "name": name,
            "parameters": one.parameters(),
            "values": {f"model.{key}": value for key, value in asdict(one).items()},
        }
        for name, one in PRESETS.items()
    ]


def read_corpus(told: Reply, values: object) -> CorpusRecipe:
    """The corpus that a form states: `told` is what the page has parts of its own for."""
    from trainer.scratch.corpus.recipe import parse_corpus

    found = _values(CORPUS, values)
    if isinstance(columns := found.get("columns"), str):
        found["columns"] = [one.strip() for one in columns.split(",") if one.strip()]
    return _read(found, told, parse_corpus)


def read_scratch(kind: str, told: Reply, values: object) -> ScratchRecipe:
    """The recipe of a model from nothing that a form states."""
    from trainer.scratch.recipe import parse_scratch

    return _read(_values(kind, values), told, parse_scratch)


def _read(values: Reply, told: Reply, parse: Callable[[Any], Any]) -> Any:
    """The recipe; Bad("bad_fields") names the fields that do not fit."""
    from trainer.fields import RecipeError

    def fits(some: Reply) -> bool:
        try:
            parse(_folded(some))
        except RecipeError:
            return False
        return True

    if not fits(values):
        alone = [name for name, value in values.items() if not fits({name: value})]
        raise Bad("bad_fields", fields=alone or _clashing(values, fits))
    try:
        return parse(_folded(values | told))
    except RecipeError as error:
        raise Bad("bad_recipe", detail=str(error)[:300]) from None


def _clashing(values: Reply, fits: Callable[[Reply], bool]) -> list[str]:
    """The fields without any one of which the others fit; all where there is none."""
    found = [name for name in values if fits({k: v for k, v in values.items() if k != name})]
    return found or list(values)


def _folded(values: Mapping[str, Any]) -> Reply:
    """`model.width` as what stands in `model`; a part that is told whole stays, but for those."""
    data: Reply = {}
    for name, value in sorted(values.items()):  # a whole part comes before what is inside of it
        outer, dot, inner = name.partition(".")
        if dot:
            data[outer] = {**data.get(outer, {}), inner: value}
        else:
            data[name] = value
    return data


def _values(kind: str, values: object) -> Reply:
    if not isinstance(values, dict):
        raise Bad("not_understood")
    known = {name for name, *_ in named_fields(kind)}
    kept = {name: value for name, value in values.items() if name in known}
    if not all(map(_is_plain, kept.values())):
        raise Bad("not_understood")
    return kept


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return bool(check_text("field", value, MAX_NAME) or not value)
    return isinstance(value, bool | int | float) and -_LARGEST < value < _LARGEST


def plain(recipe: Any) -> dict[str, Any]:
    """A recipe as JSON has it."""
    return json.loads(json.dumps(asdict(recipe)))


def told_fields(kind: str, recipe: Mapping[str, Any]) -> list[tuple[str, Any, bool]]:
    """A recipe's fields as its page shows them: name, value, whether it is not as usual."""
    found = []
    for name, _, usual in named_fields(kind):
        outer, dot, inner = name.partition(".")
        value = recipe.get(outer, {}).get(inner, usual) if dot else recipe.get(name, usual)
        value = ", ".join(value) if isinstance(value, list | tuple) else value
        usual = ", ".join(usual) if isinstance(usual, tuple) else usual
        found.append((name, value, value != usual))
    return found
