"""Training runs as a store holds them, made up: what they told, and the files they left. No model
is trained.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from db.dataset.importing import bring
from db.store import Job, Origin, Process, Store
from trainer.jobs.process import job_folder, this_process

COLUMNS = ("context", "target", "idx", "class", "zh", "phrase")
RECIPE: dict[str, Any] = {
    "name": "first-try", "start": "present", "replay": 0.5, "epochs": 8.0,
    "sources": [
        {"name": "gold", "path": "en-zh-gold", "format": "dataset", "replay": True},
        {"name": "mine", "path": "mine", "format": "dataset", "times": 1},
    ],
}  # fmt: skip
SCORES = {
    "dev mine": {
        "n": 60,
        "sentences": 20,
        "meaning_match": {"value": 0.62, "interval": [0.55, 0.71]},
        "phrase_f1": {"value": 0.9, "interval": [0.84, 0.95]},
    }
}


def _errors(step: int, wrong: int) -> dict[str, Any]:
    told = {"context": "I call you back.", "target": "call", "answered": "verb · 打"}
    return {
        "event": "errors", "step": step, "rows": 60, "written": 16,
        "counts": {"wrong_sense": wrong, "empty": 0, "unreadable": 2},
        "examples": {"wrong_sense": [told | {"expected": "verb · 打电话"}]},
    }  # fmt: skip


# Of a distillation whose student fell through its gate.
GATE = {"kept": 0.85, "low": 0.8, "high": 0.9, "least": 0.9, "least_low": 0.88, "passed": False}
STUDENT = [
    {"event": "student", "layers": 12, "of_layers": 18, "tokens": 30_000, "of_tokens": 262_144,
     "teacher_bytes": 536_000_000, "bytes": 180_000_000},
    {"event": "dev", "step": 50, "score": 0.6, "answer_ms": 31.5, "best": True},
    _errors(50, 9),
    {"event": "dev", "step": 100, "score": 0.5, "answer_ms": 30.0},
    _errors(100, 12),
    {"event": "result", "fit": False, "reason": "failed_gate", "gate": GATE,
     "reference": {"reference": "en-zh-sense", "sentences": 40, "kept": 0.85}},
]  # fmt: skip


def freeze(store: Store, folder: Path, name: str, count: int = 12, pair: str = "en-zh") -> None:
    """A frozen dataset of that name with `count` rows."""
    file = folder / f"{name}.jsonl"
    meaning = "狗" if pair.endswith("-zh") else "dog"
    rows = [(f"Dogs like {name} {n}.", "Dogs", 1, "noun", meaning, "") for n in range(count)]
    file.write_text("\n".join(json.dumps(dict(zip(COLUMNS, row))) for row in rows))
    bring(store, file, Origin(f"rows of {name}", "", pair, who="T"))
    store.datasets.freeze(name, pair, accepted=False, description=f"rows about {name}")


def tell_steps(first: int, last: int, steps: int = 400, loss: float = 2.4) -> list[dict[str, Any]]:
    """Events of steps and of evaluations from `first` to `last`, every tenth and every fiftieth."""
    found: list[dict[str, Any]] = []
    for step in range(first, last + 1, 10):
        part = step / steps
        if step:
            found.append({
                "event": "step", "step": step, "steps": steps,
                "loss": round(loss * math.exp(-3 * part) + 0.25 + 0.05 * math.sin(step), 4),
                "rate": 2e-4 * min(1, step / 20) * (0.1 + 0.45 * (1 + math.cos(math.pi * part))),
                "rows_per_second": 21 + math.sin(step / 7), "memory_gb": 2.1 + 0.3 * part,
                "left_seconds": 0.7 * (steps - step),
            })  # fmt: skip
        if step % 50 == 0:
            score = 0.55 + 0.25 * (1 - math.exp(-4 * part))
            found.append({
                "event": "dev", "step": step, "dev_loss": loss * 0.9 * math.exp(-2 * part) + 0.4,
                "class_accuracy": 0.9 + 0.05 * part, "meaning_match": score - 0.08,
                "phrase_precision": 0.85, "phrase_recall": 0.8 + 0.1 * part,
                "phrase_f1": 0.83 + 0.06 * part, "valid": 1.0, "ended": 0.99, "written": 16,
                "score": score, "low": score - 0.05, "high": score + 0.05, "best": step <= 300,
            })  # fmt: skip
    return found


def whole_run() -> list[dict[str, Any]]:
    """All that a run tells which rolled back, was stopped, went on and was finished."""
    result = {
        "event": "result", "fit": False, "reason": "retention", "scores": SCORES,
        "reference": {"reference": "present", "sentences": 40, "score": 0.6,
                      "reference_score": 0.72, "kept": 0.833},
    }  # fmt: skip
    return [
        {"event": "plan", "rows": 480, "tokens": 120_000, "steps": 400, "parameters": 3_796_992,
         "memory_gb": 2.9, "seconds": 300.0},
        *tell_steps(0, 180),
        {"event": "rollback", "step": 180, "to_step": 150, "reason": "worse", "rate": 1e-4},
        *tell_steps(190, 250),
        {"event": "stopped", "step": 250},
        {"event": "resumed", "step": 250},
        *tell_steps(260, 400),
        {"event": "scoring", "done": 1, "of": 2},
        result,
    ]  # fmt: skip


def add_run(
    store: Store,
    home: Path,
    events: Iterable[Mapping[str, Any]] = (),
    state: str = "done",
    error: str = "",
    detail: str = "",
    **recipe: Any,
) -> Job:
    """A run with this recipe that has told these events and is in this state. A running one is this
    process's."""
    job_id = store.jobs.add("train", "compute", RECIPE | recipe, "Ann")
    job_folder(home, job_id).mkdir(parents=True)
    if state == "queued":
        return store.jobs.get(job_id)
    store.jobs.take(job_id, this_process(), None)
    told = list(events)
    tell(store, job_id, told)
    steps = [one for one in told if one["event"] == "step"]
    if steps:
        store.jobs.report(job_id, this_process(), steps[-1]["step"], steps[-1]["steps"], {})
    if state == "interrupted":
        store.jobs.gone(job_id, this_process())
    elif state != "running":
        store.jobs.end(job_id, this_process(), state, error, detail)
    return store.jobs.get(job_id)


def tell(store: Store, job_id: int, events: Iterable[Mapping[str, Any]]) -> None:
    """The running job of this process tells more."""
    me: Process = this_process()
    for event in events:
        store.events.tell(job_id, me, event)


def leave_files(home: Path, job_id: int, spoil: str = "") -> None:
    """A log, checkpoints with their manifests and an adapter with its card; the checkpoint `spoil`
    is not what was written."""
    folder = job_folder(home, job_id)
    (folder / "log.txt").write_text("2026-11-26 12:00:00 job: train\nloading <b>data</b>\n")
    for name, step in (("checkpoint", 400), ("best", 300)):
        place = folder / name
        place.mkdir()
        (place / "weights.pt").write_bytes(b"weights" * 4000)
        (place / "progress.json").write_text(json.dumps({"step": step}))
        hashes = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in place.iterdir()
        }
        (place / "manifest.json").write_text(json.dumps(hashes))
        if name == spoil:
            (place / "weights.pt").write_bytes(b"something else")
    adapter = folder / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"")
    data = [{"name": "mine", "rows": 12, "sha256": "ab" * 32, "refused": {"repeated": 3}}]
    card = {"name": "first-try", "scores": SCORES, "data": data, "base": "gemma", "torch": "2"}
    (adapter / "card.json").write_text(json.dumps(card))
