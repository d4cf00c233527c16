"""An evaluation of whole sentences: those that came with a translation are translated again, by the
base or an adapter, by a model behind a server or as a teacher did before, and set beside their own.
Texts are kept as they come, as senses are.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.store import Store
from engine.models import load_base
from engine.split import split_of_translation
from trainer.catalogue import Model
from trainer.evaluation.answering import titled
from trainer.evaluation.embedding import base_vectors
from trainer.evaluation.report import write_report
from trainer.evaluation.stored import write_result
from trainer.evaluation.texts import LOWER_IS_BETTER, TextRow, Texts
from trainer.evaluation.translators import Written, find_translators
from trainer.examples import hash_texts
from trainer.jobs.kinds import JobError
from trainer.jobs.work import Work, is_over
from trainer.metrics import chrf

if TYPE_CHECKING:
    from trainer.jobs.evaluate import EvaluateRecipe

_AT_ONCE = 8


def evaluate_sentences(work: Work, recipe: EvaluateRecipe) -> bool:
    """Translate, score and report; whether all of it is done."""
    base = load_base(work.settings)
    translators = find_translators(
        recipe.models, recipe.pair, recipe.url, base, work.store, work.settings
    )
    sentences = find_sentences(work.store, recipe)
    models, done = [], 0
    total = len(sentences) * len(recipe.models)
    for number, translator in enumerate(translators):
        kept = _Kept(work.folder / f"model-{number}.jsonl", translator.model.version)
        done += len(kept.texts)
        for start in range(len(kept.texts), len(sentences), _AT_ONCE):
            if is_over(work):
                return False
            some = [context for context, _ in sentences[start : start + _AT_ONCE]]
            kept.add(translator.translate(some))
            done += len(some)
            work.report(done, total, {})
        models.append(kept.texts)
        translator.close()
    named = titled([one.model for one in translators])
    figures = make_figures(recipe, sentences, named, models, base_vectors(base))
    rows = [
        _row(context, reference, [mine[n] for mine in models], recipe.pair)
        for n, (context, reference) in enumerate(sentences)
    ]
    write_result(work.folder, figures, rows)
    write_report(work.folder)
    told = figures["models"]
    split = {name: figures["split"][name] for name in ("dataset", "split", "sha256")}
    work.report(total, total, {
        "models": recipe.models, "versions": [one.version for one in named],
        "scores": [one["figures"]["chrf"]["value"] / 100 for one in told],
        "ms": [one["ms"] for one in told], **split,
    })  # fmt: skip
    return True


def find_sentences(store: Store, recipe: EvaluateRecipe) -> list[tuple[str, str]]:
    """The split's sentences with their own translations; JobError where there are none. They are
    split as training splits them."""
    found = [
        (context, text)
        for context, text in store.synthetic.referenced(recipe.pair)
        if split_of_translation(context, text, recipe.pair) == recipe.split
    ]
    random.Random(recipe.seed).shuffle(found)
    chosen = found[: recipe.rows or len(found)]
    if not chosen:
        raise JobError(
            "no_rows", f"no sentence of the split {recipe.split} came with a translation"
        )
    return chosen


def count_sentences(store: Store, pair: str) -> dict[str, int]:
    """How many sentences of each split came with a translation."""
    told = store.synthetic.referenced(pair)
    return dict(Counter(split_of_translation(context, text, pair) for context, text in told))


class _Kept:
    """One model's texts in a file, one a line; what a kill cut off is dropped."""

    def __init__(self, file: Path, name: str):
        self._file, self._name = file, name
        self.texts: list[Written] = []
        whole = 0
        for line in file.read_bytes().splitlines(keepends=True) if file.is_file() else ():
            data = json.loads(line) if line.endswith(b"\n") else {}
            if data.pop("model", None) != name:
                break
            self.texts.append(Written(**data))
            whole += len(line)
        if file.is_file():
            os.truncate(file, whole)

    def add(self, texts: Sequence[Written]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            for one in texts:
                line = {"model": self._name, **vars(one)}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.texts += texts


def make_figures(
    recipe: EvaluateRecipe,
    sentences: Sequence[tuple[str, str]],
    named: Sequence[Model],
    models: Sequence[Sequence[Written]],
    vectors: Any,
) -> dict[str, Any]:
    """All figures, as their file has them."""
    rows = [
        [
            TextRow(
                context, reference, one.text, one.tokens, one.over, one.ms, one.ended, one.stopped
            )
            for (context, reference), one in zip(sentences, mine, strict=True)
        ]
        for mine in models
    ]
    texts = Texts(rows, recipe.pair.partition("-")[2], vectors)
    told = [texts.figures(number) for number in range(len(models))]
    return {
        "split": {
            "dataset": "translations", "split": recipe.split, "task": "translation",
            "sha256": hash_texts([f"{a}\t{b}" for a, b in sorted(sentences)]),
            "pair": recipe.pair, "rows": len(sentences), "sentences": len(sentences),
            "seed": recipe.seed,
        },
        "models": [
            {
                "name": one.name, "title": one.title, "version": one.version,
                "detail": f"{one.title}@{one.version}" if one.folder else one.version,
                "bytes": one.bytes, "made": one.made, "figures": found, "slices": {},
                "ms": found["ms"]["value"],
            }
            for one, found in zip(named, told, strict=True)
        ],
        "pairs": [
            {"left": left, "right": right, "differences": texts.differences(left, right)}
            | _counted(sentences, models[left], models[right])
            for right in range(len(models))
            for left in range(right)
        ],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "lower_is_better": list(LOWER_IS_BETTER),
    }  # fmt: skip


def _counted(
    sentences: Sequence[tuple[str, str]], left: Sequence[Written], right: Sequence[Written]
) -> dict[str, int]:
    """In how many sentences the right one shares more characters with the reference, or fewer."""
    gains = [
        chrf(b.text, reference) - chrf(a.text, reference)
        for (_, reference), a, b in zip(sentences, left, right, strict=True)
    ]
    better, worse = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    return {"better": better, "worse": worse, "same": len(gains) - better - worse}


def _row(context: str, reference: str, texts: Sequence[Written], pair: str) -> dict[str, Any]:
    return {
        "context": context, "position": None, "target": "", "idx": 0, "pair": pair,
        "reference": {"text": reference}, "fields": ["text"], "split_phrase": False,
        "answers": [
            {
                "text": one.text, "confidence": None, "right": one.text == reference,
                "worth": round(chrf(one.text, reference), 4),
            }
            for one in texts
        ],
    }  # fmt: skip
