"""What the measurements are made of: fair turns, medians, cases that are the same every time."""

import json

import pytest

from engine import bench
from engine.bench import Case, measure, read_cases, spread
from engine.sense import ask
from engine.settings import assets


def test_sides_take_turns_at_every_case_and_medians_are_kept(monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr(bench.time, "perf_counter", lambda: float(next(clock)))
    asked = []
    cases = [Case(ask(f"the dog {n}", "dog"), "{}") for n in range(3)]
    sides = {name: lambda case, name=name: asked.append((name, case)) for name in "ab"}
    taken = measure(sides, cases, rounds=5)
    assert taken == {"a": [1.0] * 3, "b": [1.0] * 3}
    turns = asked[2:]  # behind one warm-up each
    assert turns[:4] == [(name, case) for case in cases[:2] for name in "ab"]
    assert len(turns) == 5 * 3 * 2


def test_the_spread_is_in_milliseconds():
    assert spread([n / 1000 for n in range(1, 101)]) == {"median_ms": 50.5, "p95_ms": 95.0}


def test_cases_are_different_sentences_of_all_files_and_always_the_same():
    folder = assets() / "datasets" / "en-zh-gold"
    cases = read_cases(folder, 50)
    assert cases == read_cases(folder, 50)
    assert len({case.query.context for case in cases}) == 50
    assert set(json.loads(cases[0].answer)) == {"class", "zh", "phrase"}
    prompt = cases[0].prompt
    assert prompt.startswith('[INST] {"context": "') and prompt.endswith("} [/INST]")


@pytest.mark.parametrize("count", [0, 3])
def test_as_many_cases_as_asked_for(count):
    assert len(read_cases(assets() / "datasets" / "en-zh-gold", count)) == count
