"""A few gold rows for runs of a few steps: enough sentences to train on, and some dev rows."""

from __future__ import annotations

import json

from engine.settings import assets
from engine.split import split_of
from trainer.unknown import has_unknown


def few_rows(count: int, dev: int = 8) -> str:
    """`count` rows of train sentences and `dev` of dev sentences, as flat JSON lines."""
    file = assets() / "datasets" / "en-zh-gold" / "phrasal.jsonl"
    kept: dict[str, list[str]] = {"train": [], "dev": [], "test": []}
    for line in file.read_text(encoding="utf-8").splitlines():
        context = json.loads(line)["context"]
        if not has_unknown(context):
            kept[split_of(context)].append(line)
    return "\n".join([*kept["train"][:count], *kept["dev"][:dev]]) + "\n"
