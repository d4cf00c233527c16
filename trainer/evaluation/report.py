"""An evaluation's report: the rows that got worse or better the most, figures with intervals, what
differs beyond chance, slices. Made from the job's two files; needs no model and no store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from engine.sense import context_words
from trainer.evaluation.figures import gain_of
from trainer.pages import Section, legend, said, value_text, write_pages
from trainer.plots import Spans, interval_plot

FIGURES, ANSWERS = "evaluation.json", "answers.jsonl"
_MOST_ROWS = 15  # of a list of regressions, gains or mistakes
_AROUND = 90  # characters on either side of a word
# Figures that are no shares.
_PLAIN = re.compile(r"(^|_)(ms|tokens|characters|seconds?|length|count)(_|$)")
_READ = (
    "Behind each figure stands its 95 % interval, from bootstrap draws of the sentences. All "
    "models are drawn alike, so differences are paired; those of shares are percentage points. A "
    "difference is called beyond chance where its interval leaves out 0; of twenty figures that do "
    "not differ, one does so by chance."
)
_MEANS = {
    "right": "the meaning is accepted, and the phrase is the label's, or none where it has none",
    "answered": "an answer was given at all",
    "valid": "unheld answers that keep to the form",
    "class_accuracy": "the word class is the label's",
    "meaning_match": "the meaning is one of those that the label lists",
    "meaning_exact": "the meaning is the label's, all that it lists",
    "meaning_chrf": "characters and pairs of them that meaning and label share (F1)",
    "phrase_precision": "of the phrases that were found, those that the labels have",
    "phrase_recall": "of the labels' phrases, those that were found",
    "phrase_f1": "both of these in one figure",
    "phrase_exact": "of the labels' phrases, those found with exactly their words",
    "phrase_where_not": "of the words without a phrase, those that were given one",
    "split_phrase_recall": "of the labels' phrases whose words stand apart, those that were found",
    "split_phrase_exact": "of the same, those found with exactly their words",
    "phrase_meaning_chrf": "characters that the phrase's meaning and the label's share (F1)",
    "ms": "milliseconds an answer, on the machine that made this",
    "tokens": "tokens of an answer, in the words of who gave it",
    "characters": "characters that an answer says",
    "free_tokens": "tokens of an unheld answer",
    "ended": "answers with an end: unheld ones that came to it by themselves, translations of a "
    "whole line",
    "stopped": "translations behind which the model stopped by itself, at once",
    "written_per_needed": "tokens written, those behind the end too, for each of the reference's",
    "tokens_after_answer": "tokens that an unheld answer goes on for after its end",
    "repeats": "unheld answers that say the same again and again",
    "bleu": "BLEU of all sentences, 0 to 100",
    "chrf": "chrF++ of all sentences, 0 to 100",
    "ter": "translation edit rate: edits a hundred words (or characters) of the reference",
    "rouge_1": "single words or characters shared with the reference (F1)",
    "rouge_2": "pairs of them shared with the reference (F1)",
    "rouge_l": "longest common run with gaps (F1)",
    "base_embedding_f1": "greedy match of token vectors of a layer of this app's own base; not to "
    "be compared with published BERTScores",
}
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Evaluated:
    """An evaluation as its files tell it."""

    told: Json
    rows: Sequence[Json]

    @property
    def models(self) -> Sequence[Json]:
        return self.told["models"]

    @property
    def titles(self) -> list[str]:
        return [value_text(one.get("title") or one["name"]) for one in self.models]

    def lower(self, name: str) -> bool:
        return name in self.told.get("lower_is_better", ())

    def named(self, name: str) -> str:
        return f"{said(name)} (lower is better)" if self.lower(name) else said(name)

    def is_share(self, name: str) -> bool:
        """Whether it is told in percent: no count, no score of up to 100."""
        told = (one["figures"].get(name) for one in self.models)
        return not _PLAIN.search(name) and all(abs(one["value"]) <= 1 for one in told if one)

    def text(self, name: str, value: float) -> str:
        return _percent(value) if self.is_share(name) else _plain(value)

    def interval(self, name: str, one: Json) -> str:
        ends = (self.text(name, end).removesuffix(" %") for end in one.get("interval") or ())
        return " to ".join(ends)

    def figure(self, name: str, one: Json | None) -> str:
        return f"{self.text(name, one['value'])} ({self.interval(name, one)})" if one else ""

    def signed(self, name: str, one: Json) -> str:
        return ("+" if one["value"] > 0 else "") + self.text(name, one["value"])

    def reading(self, name: str, one: Json) -> str:
        """What a difference says of the later model."""
        low, high = one["interval"]
        if low <= 0 <= high:
            return "within chance"
        good = (low > 0) != self.lower(name)
        return "better, beyond chance" if good else "worse, beyond chance"

    def figure_names(self) -> list[str]:
        return in_order(chain.from_iterable(one["figures"] for one in self.models))


def in_order(names: Iterable[str]) -> list[str]:
    """Each figure once: whether answers are right first, what they cost last."""
    return sorted(
        dict.fromkeys(names), key=lambda name: (bool(_PLAIN.search(name)), name != "right")
    )


def read_evaluation(folder: Path) -> Evaluated:
    """The evaluation in a job's folder; OSError or ValueError where there is none."""
    told = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    with (folder / ANSWERS).open(encoding="utf-8") as lines:
        return Evaluated(told, [json.loads(line) for line in lines])


def write_report(folder: Path) -> tuple[Path, Path]:
    """Write both reports into an evaluation's folder; their files, HTML first. OSError or
    ValueError where the evaluation is not there or the disk does not take them."""
    found = read_evaluation(folder)
    split = found.told["split"]
    title = f"Evaluation: {value_text(split['dataset'])}, {value_text(split['split'])} split"
    return write_pages(folder, title, make_sections(found))


def make_sections(found: Evaluated) -> list[Section]:
    """The report's parts, in order; those with nothing in them are left out."""
    sections = [
        Section("", _verdict(found), (), ((), _facts(found))),
        Section("Models", "", (), _models(found)),
        *_lists(found),
        Section("Figures", _READ, _plots(found), _figures(found)),
        *_differences(found),
        *_slices(found),
        Section("What the figures say", "", (), ((), _means(found))),
    ]
    return [one for one in sections if not one.is_empty]


def _verdict(found: Evaluated) -> str:
    """One sentence a pair: whether the later model is right more often."""
    told = []
    for pair in found.told.get("pairs", ()):
        one = pair["differences"].get("right")
        if one:
            left, right = found.titles[pair["left"]], found.titles[pair["right"]]
            by = f"{found.signed('right', one)} ({found.interval('right', one)})"
            told.append(f"{right} against {left}: right {by}, {found.reading('right', one)}.")
    return " ".join(told)


def _facts(found: Evaluated) -> list[list[str]]:
    split = found.told["split"]
    facts = {
        "dataset": split["dataset"],
        "SHA-256": split.get("sha256"),
        "split": split["split"],
        "task": split.get("task"),
        "pair": split.get("pair"),
        "rows": split.get("rows"),
        "sentences": split.get("sentences"),
        "made": str(found.told.get("made", ""))[:16].replace("T", " "),
    }
    for name in found.figure_names():
        told = (one["figures"].get(name, {}).get("signature") for one in found.models)
        facts[f"signature, {said(name)}"] = next(filter(None, told), None)
    return [[name, value_text(value)] for name, value in facts.items() if value not in (None, "")]


def _models(found: Evaluated) -> tuple[Sequence[str], list[list[str]]]:
    rows = [
        [
            title, value_text(one["name"]), value_text(one.get("version")),
            f"{one['bytes'] / 1e6:,.1f}" if one.get("bytes") else "",
            value_text(one.get("made"))[:10], _plain(one.get("ms")),
        ]
        for title, one in zip(found.titles, found.models)
    ]  # fmt: skip
    heads = ("model", "name", "version", "MB", "made", "ms an answer")
    used = [i for i, _ in enumerate(heads) if any(row[i] for row in rows)]
    return [heads[i] for i in used], [[row[i] for i in used] for row in rows]


def _plots(found: Evaluated) -> tuple[tuple[str, str], ...]:
    """The shares of all models over one axis, and the scores of up to 100 over another."""
    plots = []
    names = [name for name in found.figure_names() if not _PLAIN.search(name)]
    for title, are_shares in (("Shares", True), ("Scores out of 100", False)):
        rows = [
            Spans(said(name), [_span(one["figures"].get(name)) for one in found.models])
            for name in names
            if found.is_share(name) == are_shares
        ]
        if plot := interval_plot(title, rows):
            plots.append((title, plot + legend(found.titles)))
    return tuple(plots)


def _span(one: Json | None) -> tuple[float, float, float] | None:
    if not one or not one.get("interval"):
        return None
    return one["value"], *one["interval"]


def _figures(found: Evaluated) -> tuple[Sequence[str], list[list[str]]]:
    rows = []
    for name in found.figure_names():
        told = [one["figures"].get(name) for one in found.models]
        counts = {one.get("n") for one in told if one} - {None}
        n = value_text(max(counts) if counts else found.told["split"].get("rows"))
        rows.append([found.named(name), n, *(found.figure(name, one) for one in told)])
    return ("figure", "n", *found.titles), rows


def _differences(found: Evaluated) -> list[Section]:
    sections = []
    for pair in found.told.get("pairs", ()):
        left, right = found.titles[pair["left"]], found.titles[pair["right"]]
        rows = [
            [found.named(name), found.signed(name, one), found.interval(name, one),
             found.reading(name, one)]
            for name in in_order(pair["differences"])
            for one in [pair["differences"][name]]
        ]  # fmt: skip
        counts = ", ".join(
            f"{pair[name]:,} rows {name}" for name in ("better", "worse", "same") if name in pair
        )
        sections.append(
            Section(
                f"From {left} to {right}",
                f"{right} less {left}. {counts}.",
                (),
                (("figure", "difference", "95 % interval", ""), rows),
            )
        )
    return sections


def _slices(found: Evaluated) -> list[Section]:
    names = dict.fromkeys(
        chain.from_iterable(one.get("slices") or () for one in found.models)
    )  # in the order they are told
    return [section for name in names if (section := _slice(found, name))]


def _slice(found: Evaluated, name: str) -> Section | None:
    told = [(one.get("slices") or {}).get(name, {}) for one in found.models]
    values = dict.fromkeys(chain.from_iterable(told))
    figures = in_order(
        figure
        for one in told
        for cell in one.values()
        for figure, of in cell.items()
        if isinstance(of, Mapping)
    )
    if not figures:
        return None
    rows = []
    for value in values:
        cells = [one.get(value, {}) for one in told]
        n = value_text(next((cell["n"] for cell in cells if "n" in cell), None))
        for i, (title, cell) in enumerate(zip(found.titles, cells)):
            begin = [said(value), n] if i == 0 else ["", ""]
            shown = [found.figure(figure, cell.get(figure)) for figure in figures]
            rows.append([*begin, title, *shown])
    return Section(f"By {said(name)}", "", (), (("", "n", "", *map(found.named, figures)), rows))


def _lists(found: Evaluated) -> list[Section]:
    """The worst regressions and best gains of each pair; of one model alone its surest mistakes."""
    if len(found.models) == 1:
        return [_mistakes(found)]
    sections = []
    for pair in found.told.get("pairs", ()):
        left, right = pair["left"], pair["right"]
        named = f"from {found.titles[left]} to {found.titles[right]}"
        ordered = sorted(found.rows, key=lambda row: gain_of(row, left, right))
        worse = [row for row in ordered if gain_of(row, left, right) < 0]
        better = [row for row in reversed(ordered) if gain_of(row, left, right) > 0]
        sections += [
            _listed(found, f"Worst regressions {named}", worse, (left, right)),
            _listed(found, f"Best gains {named}", better, (left, right)),
        ]
    return sections


def _mistakes(found: Evaluated) -> Section:
    wrong = [row for row in found.rows if not row["answers"][0].get("right")]
    wrong.sort(key=lambda row: -(row["answers"][0].get("confidence") or 0.0))
    return _listed(found, "Wrong answers, the surest first", wrong, (0,))


def _listed(found: Evaluated, title: str, rows: Sequence[Json], models: Sequence[int]) -> Section:
    if not rows:
        return Section(title, "None.")
    shown = [
        [_in_sentence(row), answer_text(row.get("reference") or {}),
         *(_marked(row["answers"][i]) for i in models)]
        for row in rows[:_MOST_ROWS]
    ]  # fmt: skip
    heads = ("word in its sentence", "label", *(found.titles[i] for i in models))
    return Section(title, f"{len(shown):,} of {len(rows):,}.", (), (heads, shown))


def _in_sentence(row: Json) -> str:
    """The sentence about the word, which stands in ‹ ›."""
    context, position = row["context"], row.get("position")
    if position is None:
        return value_text(context)
    words = context_words(context, row.get("pair", "en-zh"))
    if not 0 <= position < len(words):
        return value_text(context)
    start, end = words[position].start, words[position].end
    before, after = context[:start], context[end:]
    cut_before = f"…{before[-_AROUND:]}" if len(before) > _AROUND else before
    cut_after = f"{after[:_AROUND]}…" if len(after) > _AROUND else after
    return value_text(f"{cut_before}‹{context[start:end]}›{cut_after}")


def answer_text(answer: Json) -> str:
    """An answer or a label in one line."""
    if answer.get("text"):
        return value_text(answer["text"])
    parts = [answer.get("zh") or "—", answer.get("class", "")]
    if answer.get("members") or answer.get("phrase"):
        parts.append(f"{answer.get('phrase', '')} | {answer.get('phrase_zh', '')}")
    return value_text(" · ".join(part for part in parts if part))


def _marked(answer: Json) -> str:
    right = answer.get("right")
    mark = "" if right is None else "✓ " if right else "✗ "
    return mark + answer_text(answer)


def _means(found: Evaluated) -> list[list[str]]:
    return [[said(name), _MEANS[name]] for name in found.figure_names() if name in _MEANS]


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %".replace("-", "−")


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}".replace("-", "−")
