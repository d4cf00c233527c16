"""The whole loop on example data, without a screen: python -m trainer demo [--home DIR].

In a home of its own, a software team corrects what an everyday word means at work; the corrections
are frozen, trained from the adapter that readers have, compared, promoted, and read again. All of
it is done with the parts that the app uses; afterwards the app can be opened on that home.
"""

from __future__ import annotations

import os
import shlex
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from db.dataset.importing import bring
from db.store import Origin, Store, open_store
from engine.sense import Answer, Query, ask
from engine.settings import Settings, assets, read_settings
from trainer.jobs.queue import Jobs

ROWS = assets() / "demo" / "software.jsonl"
NAME, WHO = "software-words", "demo team"
# Sentences that are in no training data, with the words that are asked for.
NEW = (
    ("Why does this pod keep crashing after the upgrade?", "pod"),
    ("Her ticket has been waiting for a reply since Monday.", "ticket"),
    ("The image is too large to push to the registry.", "image"),
)
RECIPE: dict[str, Any] = {
    "name": NAME, "start": "present", "reference": "present", "keep": "last",
    "rate": 3e-4, "epochs": 6.0, "replay": 0.5, "evaluate_every": 20, "guard_rows": 20,
    "dev_rows": 20, "scored_rows": 30,
    "sources": [
        {"name": "gold", "path": "en-zh-gold", "format": "dataset", "replay": True},
        {"name": NAME, "path": NAME, "format": "dataset", "times": 1},
    ],
}  # fmt: skip
COMPARED = {"dataset": "en-zh-gold", "split": "test", "rows": 90, "free": 0}


def run(home: Path) -> int:
    """The tour, step by step; what it made lies in `home`. 0 where every step was done and readers
    get other answers; PromotionRefused where what was trained is no better than what they had."""
    from trainer.promote import promote

    settings = _fresh(home)
    began, here = time.monotonic(), f"CTX_HOME={shlex.quote(str(settings.home))} .venv/bin/python"
    with open_store(settings.database) as store:
        jobs = Jobs(store, settings.home)
        before = _read(settings, "1  Read: three sentences that a team might meet")
        _correct(store, before[0])
        if _train(jobs) or _compare(jobs):
            return 1
        made = promote("run:1", store, settings, WHO)
        _say(f"5  Promote: readers now have {made.promoted.title}@{made.promoted.version}")
        _say("   what they had before, they get again by")
        _say(f"   {here} -m trainer back")
    after = _read(settings, "6  Read the same sentences again, with the new adapter")
    changed = sum(a.sense != b.sense for a, b in zip(before, after))
    _say(f"\n{changed} of {len(NEW)} answers changed; {time.monotonic() - began:.0f} s in all.")
    _say("Open the app on what was made:")
    _say(f"   {here} app.py")
    return 0 if changed else 1


def _fresh(home: Path) -> Settings:
    """Settings over an empty home that shares the converted base; an earlier tour's is removed."""
    from engine.models import embedded_folder

    usual = read_settings()
    if (home / "ctx.db").exists() and not (home / "demo").exists():
        raise SystemExit(f"{home} is somebody's: choose another folder with --home")
    _say("Getting the model ready (the first time, it is converted once) …")
    embedded_folder(usual.home)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, mode=0o700)
    (home / "demo").touch()
    (home / "models").symlink_to(usual.home / "models")
    os.environ.pop("CTX_ADAPTER", None)  # for the processes that jobs are
    return replace(usual, home=home, adapter="shipped")


def _read(settings: Settings, title: str) -> list[Answer]:
    from engine.engine import load_engine
    from engine.views import views

    _say(f"\n{title}")
    engine, answers = load_engine(settings), []
    for context, target in NEW:
        query = ask(context, target)
        view = next(v for v in views(context, query.pair) if query.position in v.asked)
        answers.append(engine.answer(view)[query.position - view.asked.start])
        _say(f"   {context}\n      {target} → {answers[-1].sense.meaning}")
    return answers


def _correct(store: Store, shown: Answer) -> None:
    """Somebody reports an answer; a person's rows come in, and are frozen."""
    context, target = NEW[0]
    query: Query = ask(context, target)
    store.feedback.add_feedback(query, shown, better_meaning="容器组", who=WHO)
    _say(f"\n2  Not right: {target} is reported, and waits first in the review queue")
    bring(store, ROWS, Origin(NAME, "", who=WHO, source="person", status="accepted"))
    frozen = store.datasets.freeze(NAME, "en-zh", description="A software team's words")
    rows = dict(frozen.splits)
    _say(f"   Corrected: {frozen.rows} answers are frozen as {NAME}, {rows['train']} to train on")


def _train(jobs: Jobs) -> int:
    from trainer.jobs.commands import follow_to_end

    _say("\n3  Train: from the adapter that readers have, with older examples mixed in")
    return follow_to_end(jobs, jobs.add("train", RECIPE, WHO).id)


def _compare(jobs: Jobs) -> int:
    """The new adapter beside the one that readers have, on rows that no training saw."""
    from trainer.jobs.commands import follow_to_end

    _say("\n4  Compare: both on test rows")
    job = jobs.add("evaluate", COMPARED | {"models": ["shipped", "run:1"]}, WHO)
    ended = follow_to_end(jobs, job.id)
    if ended == 0:
        old, new = jobs.get(job.id).figures["scores"]
        _say(f"   meaning and phrase right: {old:.3f} before, {new:.3f} now")
    return ended


def _say(text: str) -> None:
    print(text, flush=True)
