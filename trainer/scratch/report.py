"""What a recipe's runs came to: test scores, curves, and texts of five levels translated.

Reads the runs' folder and the recipe's test text; `FILE.json` holds every figure of the page.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.bench.run import machine_of
from engine.files import write_whole
from engine.settings import assets
from trainer.evaluation.texts import Texts
from trainer.fields import RecipeError
from trainer.scratch.begun import FINETUNE, LOG, MODEL, PRETRAIN, RANDOM
from trainer.scratch.curves import curves_plot
from trainer.scratch.data import read_lines
from trainer.scratch.folder import Model, load_model
from trainer.scratch.prefix import section
from trainer.scratch.recipe import ScratchRecipe
from trainer.scratch.run import Place, costs_of
from trainer.scratch.scoring import (
    FIGURES,
    SEARCHES,
    Told,
    chosen,
    interval,
    rows_of,
    search_name,
    told_of,
)
from trainer.scratch.translating import BEAMS, translate

_NAMES = {FINETUNE: "pre-trained", RANDOM: "random start"}
JUDGED = "judged.json"


@dataclass(frozen=True)
class Found:
    """All of a report. `test`: figures by model and search; `gain`: what pre-training adds, paired;
    `best`: the model that scored best on dev sentences; `texts`: by level, sentences with its
    translations and what was judged of them; `prefix`: what `prefix.score_ways` found, if it was
    asked."""

    recipe: dict[str, Any]
    parameters: int
    machine: dict[str, Any]
    tokenizer: dict[str, Any]
    runs: dict[str, Told]
    test: dict[str, dict[str, Any]]
    gain: dict[str, dict[str, Any]]
    best: str
    texts: dict[str, list[dict[str, str]]]
    prefix: dict[str, Any] = field(default_factory=dict)


def make_report(place: Place) -> Found:
    """Score the fine-tunings that are done on the test text; RecipeError where there is none."""
    recipe, test = place.recipe, place.data.parallel("test")
    done = [name for name in _NAMES if (place.folder / name / MODEL).is_dir()]
    if not done:
        raise RecipeError(f"{place.folder} holds no fine-tuned model yet")
    models = {name: load_model(place.folder / name / MODEL) for name in done}
    asked = [(name, beams) for name in done for beams in SEARCHES]
    rows = [rows_of(place, models[name], test, beams) for name, beams in asked]
    scored = Texts(rows, recipe.languages[1])
    figures = {
        f"{name} {beams}": chosen(scored.figures(number)) | {"ms": round(rows[number][0].ms, 1)}
        for number, (name, beams) in enumerate(asked)
    }
    gain = {
        str(beams): chosen(scored.differences(len(SEARCHES) + number, number))
        for number, beams in enumerate(SEARCHES)
        if len(done) > 1
    }
    best = max(done, key=lambda name: _standing(models[name].card["dev"]))
    begun = [name for name in (PRETRAIN, *_NAMES) if (place.folder / name / LOG).is_file()]
    return Found(
        asdict(recipe), recipe.model.parameters(), machine_of(), costs_of(place),
        {name: told_of(place.folder / name) for name in begun},
        figures, gain, best, _texts(place, models[best]),
    )  # fmt: skip


def _standing(dev: Mapping[str, float]) -> float:
    """What a run's best evaluation is compared by: its score, or its loss where it has none."""
    return dev["score"] if "score" in dev else -dev.get("dev_loss", math.inf)


def _texts(place: Place, model: Model) -> dict[str, list[dict[str, str]]]:
    """The texts of each level, translated."""
    folder = assets() / "texts" / place.recipe.languages[0]
    if not folder.is_dir():
        return {}
    judged = json.loads((folder / JUDGED).read_text(encoding="utf-8"))
    found: dict[str, list[dict[str, str]]] = {}
    for file in sorted(folder.glob("*.txt")):
        lines = read_lines(file)
        texts = translate(model.net, model.codec, lines, place.recipe.pair, BEAMS)
        found[file.stem.upper()] = [
            {"text": line, "translation": text, "judged": judged.get(text, "")}
            for line, text in zip(lines, texts)
        ]
    return found


def add_prefix(prefix: dict[str, Any], recipe: ScratchRecipe, file: Path) -> None:
    """Put what the two ways to see a prefix came to into a report of the same recipe that is there;
    RecipeError where there is none."""
    write_report(replace(_read(file, recipe), prefix=prefix), file)


def _read(file: Path, recipe: ScratchRecipe) -> Found:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        runs = {name: Told(**one) for name, one in told["runs"].items()}
        found = Found(**(told | {"runs": runs}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecipeError(f"{file} is no report: {error}") from error
    if found.recipe["name"] != recipe.name:
        raise RecipeError(f"{file} is of {found.recipe['name']}, not of {recipe.name}")
    return found


def write_report(found: Found, file: Path) -> None:
    """Write FILE.json, and beside it the page as FILE.md and the curves as FILE.svg."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(asdict(found), indent=1, ensure_ascii=False) + "\n")
    write_whole(file.with_suffix(".md"), page(found, file.with_suffix(".svg").name))
    curves = {title: found.runs[name].dev for name, title in _NAMES.items() if name in found.runs}
    write_whole(file.with_suffix(".svg"), curves_plot(curves))


def page(found: Found, picture: str = "") -> str:
    """The report in Markdown."""
    model, machine = found.recipe["model"], found.machine
    lines = [
        f"# A translator from nothing: {found.recipe['name']}, {found.recipe['pair']}", "",
        "Written by `python -m trainer scratch report`, after `tokenizer`, `pretrain`, `finetune`"
        " and `finetune --start random` with the same recipe. Data:"
        f" {found.recipe['origin']}; {found.recipe['licence']}.", "",
        f"{found.parameters / 1e6:.2f} M parameters: {model['layers']} layers of width"
        f" {model['width']}, {model['heads']} heads ({model['kv_heads']} of keys and values),"
        f" feed-forward {model['ffn']}, {model['vocabulary']} tokens, dropout"
        f" {model['dropout']}; the prefix is seen"
        f" {'causally' if model['causal_prefix'] else 'both ways'}. On"
        f" {machine['processor']}, {machine['threads']} threads, torch {machine['torch']}.", "",
        "## What it took", "",
        "| run | steps | numbers | minutes on the clock | processor minutes |",
        "|---|---|---|---|---|",
        *(_spent(name, run) for name, run in found.runs.items()), "",
        "The clock ran beside other work; processor time is of both cores together, evaluations"
        " with it.", "",
        "## On the test text", "",
        f"| start | search | {' | '.join(FIGURES)} | n | ms a sentence |",
        f"|---|---|{'---|' * len(FIGURES)}---|---|",
        *(_scored(name, told) for name, told in found.test.items()), "",
        f"sacreBLEU `{next(iter(found.test.values()))['bleu']['signature']}`; value and 95 %"
        " bootstrap interval over sentences.", "",
        *([_gains(found.gain), ""] if found.gain else []),
        *([f"![Held-out loss and BLEU by step]({picture})", ""] if picture else []),
        "## Held out, by step", "", *_watched(found.recipe["finetune"]),
        *_steps(found.runs), "",
        *(section(found.prefix) if found.prefix else []),
        "## The tokenizer", "",
        "| text | tokens a word | characters a token | bytes' share |", "|---|---|---|---|",
        *(
            f"| {name} | {one['tokens_per_word']:.3f} | {one['characters_per_token']:.2f} |"
            f" {one['bytes_share']:.5f} |"
            for name, one in found.tokenizer.items()
        ), "",
        "## Texts from A1 to C1", "",
        "Written for this report, in no data of the run; translated by the model that scored best"
        f" on dev sentences ({_NAMES[found.best]}), beam of {BEAMS}; judged by a large language"
        " model, not by a person.", "",
    ]  # fmt: skip
    for level, rows in found.texts.items():
        lines += [f"**{level}**", "", "| text | translation | judged |", "|---|---|---|"]
        lines += [f"| {r['text']} | {r['translation']} | {r['judged']} |" for r in rows] + [""]
    return "\n".join(lines)


def _spent(name: str, run: Told) -> str:
    return (
        f"| {name} | {run.steps} | {run.dtype} | {run.seconds / 60:.1f} |"
        f" {run.processor_seconds / 60:.1f} |"
    )


def _scored(name: str, told: Mapping[str, Any]) -> str:
    run, _, beams = name.partition(" ")
    cells = " | ".join(interval(told[one]) for one in FIGURES)
    return (
        f"| {_NAMES[run]} | {search_name(beams)} | {cells} | {told['bleu']['n']} | {told['ms']} |"
    )


def _gains(gain: Mapping[str, Any]) -> str:
    told = (f"{search_name(beams)} {interval(one['bleu'], '+')}" for beams, one in gain.items())
    return f"What pre-training adds to BLEU, in pairs of sentences: {'; '.join(told)}."


def _watched(finetune: Mapping[str, Any]) -> list[str]:
    """On how much of the dev text the figures by step are."""
    told = f"Loss on {finetune['dev_rows']} pairs of the dev text"
    if finetune["guard_rows"]:
        told += f", BLEU on {finetune['guard_rows']} of its sentences, written greedily"
    return [f"{told}.", ""]


def _cell(told: Mapping[str, float], figure: str, digits: int) -> str:
    return f"{told[figure]:.{digits}f}" if figure in told else "–"


def _steps(runs: Mapping[str, Told]) -> Sequence[str]:
    """Loss and BLEU of the fine-tunings at the steps at which all were scored."""
    names = [name for name in _NAMES if name in runs]
    mine = {name: {int(one["step"]): one for one in runs[name].dev} for name in names}
    steps = sorted(set.intersection(*(set(one) for one in mine.values())))
    head = [f"{_NAMES[name]}: {figure}" for name in names for figure in ("loss", "BLEU")]
    rows = [
        " | ".join(
            f"{_cell(mine[name][step], 'dev_loss', 4)} | {_cell(mine[name][step], 'bleu', 2)}"
            for name in names
        )
        for step in steps
    ]
    return [
        f"| step | {' | '.join(head)} |", f"|---|{'---|' * len(head)}",
        *(f"| {step} | {row} |" for step, row in zip(steps, rows)),
    ]  # fmt: skip
