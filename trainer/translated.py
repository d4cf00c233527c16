"""What a translation adapter is worth: sentences translated with it and without it, and its card.

Sentences are written unheld: what counts is also whether the model stops where a sentence ends.
`card.json` is for the engine and for screens, `SCORES.md` says the same to people.
"""

from __future__ import annotations

import json
import platform
import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import torch
from sacrebleu.metrics import CHRF

from engine.adapters import open_adapter
from engine.checking import CARD, read_adapter
from engine.files import write_whole
from engine.translation import TRANSLATION_VERSION, TranslationPrompt, translate_all
from trainer.card import SCORES, Finished, Report
from trainer.evaluation.texts import TextRow, Texts
from trainer.examples import TranslationExample
from trainer.recipe import FULL
from trainer.splits import of_source, yardstick

FIGURES = {
    "chrf": "chrF++", "bleu": "BLEU", "stopped": "properly ended", "ended": "line ended",
    "written_per_needed": "tokens written for each needed",
}  # fmt: skip
_MOST_ROWS = 200  # scored of a split
_SHOWN = 12
_LEAST_ENDED = 0.95


def first_of_each(
    examples: Sequence[TranslationExample], most: int, seed: int = 1
) -> list[TranslationExample]:
    """Up to `most` sentences with their first translation, always the same ones."""
    first: dict[str, TranslationExample] = {}
    for example in examples:
        first.setdefault(example.query.context, example)
    chosen = list(first.values())
    return random.Random(seed).sample(chosen, min(most, len(chosen)))


def translate_rows(
    model: Any, prompt: TranslationPrompt, examples: Sequence[TranslationExample]
) -> list[TextRow]:
    """The examples' sentences translated, as rows to score."""
    if not examples:
        return []
    began, sentences = time.monotonic(), [e.query.context for e in examples]
    texts = translate_all(model, prompt, sentences, examples[0].query.pair)
    ms = 1000 * (time.monotonic() - began) / len(examples)
    return [
        TextRow(
            e.query.context, e.text, one.text, one.tokens, one.over, ms, one.ended, one.stopped,
            len(prompt.answer(e.text)) - 1,
        )
        for e, one in zip(examples, texts)
    ]  # fmt: skip


def translated(run: Finished, examples: Sequence[TranslationExample]) -> list[TextRow]:
    """The examples' sentences as a run's result translates them."""
    base, prompt = run.base, TranslationPrompt(run.base.tokenizer, run.recipe.style)
    if run.recipe.matrices == FULL:
        return translate_rows(base.model, prompt, examples)
    model: Any = open_adapter(base.model, read_adapter(run.folder), base, "default")
    try:
        return translate_rows(model, prompt, examples)
    finally:
        model.unload()


def text_scores(rows: Sequence[tuple[str, str]]) -> list[float]:
    """Each sentence's score, 0 to 1: its chrF++. `rows`: text and reference."""
    chrf = CHRF(word_order=2)
    return [chrf.sentence_score(text, [wanted]).score / 100 for text, wanted in rows]


def figures_of(rows: Sequence[TextRow], pair: str) -> dict[str, Any]:
    """The figures of FIGURES with their intervals, and n."""
    found = Texts([rows], pair.partition("-")[2]).figures(0)
    return {"n": len(rows)} | {name: found[name] for name in FIGURES if name in found}


def write_translation_card(run: Finished, tell: Report, most: int = 0) -> dict[str, Any]:
    """Score on dev, with and without the adapter, and on test; write card.json and SCORES.md; the
    figures by set. Fit for readers is what translates dev better than the base and ends nearly all
    of it; `reason` says what is amiss."""
    recipe, base = run.recipe, run.base
    first = yardstick(recipe, run.splits["dev"])
    count, full = most or _MOST_ROWS, recipe.matrices == FULL
    dev, test = (
        first_of_each(of_source(run.splits[split], first), count) for split in ("dev", "test")
    )
    told = translated(run, [*dev, *test])
    rows = {f"dev {first}": told[: len(dev)], f"test {first}": told[len(dev) :]}
    if not full:
        prompt = TranslationPrompt(base.tokenizer, recipe.style)
        rows[f"base, dev {first}"] = translate_rows(base.model, prompt, dev)
    scores = {name: figures_of(mine, recipe.pair) for name, mine in rows.items() if mine}
    for name, found in scores.items():
        tell({"event": "scores", "scores": name, **found})
    reason = _judge(scores[f"dev {first}"], scores.get(f"base, dev {first}"))
    reason = "full" if full else reason
    card = {
        "name": recipe.name,
        "pair": recipe.pair,
        "task": recipe.task,
        "style": recipe.style,
        "prompt_version": TRANSLATION_VERSION,
        "base": f"{base.name}@{base.revision}",
        "scores": scores,
        "fit": not reason,
        "reason": reason,
        "examples": _examples(rows[f"test {first}"] or rows[f"dev {first}"]),
        "data": run.data,
        "licence": _licence(base.name, run.data),
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    write_whole(run.folder / SCORES, scores_page(card))
    write_whole(run.folder / CARD, json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    return scores


def _judge(mine: Mapping[str, Any], base: Mapping[str, Any] | None) -> str:
    """Why readers would not be better off with it: its chrF++ is not above the base's, or it does
    not know where a sentence ends; "" where they would."""
    if base and mine["chrf"]["value"] <= base["chrf"]["value"]:
        return "not_better"
    return "" if mine["stopped"]["value"] >= _LEAST_ENDED else "not_ended"


def _licence(base: str, data: Sequence[Mapping[str, Any]]) -> str:
    given = dict.fromkeys(str(one["licence"]) for one in data if one["licence"])
    return "; ".join([f"the terms of {base}, of which it is a derivative", *given])


def _examples(rows: Sequence[TextRow]) -> list[dict[str, str]]:
    """Some translations, drawn at random but always the same: what to expect of it."""
    chosen = random.Random(1).sample(list(rows), min(len(rows), _SHOWN))
    return [
        {"sentence": one.sentence, "reference": one.reference, "translation": one.text}
        for one in chosen
    ]


def scores_page(card: Mapping[str, Any]) -> str:
    """The card's scores and examples as Markdown."""
    lines = [
        f"# Scores of {card['name']}", "",
        "Written by `python -m trainer fit`. Value and 95 % bootstrap interval over sentences;"
        " nothing was chosen by `test`. Sentences are written until the model stops by itself;"
        " properly ended: it did, straight behind the sentence.", "",
        f"| set | n | {' | '.join(FIGURES.values())} |", "|---" * (2 + len(FIGURES)) + "|",
    ]  # fmt: skip
    for name, found in card["scores"].items():
        cells = [_cell(name, found.get(name)) for name in FIGURES]
        lines.append(f"| {name} | {found['n']} | {' | '.join(cells)} |")
    lines += ["", f"## {len(card['examples'])} translations, drawn at random", ""]
    lines += ["| sentence | reference | translation |", "|---|---|---|"]
    lines += [
        f"| {one['sentence']} | {one['reference']} | {one['translation']} |"
        for one in card["examples"]
    ]
    return "\n".join(lines) + "\n"


def _cell(name: str, found: Mapping[str, Any] | None) -> str:
    return "" if found is None else told(name, found)


def told(name: str, found: Mapping[str, Any]) -> str:
    """A figure with its interval as text; shares are percentages."""
    share = name in ("stopped", "ended")
    values = [100 * v if share else v for v in (found["value"], *found["interval"])]
    digits = 2 if name == "written_per_needed" else 1
    value, low, high = (f"{v:.{digits}f}" for v in values)
    return f"{value}{' %' * share} ({low} to {high})"
