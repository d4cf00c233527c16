"""Whether a prefix is better seen both ways or causally: a recipe's fine-tuning from random
weights in each way, shorter, with one tokenizer, seed and data, scored on its dev text.

`RUN/prefix/causal` and `RUN/prefix/both` are runs like others: a stopped one goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.bench.run import machine_of
from engine.files import write_whole
from trainer.evaluation.texts import Texts
from trainer.fields import RecipeError
from trainer.scratch.begun import RANDOM
from trainer.scratch.folder import load_model
from trainer.scratch.run import Place, finetune, make_tokenizer
from trainer.scratch.scoring import (
    FIGURES,
    SEARCHES,
    chosen,
    interval,
    rows_of,
    search_name,
    told_of,
)
from trainer.scratch.tokenizer import FILE as TOKENIZER

FOLDER = "prefix"
WAYS = ("causal", "both")


def way_of(place: Place, way: str, share: int) -> Place:
    """The place of the run that sees its prefix this way, with one of `share` steps."""
    recipe = place.recipe
    steps = max(1, recipe.finetune.steps // share)
    changed = replace(
        recipe,
        model=replace(recipe.model, causal_prefix=way == "causal"),
        finetune=replace(recipe.finetune, steps=steps),
    )
    return replace(place, recipe=changed, folder=place.folder / FOLDER / way)


def train_ways(place: Place, share: int) -> dict[str, Path] | None:
    """The models of both ways, each with one of `share` steps; None when stopped."""
    if share < 1:
        raise RecipeError(f"--share {share}: a number from 1 on")
    shared = make_tokenizer(place).tokenizer.to_str(pretty=True)
    found = {}
    for way in WAYS:
        mine = way_of(place, way, share)
        mine.folder.mkdir(parents=True, exist_ok=True)
        if not (mine.folder / TOKENIZER).is_file():
            write_whole(mine.folder / TOKENIZER, shared)
        made = finetune(mine, RANDOM)
        if made is None:
            return None
        found[way] = made
    return found


def score_ways(place: Place, models: Mapping[str, Path]) -> dict[str, Any]:
    """Both ways on the dev text: what each run told, figures by way and search, and what seeing the
    prefix both ways adds, in pairs of sentences."""
    dev = place.data.parallel("dev")
    loaded = {way: load_model(models[way]) for way in WAYS}
    asked = [(way, beams) for way in WAYS for beams in SEARCHES]
    rows = [rows_of(place, loaded[way], dev, beams) for way, beams in asked]
    scored = Texts(rows, place.recipe.languages[1])
    return {
        "machine": machine_of(),
        "runs": {way: asdict(told_of(models[way].parent)) for way in WAYS},
        "dev": {
            f"{way} {beams}": chosen(scored.figures(number))
            for number, (way, beams) in enumerate(asked)
        },
        "gain": {
            str(beams): chosen(scored.differences(number, len(SEARCHES) + number))
            for number, beams in enumerate(SEARCHES)
        },
    }


_WAY_NAMES = {"causal": "causally", "both": "both ways"}


def section(found: Mapping[str, Any]) -> list[str]:
    """The part of a report about it, in lines of Markdown."""
    runs, dev = found["runs"], found["dev"]
    first = next(iter(dev.values()))["bleu"]
    adds = (f"{search_name(n)} {interval(one['bleu'], '+')}" for n, one in found["gain"].items())
    rows = [
        f"| {_WAY_NAMES[way]} | {search_name(beams)} | "
        f"{' | '.join(interval(told[one]) for one in FIGURES)} | {told['bleu']['n']} |"
        for (way, beams), told in ((name.split(), told) for name, told in dev.items())
    ]
    return [
        "## The prefix seen causally and both ways", "",
        "Written by `python -m trainer scratch prefix`: the fine-tuning from random weights in both"
        f" ways, {runs['causal']['steps']} steps in {runs['causal']['dtype']}, one tokenizer, seed"
        " and data; on the dev text, by which each run chose its best weights, too.", "",
        f"| prefix | search | {' | '.join(FIGURES)} | n |",
        f"|---|---|{'---|' * len(FIGURES)}---|", *rows, "",
        f"sacreBLEU `{first['signature']}`; value and 95 % bootstrap interval over sentences.", "",
        f"What seeing it both ways adds to BLEU, in pairs of sentences: {'; '.join(adds)}."
        f" {_verdict(found['gain'])} A causal prefix is exported as a plain Llama class; one seen"
        " both ways is read by this app alone (`scratch export --both-ways`).", "",
    ]  # fmt: skip


def _verdict(gain: Mapping[str, Any]) -> str:
    """What the intervals allow to say."""
    signs = {(one["bleu"]["interval"][0] > 0) - (one["bleu"]["interval"][1] < 0)
             for one in gain.values()}  # fmt: skip
    said = {
        (1,): "Both ways was better here, with one seed.",
        (-1,): "Causally was better here, with one seed.",
    }
    return said.get(tuple(signs), "Neither was surely better here, with one seed.")
