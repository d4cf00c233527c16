"""Figures of whole-sentence translations against references, with 95 % bootstrap intervals over
sentences. Pure: vectors of texts come from a function; no model, no store.

BLEU, chrF++ and TER are sacreBLEU's, of all sentences together. The embedding score matches token
vectors greedily, as BERTScore does, over whatever vectors it is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import regex
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.metrics.base import Metric

from trainer.evaluation.figures import DRAWS, repeats

LOWER_IS_BETTER = (
    "ter", "tokens", "tokens_after_answer", "written_per_needed", "repeats", "ms",
)  # fmt: skip
EMBEDDING = "base_embedding_f1"
# By language; Japanese and Thai by character, as their tokenizers are no part of sacreBLEU itself.
_TOKENIZERS = dict.fromkeys(("ja", "th", "lo", "km", "my"), "char") | {"zh": "zh"}
_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_UNIT = regex.compile(rf"[{_SPACELESS}]|[\w--[{_SPACELESS}]]+", regex.V1)

Vectors = Callable[[str], Any]
"""A text → its tokens' vectors, (tokens, width), as an array or a tensor in memory."""


@dataclass(frozen=True)
class TextRow:
    """One sentence's translation. `over`: tokens that were written after the answer's end; `ended`:
    whether it has an end, `stopped`: whether the model itself stopped there (None: not known);
    `needed`: tokens of the reference, 0: not counted."""

    sentence: str
    reference: str
    text: str
    tokens: int = 0
    over: int = 0
    ms: float = 0.0
    ended: bool | None = None
    stopped: bool | None = None
    needed: int = 0


@dataclass(frozen=True)
class _Figure:
    """What rows add up to, and the value of any sum of it."""

    sums: list[np.ndarray]  # by model: (sentences, numbers)
    value: Callable[[np.ndarray], float]
    counted: list[int]  # rows, by model
    signature: str = ""


class Texts:
    """Translations by one model or several of the same sentences, drawn alike."""

    def __init__(
        self,
        models: Sequence[Sequence[TextRow]],
        target: str = "zh",
        vectors: Vectors | None = None,
        draws: int = DRAWS,
    ):
        """`target`: the references' language. ValueError where there is no row, or the models'
        rows are of different sentences."""
        sentences = [row.sentence for row in models[0]] if models else []
        if not sentences or any([row.sentence for row in mine] != sentences for mine in models):
            raise ValueError("the models' rows must be of the same sentences")
        numbers = {name: n for n, name in enumerate(dict.fromkeys(sentences))}
        self._at = np.array([numbers[name] for name in sentences])
        count = len(numbers)
        drawn = np.random.default_rng(1).multinomial(count, np.full(count, 1 / count), draws)
        self._draws = np.vstack([np.ones((1, count)), drawn])  # the first is no draw
        told = self._corpus(models, target) | self._ratios(models, vectors)
        self._counted = {name: one.counted for name, one in told.items()}
        self._signatures = {name: one.signature for name, one in told.items()}
        self._values = {name: self._drawn(one) for name, one in told.items()}

    def figures(self, model: int) -> dict[str, Any]:
        """Each figure with its 95 % interval and how many rows it counts; what counts none is left
        out."""
        found = {}
        for name, values in self._values.items():
            if self._counted[name][model]:
                found[name] = _told(values[model]) | {"n": self._counted[name][model]}
                if signature := self._signatures[name]:
                    found[name]["signature"] = signature
        return found

    def differences(self, left: int, right: int) -> dict[str, Any]:
        """For each figure that both have, right less left, with its paired 95 % interval."""
        return {
            name: _told(values[right] - values[left])
            for name, values in self._values.items()
            if self._counted[name][left] and self._counted[name][right]
        }

    def _drawn(self, figure: _Figure) -> list[np.ndarray]:
        """By model: the figure of all rows, then of each draw."""
        return [np.array([figure.value(row) for row in self._draws @ sums]) for sums in figure.sums]

    def _summed(self, rows: np.ndarray) -> np.ndarray:
        sums = np.zeros((self._draws.shape[1], rows.shape[1]))
        np.add.at(sums, self._at, rows)
        return sums

    def _corpus(self, models: Sequence[Sequence[TextRow]], target: str) -> dict[str, _Figure]:
        """sacreBLEU's figures, from the counts that it takes of each sentence."""
        found = {}
        references = [row.reference for row in models[0]]
        for name, metric in make_metrics(target).items():
            sums = [
                self._summed(np.array(_counts(metric, [row.text for row in mine], references)))
                for mine in models
            ]
            counted = [len(mine) for mine in models]
            found[name] = _Figure(
                sums, partial(_score, metric), counted,
                str(metric.get_signature()),
            )  # fmt: skip
        return found

    def _ratios(
        self, models: Sequence[Sequence[TextRow]], vectors: Vectors | None
    ) -> dict[str, _Figure]:
        """The means over rows."""
        terms = [[_terms(row) for row in mine] for mine in models]
        if vectors:
            for number, row in enumerate(models[0]):
                reference = _unit_length(vectors(row.reference))
                for mine, said in zip(terms, models):
                    vector = _unit_length(vectors(said[number].text))
                    mine[number][EMBEDDING] = (match_vectors(vector, reference), 1)
        found = {}
        for name in terms[0][0]:
            rows = [np.array([row[name] for row in mine], float) for mine in terms]
            counted = [int(one[:, 1].sum()) for one in rows]
            found[name] = _Figure([self._summed(one) for one in rows], _ratio, counted)
        return found


def make_metrics(target: str) -> dict[str, Metric]:
    """sacreBLEU's metrics as this language needs them."""
    spaceless = target in _TOKENIZERS
    return {
        "bleu": BLEU(tokenize=_TOKENIZERS.get(target, "13a")),
        "chrf": CHRF(word_order=2),
        "ter": TER(normalized=spaceless, asian_support=spaceless),
    }


def _counts(metric: Metric, texts: list[str], references: list[str]) -> list[list[float]]:
    return metric._extract_corpus_statistics(texts, [references])


def _score(metric: Metric, counts: np.ndarray) -> float:
    return metric._compute_score_from_stats(counts.tolist()).score


def _ratio(row: np.ndarray) -> float:
    return row[0] / row[1] if row[1] else np.nan


def _terms(row: TextRow) -> dict[str, tuple[float, float]]:
    """What a row adds above and below the line of each mean."""
    text, reference = units(row.text), units(row.reference)
    terms: dict[str, tuple[float, float]] = {
        f"rouge_{n}": (rouge_n(text, reference, n), float(len(reference) >= n)) for n in (1, 2)
    }
    terms["rouge_l"] = (rouge_l(text, reference), float(bool(reference)))
    return terms | {
        "tokens": (row.tokens, 1),
        "tokens_after_answer": (row.over, 1),
        "repeats": (repeats(row.text), 1),
        "ms": (row.ms, 1),
        "ended": (row.ended or 0, row.ended is not None),
        "stopped": (row.stopped or 0, row.stopped is not None),
        "written_per_needed": ((row.tokens + row.over) * bool(row.needed), row.needed),
    }


def units(text: str) -> list[str]:
    """What ROUGE counts: characters in scripts without spaces, else words, in small letters."""
    return _UNIT.findall(text.lower())


def rouge_n(text: Sequence[str], reference: Sequence[str], n: int) -> float:
    """F1 of runs of `n` units, 0 to 1."""
    x, y = _runs(text, n), _runs(reference, n)
    shared = (x & y).total()
    return 2 * shared / (x.total() + y.total()) if shared else 0.0


def _runs(text: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1))


def rouge_l(text: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the longest common subsequence, 0 to 1."""
    last = [0] * (len(reference) + 1)
    for unit in text:
        row = [0]
        for j, other in enumerate(reference):
            row.append(last[j] + 1 if unit == other else max(last[j + 1], row[j]))
        last = row
    return 2 * last[-1] / (len(text) + len(reference)) if last[-1] else 0.0


def match_vectors(text: np.ndarray, reference: np.ndarray) -> float:
    """F1 of greedy matching: each token with the other side's most alike. Of (tokens, width) of
    unit length; 0 where a side has no token."""
    if not len(text) or not len(reference):
        return 0.0
    alike = text @ reference.T
    precision, recall = alike.max(1).mean(), alike.max(0).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall > 0 else 0.0


def _unit_length(vectors: Any) -> np.ndarray:
    found = np.asarray(vectors, dtype=np.float32)
    return found / np.maximum(np.linalg.norm(found, axis=-1, keepdims=True), 1e-9)


def _told(values: np.ndarray) -> dict[str, Any]:
    drawn = values[1:][np.isfinite(values[1:])]
    low, high = np.percentile(drawn, (2.5, 97.5)) if len(drawn) else (values[0], values[0])
    return {
        "value": round(float(values[0]), 4),
        "interval": [round(float(low), 4), round(float(high), 4)],
    }
