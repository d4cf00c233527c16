"""`python -m engine` as the README shows it, on the real model; one answer for all ways to ask."""

import asyncio
import json
import os
import random
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from engine.lookup import Lookup
from engine.sense import Query, context_words, to_wire
from tests.real import ROOT
from tests.tiny import tiny_folder

SENTENCES = [
    "They turned my application down.",
    "He finally made up his mind, and the others made up too.",
    "The more you give, the more you get back.",
    "In 2024 Maria Müller took over from her father.",
]


def command(models_home, *arguments, **settings):
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)],
        cwd=ROOT, env=os.environ | {"CTX_HOME": str(models_home)} | settings,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def queries():
    return [Query(c, i) for c in SENTENCES for i in range(len(context_words(c)))]


def wire_lines(asked):
    return [{"context": q.context, "target": q.target, "idx": q.idx} for q in asked]


@pytest.fixture(scope="module")
def predicted(models_home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    lines = [json.dumps(row) for row in wire_lines(queries())]
    lines[1:1] = ["{", "[1]", json.dumps({"context": "a b", "target": "c"}), ""]
    lines.append(json.dumps({"prompt": json.dumps(wire_lines(queries())[0])}))
    (folder / "in.jsonl").write_text("\n".join(lines) + "\n")
    done = command(models_home, "predict", folder / "in.jsonl", folder / "out.jsonl")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def test_bad_rows_get_their_error_in_their_line(predicted):
    assert len(predicted) == len(queries()) + 5
    errors = predicted[1:5]
    assert all(set(e) >= {"error"} for e in errors) and errors[2]["code"] == "target_not_found"
    assert predicted[-1] == predicted[0]


def test_one_answer_for_clicks_in_any_order_look_ahead_and_files(engine, predicted):
    asked = queries()
    from_file = dict(zip(asked, [predicted[0], *predicted[5:-1]]))

    async def click(service, order):
        return {q: to_wire(q, (await service.answer(q)).sense) for q in order}

    for seed in range(3):
        service = Lookup(lambda progress: engine)
        service.start()
        if seed == 2:
            service.look_ahead("reader", SENTENCES)
        order = random.Random(seed).sample(asked, len(asked))
        assert asyncio.run(click(service, order)) == from_file
        service.close()


def test_every_member_of_a_phrase_gives_it(predicted):
    asked = queries()
    by_query = dict(zip(asked, [predicted[0], *predicted[5:-1]]))
    phrases = [(q, a["phrase"]) for q, a in by_query.items() if a["phrase"]]
    assert phrases
    for query, phrase in phrases:
        members = phrase.partition("|")[0].lower().split()
        same = [q for q, p in phrases if q.context == query.context and p == phrase]
        assert sorted(q.target.lower() for q in same) == sorted(
            members * (len(same) // len(members))
        )


def test_lookup_says_one_answer_or_why_not(models_home):
    done = command(models_home, "lookup", "--context", SENTENCES[0], "--target", "down")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["phrase"].startswith("turned down|")
    wrong = command(models_home, "lookup", "--context", SENTENCES[0], "--target", "front")
    assert wrong.returncode == 2 and "front" in wrong.stderr and not wrong.stdout
    none = command(models_home, "predict", "/nowhere.jsonl", "/tmp/out.jsonl")
    assert none.returncode == 2 and "nowhere" in none.stderr


def test_the_bare_base_answers_otherwise(models_home, tmp_path, predicted):
    rows = "\n".join(json.dumps(row) for row in wire_lines(queries()[:8]))
    (tmp_path / "in.jsonl").write_text(rows)
    done = command(
        models_home, "predict", tmp_path / "in.jsonl", tmp_path / "out.jsonl", "--base-only"
    )
    assert done.returncode == 0, done.stderr
    bare = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(bare) == 8 and bare != [predicted[0], *predicted[5:12]]
    refused = command(
        models_home, "predict", tmp_path / "in.jsonl", tmp_path / "out.jsonl", "--adapter", tmp_path
    )
    assert refused.returncode == 2 and "is no adapter" in refused.stderr


def test_a_small_recipe_trains_and_its_adapter_answers(models_home, tmp_path):
    """Data to adapter to answers, as `python -m trainer fit` does it; on a tiny base."""
    gold = (ROOT / "assets/datasets/en-zh-gold/phrasal.jsonl").read_text().splitlines()
    (tmp_path / "rows.jsonl").write_text("\n".join(gold[:120]))
    recipe = {
        "name": "small", "rank": 4, "alpha": 8, "epochs": 0.4, "batch": 16, "dropout": 0.0,
        "evaluate_every": 10, "dev_rows": 8, "guard_rows": 8, "scored_rows": 8,
        "sources": [{"name": "rows", "path": "rows.jsonl"}],
    }  # fmt: skip
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    base = {"CTX_BASE": str(tiny_folder(tmp_path / "base"))}
    run = partial(
        subprocess.run,
        cwd=ROOT, env=os.environ | {"CTX_HOME": str(models_home)} | base,
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    train = [sys.executable, "-m", "trainer", "fit", str(tmp_path / "recipe.json")]
    done = run([*train, "--folder", str(tmp_path / "run")])
    assert done.returncode == 0, done.stderr
    adapter = tmp_path / "run" / "adapter"
    card = json.loads((adapter / "card.json").read_text())
    assert card["data"][0]["rows"] == 120 and card["scores"]["dev rows"]["n"] > 0
    assert Path(adapter / "recipe.json").is_file()
    row = tmp_path / "row.jsonl"
    row.write_text(json.dumps(wire_lines(queries())[0]))
    out = tmp_path / "out.jsonl"
    done = command(models_home, "predict", row, out, "--adapter", adapter, **base)
    assert done.returncode == 0, done.stderr
    assert "error" not in json.loads(out.read_text())
    wrong = run([*train[:-1], str(tmp_path / "none.json")])
    assert wrong.returncode == 2 and "none.json" in wrong.stderr
