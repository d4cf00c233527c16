"""Translation adapters beside the base without them, on test sentences of their own recipes: the
table of what each pair is worth.

python -m trainer pairs [DIR …] [--rows N] [--out FILE.json]: each with the prompt that its card
names, both sides the same. A pair that is measured again replaces what the file says of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.adapters import open_adapter
from engine.checking import read_adapter
from engine.files import write_whole
from engine.models import Base, load_base
from engine.settings import Settings, assets
from engine.translation import TranslationPrompt
from trainer.evaluation.texts import Texts
from trainer.recipe import TRANSLATION, load_recipe
from trainer.splits import load_splits, of_source, yardstick
from trainer.translated import FIGURES, figures_of, first_of_each, told, translate_rows

ROWS = 150  # test sentences of a pair, at most
_SHOWN = 5  # translations by both, for people
_COLUMNS = ("chrf", "bleu", "stopped", "written_per_needed")

Report = Callable[[dict[str, Any]], None]


def shipped_folders() -> list[Path]:
    """The adapters that ship and translate."""
    return sorted(
        file.parent for file in (assets() / "adapters").glob(f"*-{TRANSLATION}/card.json")
    )


def measure_pairs(
    folders: Sequence[Path], settings: Settings, report: Report, rows: int = ROWS
) -> dict[str, Any]:
    """What each adapter does, by pair, beside the base. AdapterError or RecipeError where a folder
    or its data is not what it must be."""
    base, found = load_base(settings), {}
    for folder in folders:
        one = measure_pair(folder, base, settings, rows)
        report({"event": "pair", "pair": one["pair"], "base": _plain(one["base"]),
                "tuned": _plain(one["tuned"])})  # fmt: skip
        found[one["pair"]] = one
    return found


def _plain(figures: dict[str, Any]) -> dict[str, float]:
    return {name: figures[name]["value"] for name in FIGURES}


def measure_pair(folder: Path, base: Base, settings: Settings, rows: int) -> dict[str, Any]:
    """One adapter beside the base, on test sentences of its recipe."""
    recipe, adapter = load_recipe(folder / "recipe.json"), read_adapter(folder)
    splits, data = load_splits(recipe, folder, settings)
    test = splits["test"]
    examples = first_of_each(of_source(test, yardstick(recipe, test)), rows)
    prompt = TranslationPrompt(base.tokenizer, adapter.card.style)
    model: Any = open_adapter(base.model, adapter, base, "default")
    tuned = translate_rows(model, prompt, examples)
    plain = translate_rows(model.unload(), prompt, examples)
    return {
        "pair": recipe.pair,
        "name": adapter.card.name,
        "version": adapter.version,
        "bytes": adapter.bytes,
        "base_model": f"{base.name}@{base.revision}",
        "data": data,
        "training_rows": round(recipe.share * len(splits["train"])),
        "epochs": recipe.epochs,
        "base": figures_of(plain, recipe.pair),
        "tuned": figures_of(tuned, recipe.pair),
        "differences": _differences(plain, tuned, recipe.pair),
        "examples": [
            {"sentence": a.sentence, "reference": a.reference, "base": a.text, "tuned": b.text}
            for a, b in list(zip(plain, tuned))[:_SHOWN]
        ],
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _differences(plain: Sequence[Any], tuned: Sequence[Any], pair: str) -> dict[str, Any]:
    found = Texts([plain, tuned], pair.partition("-")[2]).differences(0, 1)
    return {name: found[name] for name in FIGURES}


def write_pairs(found: dict[str, Any], file: Path) -> None:
    """Add what was measured to the file, and say all of it to people in Markdown beside it."""
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    known = dict(sorted((known | found).items()))
    write_whole(file, json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    write_whole(file.with_suffix(".md"), page(known))


def page(found: dict[str, Any]) -> str:
    """The table as Markdown."""
    lines = [
        "# Translation adapters beside their base", "",
        "`python -m trainer pairs --out assets/bench/translation.json`. Test sentences that no"
        " training saw, the same prompt for both sides; 95 % bootstrap intervals over sentences."
        " Sentences are written until the model stops by itself or has no room left (16 tokens and"
        " four for each of the source's); properly ended: it stopped straight behind its line. The"
        " text that is scored ends with its line, as readers get it, so the base is not scored on"
        " what it writes behind. Tokens needed are the reference's. BLEU: sacreBLEU's tokenizer zh"
        " for Chinese, 13a for the others (its tokenizers for Hindi and Tamil need a download).",
        "", table(found), "",
    ]  # fmt: skip
    for one in found.values():
        lines += [f"## {one['pair']}: the first of its test sentences", ""]
        lines += ["| sentence | reference | base | tuned |", "|---|---|---|---|"]
        lines += [
            "| " + " | ".join(row[k] for k in ("sentence", "reference", "base", "tuned")) + " |"
            for row in one["examples"]
        ]
        lines.append("")
    return "\n".join(lines)


def table(found: dict[str, Any]) -> str:
    """A line for each pair and side."""
    head = ["pair", "side", "rows trained on × epochs", "test sentences", "MB"]
    head += [FIGURES[name] for name in _COLUMNS]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for one in found.values():
        for side in ("base", "tuned"):
            figures, tuned = one[side], side == "tuned"
            cells = [one["pair"], side]
            cells += [f"{one['training_rows']} × {one['epochs']:g}" if tuned else ""]
            cells += [str(figures["n"]), f"{one['bytes'] / 1e6:.1f}" if tuned else ""]
            cells += [told(name, figures[name]) for name in _COLUMNS]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
