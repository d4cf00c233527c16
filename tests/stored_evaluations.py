"""Evaluations as jobs leave them, made up from gold rows: no model is run.

The left model is the base and is often wrong; the right one is better but for every twelfth row.
"""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

from db.store import Job, Store
from engine.sense import Query, Sense, ask, from_wire, phrase_words
from engine.settings import assets
from trainer.jobs.process import job_folder
from trainer.metrics import score

GOLD = assets() / "datasets" / "en-zh-gold" / "phrasal.jsonl"
SHA256 = "5" * 64
Json = dict[str, Any]


def add_evaluation(
    store: Store,
    home: Path,
    count: int = 120,
    models: tuple[str, ...] = ("base", "shipped"),
    split: str = "dev",
) -> Job:
    """A job that evaluated these models on `count` rows, done, with its files."""
    rows = make_rows(count, len(models))
    told = make_told(rows, models, split)
    recipe = {"models": list(models), "dataset": "en-zh-gold", "split": split, "task": "sense"}
    figures = {
        "models": list(models),
        "versions": [one["version"] for one in told["models"]],
        "scores": [one["figures"]["right"]["value"] for one in told["models"]],
        "ms": [one["ms"] for one in told["models"]],
        **{"dataset": "en-zh-gold", "split": split, "sha256": SHA256},
    }
    job_id = store.jobs.add_done("evaluate", "compute", recipe, figures, [])
    folder = job_folder(home, job_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(told, ensure_ascii=False))
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "answers.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "report.html").write_text("<!doctype html><title>Comparison</title><p>Made up.</p>")
    (folder / "report.md").write_text("# Comparison\n")
    return store.jobs.get(job_id)


def make_rows(count: int, models: int = 2) -> list[Json]:
    """The rows of an answers file; answers get better with the model's number."""
    with GOLD.open(encoding="utf-8") as lines:
        return [
            _row(number, json.loads(line), models)
            for number, line in enumerate(islice(lines, count))
        ]


def _row(number: int, wire: Json, models: int) -> Json:
    query = ask(wire["context"], wire["target"], wire["idx"])
    sense = from_wire(query, wire)
    answers = []
    for model in range(models):
        said = sense if _knows(model, number) else _mistake(query, sense, number)
        found = score(query, sense, said)
        worth = (found.word_class + found.meaning + found.right) / 3
        answers.append({
            **_fields(query, said), "confidence": 0.5 + 0.1 * model, "right": found.right,
            "worth": worth,
        })  # fmt: skip
    return {
        "context": query.context, "position": query.position, "target": query.target,
        "idx": query.idx, "pair": "en-zh", "reference": _fields(query, sense),
        "fields": ["class", "phrase", "meaning", "phrase_meaning"], "split_phrase": False,
        "answers": answers,
    }  # fmt: skip


def _knows(model: int, number: int) -> bool:
    return number % 3 == 0 if model == 0 else number % (10 + 2 * model) != 0


def _mistake(query: Query, sense: Sense, number: int) -> Sense:
    """A wrong answer: another meaning, and now and then no phrase or another class."""
    phrase = None if number % 2 else sense.phrase
    return Sense("noun" if number % 5 == 0 else sense.word_class, "东西", phrase)


def _fields(query: Query, sense: Sense) -> Json:
    phrase = sense.phrase
    return {
        "class": sense.word_class,
        "zh": sense.meaning,
        "phrase": phrase_words(query, phrase) if phrase else "",
        "members": list(phrase.members) if phrase else [],
        "phrase_zh": phrase.meaning if phrase else "",
    }


def make_told(rows: list[Json], models: tuple[str, ...], split: str) -> Json:
    """The figures of these rows."""
    sentences = len({row["context"] for row in rows})
    told = [_model(rows, number, name) for number, name in enumerate(models)]
    return {
        "split": {
            "dataset": "en-zh-gold", "sha256": SHA256, "split": split, "task": "sense",
            "pair": "en-zh", "rows": len(rows), "sentences": sentences,
        },
        "models": told,
        "pairs": [
            _pair(rows, told, left, right)
            for right in range(len(models))
            for left in range(right)
        ],
        "made": "2026-11-26T12:00:00+00:00",
        "lower_is_better": ["ms", "tokens"],
    }  # fmt: skip


def _model(rows: list[Json], number: int, name: str) -> Json:
    ms, tokens = 90.0 - 12 * number, 26.0 - 9 * number
    classes = sorted({row["reference"]["class"] for row in rows})
    return {
        "name": name,
        "title": name if name in ("base", "shipped") else "first try",
        "version": "base" if name == "base" else f"{number:012x}",
        "detail": f"gemma-3-270m · {name}",
        "bytes": 15_000_000 * number,
        "made": "2026-11-25T09:00:00+00:00" if number else "",
        "figures": {
            "right": _figure(rows, number, lambda answer: answer["right"]),
            "meaning_match": _figure(rows, number, lambda answer: answer["zh"] != "东西"),
            "class_accuracy": _figure(rows, number, lambda answer: answer["worth"] > 0),
            "tokens": {"value": tokens, "interval": [tokens - 1, tokens + 1]},
            "ms": {"value": ms, "interval": [ms - 4, ms + 4]},
        },
        "slices": {
            "class": {
                name: {"n": len(mine), "right": _figure(mine, number, lambda a: a["right"])}
                for name in classes
                for mine in [[row for row in rows if row["reference"]["class"] == name]]
            },
            "phrase": {
                value: {"n": len(mine), "right": _figure(mine, number, lambda a: a["right"])}
                for value, wanted in (("with", True), ("without", False))
                for mine in [[r for r in rows if bool(r["reference"]["members"]) == wanted]]
                if mine
            },
        },
        "ms": ms,
    }  # fmt: skip


def _figure(rows: list[Json], number: int, is_good: Any) -> Json:
    value = sum(bool(is_good(row["answers"][number])) for row in rows) / len(rows)
    half = 1.96 * (max(value * (1 - value), 0.01) / len(rows)) ** 0.5
    return {"value": round(value, 4), "interval": [round(value - half, 4), round(value + half, 4)]}


def _pair(rows: list[Json], told: list[Json], left: int, right: int) -> Json:
    gains = [row["answers"][right]["worth"] - row["answers"][left]["worth"] for row in rows]
    differences = {}
    for name, found in told[right]["figures"].items():
        value = found["value"] - told[left]["figures"][name]["value"]
        half = (found["interval"][1] - found["interval"][0]) / 2
        differences[name] = {"value": round(value, 4), "interval": [value - half, value + half]}
    return {
        "left": left, "right": right, "differences": differences,
        "better": sum(one > 0 for one in gains), "worse": sum(one < 0 for one in gains),
        "same": sum(one == 0 for one in gains),
    }  # fmt: skip


def add_sentences(
    store: Store,
    home: Path,
    count: int = 60,
    models: tuple[str, ...] = ("base", "kept:abc"),
    pair: str = "en-fr",
) -> Job:
    """A job that evaluated these models on whole sentences, done, with its files: the right one
    writes what it should, the left one rambles on."""
    rows = [_sentence(number, len(models)) for number in range(count)]
    recipe = {"models": list(models), "dataset": "translations", "split": "dev", "pair": pair}
    recipe |= {"task": "translation"}
    told = [_translator(name, number) for number, name in enumerate(models)]
    split = {"dataset": "translations", "split": "dev", "sha256": SHA256}
    figures = split | {
        "models": list(models), "versions": [one["version"] for one in told],
        "scores": [one["figures"]["chrf"]["value"] / 100 for one in told],
        "ms": [one["ms"] for one in told],
    }  # fmt: skip
    counted = {"task": "translation", "pair": pair, "rows": count, "sentences": count}
    result = {
        "split": split | counted,
        "models": told,
        "pairs": [_pair(rows, told, 0, 1)],
        "made": "2026-11-26T12:00:00+00:00",
        "lower_is_better": ["ter", "tokens_after_answer", "written_per_needed", "repeats", "ms"],
    }
    job_id = store.jobs.add_done("evaluate", "compute", recipe, figures, [])
    folder = job_folder(home, job_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(result, ensure_ascii=False))
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "answers.jsonl").write_text("\n".join(lines) + "\n")
    return store.jobs.get(job_id)


def _sentence(number: int, models: int) -> Json:
    reference = f"Le chien numéro {number} dort."
    texts = [
        reference if model and number % 4 else f"Le chien {number}. Dog. Dog."
        for model in range(models)
    ]
    return {
        "context": f"Dog number {number} is asleep.", "position": None, "target": "", "idx": 0,
        "pair": "en-fr", "reference": {"text": reference}, "fields": ["text"],
        "split_phrase": False,
        "answers": [
            {"text": text, "confidence": None, "right": text == reference,
             "worth": 1.0 if text == reference else 0.4}
            for text in texts
        ],
    }  # fmt: skip


def _translator(name: str, number: int) -> Json:
    values = {
        "chrf": 18.0 + 30 * number, "bleu": 4.0 + 22 * number, "ter": 110.0 - 50 * number,
        "rouge_1": 0.2 + 0.4 * number, "stopped": 0.1 + 0.89 * number,
        "tokens_after_answer": 40.0 - 39 * number, "written_per_needed": 4.5 - 3.4 * number,
        "ms": 900.0 - 500 * number,
    }  # fmt: skip
    figures = {
        key: {"value": value, "interval": [value - value / 20, value + value / 20], "n": 60}
        for key, value in values.items()
    }
    return {
        "name": name, "title": name if name == "base" else "en-fr-translation",
        "version": "base" if name == "base" else f"{number:012x}", "detail": name,
        "bytes": 7_000_000 * number, "made": "", "figures": figures, "slices": {},
        "ms": values["ms"],
    }  # fmt: skip
