"""QLoRA on a second architecture: CTX_DATA=… python -m tests.benchmarks.llama [--out FILE.json]

English to Spanish on SmolLM2-135M-Instruct by assets/recipes/en-es/smollm2-135m.json, 100 sentences
held out; before and after: how the 100 are translated, how far it writes on, and what it makes of a
few everyday sentences. Goes on after a stop; the run lies in CTX_HOME/runs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.adapters import open_adapter
from engine.checking import read_adapter
from engine.files import write_whole
from engine.models import Base, load_base
from engine.settings import Settings, assets, read_settings
from engine.split import split_of
from engine.translation import TranslationPrompt, translate_all
from tests.smollm2 import smollm2_folder
from trainer.evaluation.texts import Texts
from trainer.examples import TranslationExample, hash_texts
from trainer.recipe import Recipe, load_recipe
from trainer.run import run_recipe
from trainer.splits import Splits, load_splits
from trainer.translated import FIGURES, figures_of, told, translate_rows

RECIPE = assets() / "recipes" / "en-es" / "smollm2-135m.json"
HELD_OUT = 100
EVERYDAY = (
    "Where is the nearest pharmacy?",
    "Could we have the bill, please?",
    "My train leaves at half past six tomorrow morning.",
    "I forgot my umbrella at your house.",
    "How long have you lived in this city?",
    "She has not eaten anything since breakfast.",
)


def hold_out(splits: Splits, count: int) -> Splits:
    """Splits with `count` sentences to test on: those of dev and test, and of the others as many as
    are missing, in the order of a hash of their words. Dev is a part of them: it is looked at, and
    decides nothing."""
    held = [*splits["dev"], *splits["test"]]
    rest = sorted(splits["train"], key=lambda e: hash_texts([e.english.lower()]))
    missing = max(0, count - len(held))
    return {
        "train": rest[missing:], "dev": splits["dev"], "test": [*held, *rest[:missing]],
        "unknown": [],
    }  # fmt: skip


def measure(
    base: Base, folder: Path | None, style: str, test: Sequence[TranslationExample]
) -> tuple[list[Any], list[dict[str, Any]]]:
    """The test sentences translated, as rows to score, and what becomes of the everyday ones."""
    prompt = TranslationPrompt(base.tokenizer, style)
    model: Any = base.model
    if folder:
        model = open_adapter(base.model, read_adapter(folder), base, "default")
    rows = translate_rows(model, prompt, test)
    said = translate_all(model, prompt, EVERYDAY, test[0].query.pair)
    everyday = [{"sentence": s} | asdict(one) for s, one in zip(EVERYDAY, said)]
    if folder:
        model.unload()
    return rows, everyday


def run(settings: Settings, recipe: Recipe) -> dict[str, Any]:
    """Train and measure; all figures."""
    splits, data = load_splits(recipe, RECIPE.parent, settings)
    splits = hold_out(splits, HELD_OUT)
    assert all(split_of(e.english) == "train" for e in splits["train"])
    began = time.monotonic()
    folder = settings.home / "runs" / "llama"
    adapter = run_recipe(
        recipe, splits, data, folder, settings, lambda event: print(json.dumps(event), flush=True),
        finish=lambda *_: None,
    )  # fmt: skip
    assert adapter
    seconds = time.monotonic() - began
    base = load_base(replace(settings, base=recipe.base))
    before, asked = measure(base, None, recipe.style, splits["test"])
    after, answered = measure(base, adapter, recipe.style, splits["test"])
    return {
        "base": f"{base.name}@{base.revision}",
        "architecture": type(base.model).__name__,
        "recipe": RECIPE.name,
        "rows": len(splits["train"]),
        "held_out": len(splits["test"]),
        "seconds": round(seconds),
        "bytes": read_adapter(adapter).bytes,
        "before": figures_of(before, recipe.pair) | _form(before),
        "after": figures_of(after, recipe.pair) | _form(after),
        "differences": Texts([before, after], "es").differences(0, 1),
        "everyday": {"before": asked, "after": answered},
        "examples": [
            {"sentence": a.sentence, "reference": a.reference, "before": a.text, "after": b.text}
            for a, b in list(zip(before, after))[:5]
        ],
    }


def _form(rows: Sequence[Any]) -> dict[str, Any]:
    """How many write on behind their line or never end it, and by how many tokens."""
    return {
        "over_generated": sum(not row.stopped for row in rows),
        "tokens_over": sum(row.over for row in rows),
        "no_end": sum(not row.ended for row in rows),
    }


def page(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    before, after = found["before"], found["after"]
    lines = [
        "# English to Spanish by QLoRA on a base of the Llama architecture", "",
        "`CTX_DATA=… python -m tests.benchmarks.llama --out assets/bench/llama.json`."
        f" {found['base']} ({found['architecture']}), trained by `assets/recipes/en-es/"
        f"{found['recipe']}` on {found['rows']} sentences of PUD; {found['held_out']} are held out"
        f" and measured here. Scored on the base in bfloat16. Training took {found['seconds']:,} s"
        f" on a shared core; the adapter has {found['bytes'] / 1e6:.1f} MB.", "",
        "|  | before | after |", "|---|---|---|",
    ]  # fmt: skip
    for name, title in FIGURES.items():
        lines.append(f"| {title} | {told(name, before[name])} | {told(name, after[name])} |")
    count = found["held_out"]
    for name, title in (
        ("over_generated", f"wrote on, or never ended, of {count}"),
        ("no_end", f"not even a line's end, of {count}"),
        ("tokens_over", "tokens written behind the line's end"),
    ):
        lines.append(f"| {title} | {before[name]} | {after[name]} |")
    lines += ["", "## Everyday sentences", "", "All that was written; ⏎ is a line's end.", ""]
    lines += ["| sentence | before | after |", "|---|---|---|"]
    for a, b in zip(found["everyday"]["before"], found["everyday"]["after"]):
        whole = (one["whole"].strip().replace("\n", "⏎").replace("|", "\\|") for one in (a, b))
        lines.append(f"| {a['sentence']} | {' | '.join(whole)} |")
    lines += ["", "## Held-out sentences", "", "| sentence | reference | before | after |"]
    lines += ["|---|---|---|---|"]
    lines += [
        f"| {one['sentence']} | {one['reference']} | {one['before']} | {one['after']} |"
        for one in found["examples"]
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=assets() / "bench" / "llama.json")
    parser.add_argument("--steps", type=int, default=0, help="end after so many; 0: the recipe's")
    arguments = parser.parse_args()
    settings = read_settings()
    folder = smollm2_folder(settings.home / "bases")
    recipe = replace(load_recipe(RECIPE), base=str(folder), steps=arguments.steps)
    found = run(settings, recipe)
    write_whole(arguments.out, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    write_whole(arguments.out.with_suffix(".md"), page(found))
    print(page(found))


if __name__ == "__main__":
    main()
