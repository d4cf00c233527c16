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
from engine.files import write_whole
from engine.models import load_base
from engine.split import split_of_translation
from trainer.catalogue import Model
from trainer.evaluation.answering import titled
from trainer.evaluation.embedding import base_vectors
from trainer.evaluation.figures import count_gains, gain_of
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

TRANSLATIONS = "translations"  # the dataset that is all sentences that came with one
SENTENCES = "sentences.jsonl"
_AT_ONCE = 8


def evaluate_sentences(work: Work, recipe: EvaluateRecipe) -> bool:
    """Translate, score and report; whether all of it is done."""
    base = load_base(work.settings)
    translators = find_translators(
        recipe.models, recipe.pair, recipe.url, base, work.store, work.settings
    )
    sentences = keep_sentences(work.folder, work.store, recipe)
    models, needed, done = [], [], 0
    total = len(sentences) * len(recipe.models)
    for number, translator in enumerate(translators):
        file = work.folder / f"model-{number}.jsonl"
        kept = _Kept(file, translator.model.version, [context for context, _ in sentences])
        done += len(kept.texts)
        for start in range(len(kept.texts), len(sentences), _AT_ONCE):
            if is_over(work):
                return False
            some = [context for context, _ in sentences[start : start + _AT_ONCE]]
            kept.add(translator.translate(some))
            done += len(some)
            work.report(done, total, {})
        models.append(kept.texts)
        needed.append([translator.count(reference) for _, reference in sentences])
        translator.close()
    named = titled([one.model for one in translators])
    rows = [
        _row(context, reference, [mine[n] for mine in models], recipe.pair)
        for n, (context, reference) in enumerate(sentences)
    ]
    told_rows = _text_rows(sentences, models, needed)
    figures = make_figures(recipe, sentences, named, told_rows, rows, base_vectors(base))
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


def keep_sentences(folder: Path, store: Store, recipe: EvaluateRecipe) -> list[tuple[str, str]]:
    """The sentences as they were chosen when the job began: what comes into the store or leaves it
    while the job rests changes nothing. Raises what `find_sentences` does."""
    file = folder / SENTENCES
    if not file.is_file():
        found = find_sentences(store, recipe)
        write_whole(file, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found))
    lines = file.read_text(encoding="utf-8").splitlines()
    return [(context, text) for context, text in map(json.loads, lines)]


def find_sentences(store: Store, recipe: EvaluateRecipe) -> list[tuple[str, str]]:
    """The split's sentences with their own translations, of all that came with one or of a frozen
    set; JobError or Refused where there are none. They are split as training splits them."""
    found = [
        (context, text)
        for context, text in _all_sentences(store, recipe)
        if split_of_translation(context, text, recipe.pair) == recipe.split
    ]
    random.Random(recipe.seed).shuffle(found)
    chosen = found[: recipe.rows or len(found)]
    if not chosen:
        raise JobError(
            "no_rows", f"no sentence of the split {recipe.split} came with a translation"
        )
    return chosen


def _all_sentences(store: Store, recipe: EvaluateRecipe) -> Sequence[tuple[str, str]]:
    if recipe.dataset == TRANSLATIONS:
        return store.synthetic.referenced(recipe.pair)
    found = store.sentence_sets.get(recipe.dataset)
    if found.pair != recipe.pair:
        raise JobError("other_pair", f"{found.name} is of {found.pair}, not of {recipe.pair}")
    return store.sentence_sets.rows(found.name)


def count_sentences(store: Store, pair: str) -> dict[str, int]:
    """How many sentences of each split came with a translation."""
    told = store.synthetic.referenced(pair)
    return dict(Counter(split_of_translation(context, text, pair) for context, text in told))


class _Kept:
    """One model's texts in a file, one a line, in the order of its sentences; what a kill cut off
    is dropped, and what is of another model or sentence, with all behind it."""

    def __init__(self, file: Path, name: str, sentences: Sequence[str]):
        self._file, self._name, self._sentences = file, name, sentences
        self.texts: list[Written] = []
        whole = 0
        lines = file.read_bytes().splitlines(keepends=True) if file.is_file() else []
        for line, sentence in zip(lines, sentences):
            data = json.loads(line) if line.endswith(b"\n") else {}
            if (data.pop("model", None), data.pop("context", None)) != (name, sentence):
                break
            self.texts.append(Written(**data))
            whole += len(line)
        if file.is_file():
            os.truncate(file, whole)

    def add(self, texts: Sequence[Written]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            for sentence, one in zip(self._sentences[len(self.texts) :], texts):
                line = {"model": self._name, "context": sentence, **vars(one)}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.texts += texts


def make_figures(
    recipe: EvaluateRecipe,
    sentences: Sequence[tuple[str, str]],
    named: Sequence[Model],
    models: Sequence[Sequence[TextRow]],
    lines: Sequence[dict[str, Any]],
    vectors: Any,
) -> dict[str, Any]:
    """All figures, as their file has them; `lines`: the rows as theirs has them."""
    texts = Texts(models, recipe.pair.partition("-")[2], vectors)
    told = [texts.figures(number) for number in range(len(models))]
    return {
        "split": {
            "dataset": recipe.dataset, "split": recipe.split, "task": "translation",
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
            | count_gains([gain_of(line, left, right) for line in lines])
            for right in range(len(models))
            for left in range(right)
        ],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "lower_is_better": list(LOWER_IS_BETTER),
    }  # fmt: skip


def _text_rows(
    sentences: Sequence[tuple[str, str]],
    models: Sequence[Sequence[Written]],
    needed: Sequence[Sequence[int]],
) -> list[list[TextRow]]:
    """What each model wrote as figures count it."""
    return [
        [
            TextRow(
                context, reference, one.text, one.tokens, one.over, one.ms, one.ended, one.stopped,
                tokens,
            )
            for (context, reference), one, tokens in zip(sentences, mine, counts, strict=True)
        ]
        for mine, counts in zip(models, needed, strict=True)
    ]  # fmt: skip


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
