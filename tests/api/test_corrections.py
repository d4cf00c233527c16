"""A few corrections (20; 50 with `CTX_SOAK=1`) teach and do not erase: what readers' adapter gets
wrong is right after a run of the preset for corrections, and the gold dev score is within its
interval.

The real base and adapter; the rows are gold rows that no training saw.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.engine import ModelEngine
from engine.sense import to_wire
from engine.settings import Settings, read_settings
from engine.views import AT_ONCE
from tests.real import fresh_home, soak
from trainer.card import Finished, unknown_rows
from trainer.evaluate import by_context, evaluate
from trainer.examples import Example
from trainer.presets import list_presets
from trainer.recipe import parse_recipe
from trainer.retention import Reference, adapter_decoder, judge
from trainer.run import find_start, run_recipe
from trainer.splits import load_splits, of_source
from trainer.watch import choose_rows

COUNT = 50 if soak() else 20
GOLD = {"name": "gold", "path": "en-zh-gold", "format": "dataset", "replay": True}


def wrong_rows(engine: ModelEngine, settings: Settings) -> list[Example]:
    """The first rows, in order of sentence, that the engine answers wrongly."""
    recipe = parse_recipe({"sources": [GOLD | {"replay": False}]})
    splits, _ = load_splits(recipe, Path(), settings)
    groups = [mine for _, mine in sorted(by_context(unknown_rows(splits, "gold")).items())]
    wrong: list[Example] = []
    while groups and len(wrong) < COUNT:
        some, groups = groups[:AT_ONCE], groups[AT_ONCE:]
        found = evaluate(engine.decoder, [e for mine in some for e in mine])
        wrong += [e for e, scored in zip(found.examples, found.scored) if not scored.right]
    return wrong[:COUNT]


@pytest.mark.timeout(1200)
def test_corrections_teach_and_do_not_erase(engine, models_home, tmp_path):
    home = fresh_home(tmp_path / "home", models_home)
    settings = read_settings({"CTX_HOME": str(home)})
    rows = wrong_rows(engine, settings)
    assert len(rows) == COUNT
    asked = [
        {"context": e.query.context, "target": e.query.target, "idx": e.query.idx} for e in rows
    ]
    lines = [json.dumps(a | to_wire(e.query, e.sense)) for a, e in zip(asked, rows)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))

    preset = next(one for one in list_presets() if one.name == "1-corrections")
    mine = {"name": "mine", "path": str(tmp_path / "rows.jsonl")}
    less = {"evaluate_every": 1000, "guard_rows": 0, "dev_rows": 20}  # of what takes time
    recipe = parse_recipe({**preset.recipe, **less, "sources": [GOLD, mine]})
    splits, data = load_splits(recipe, tmp_path, settings)
    finished: list[Finished] = []
    _, start = find_start(recipe, tmp_path, tmp_path / "run", settings, print, lambda: False)
    made = run_recipe(
        recipe, splits, data, tmp_path / "run", settings, print,
        finish=lambda run, tell: finished.append(run), start=start,
    )  # fmt: skip
    assert made and start

    card = json.loads((start / "card.json").read_text())
    kept = {name: card[name] for name in ("phrase_threshold", "phrase_favour", "style")}
    (made / "card.json").write_text(json.dumps({"name": "corrected", **kept}))
    decoder = adapter_decoder(finished[0].base, made)
    right = sum(scored.right for scored in evaluate(decoder, rows).scored)
    gold = choose_rows(of_source(splits["dev"], "gold"), 60, 1)
    gate = judge(Reference("present", start), finished[0].base, decoder, gold, recipe.retention)
    print(f"{right} of {COUNT} right, {gate}")
    assert right >= 0.8 * COUNT
    assert gate and gate.fit and gate.high >= 0, "no worse than before, beyond chance"
