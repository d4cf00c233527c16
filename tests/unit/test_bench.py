"""What the measurements are made of: fair turns, medians, cases that are the same every time."""

import json

import pytest

from engine.bench import growth, sides
from engine.bench.plot import draw
from engine.bench.roof import roof
from engine.bench.sides import Case, measure, read_cases, spread
from engine.books import Books
from engine.branches import Runner
from engine.calibration import Calibration
from engine.decoding import SenseDecoder
from engine.engine import ModelEngine
from engine.sense import ask
from engine.settings import assets
from tests.tiny import tiny_model, tiny_prompt


def test_sides_take_turns_at_every_case_and_medians_are_kept(monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr(sides.time, "perf_counter", lambda: float(next(clock)))
    asked = []
    cases = [Case(ask(f"the dog {n}", "dog"), "{}") for n in range(3)]
    both = {name: lambda case, name=name: asked.append((name, case)) for name in "ab"}
    taken = measure(both, cases, rounds=5)
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


@pytest.fixture(scope="module")
def engine():
    prompt = tiny_prompt()
    decoder = SenseDecoder(Runner(tiny_model(len(prompt.tokenizer))), prompt, Books())
    return ModelEngine("tiny", "tiny", "tiny", "1", decoder, Calibration(1.0, 0.0))


@pytest.fixture(scope="module")
def cases():
    return [Case(ask(" ".join(["call", "you", "back"] * n), "back"), "{}") for n in range(1, 13)]


def test_all_that_grows_is_measured_and_drawn(engine, cases, monkeypatch, tmp_path):
    monkeypatch.setattr(growth, "LENGTHS", (3, 12))
    monkeypatch.setattr(growth, "PASSAGES", (1, 3))
    monkeypatch.setattr(growth, "READERS", (1, 4))
    monkeypatch.setattr(growth, "ADAPTERS", (1, 2))
    monkeypatch.setattr(growth, "make_engine", lambda base, folder: engine)
    found = {
        "by_sentence": growth.by_sentence(engine, cases),
        "by_passage": growth.by_passage(engine, cases),
        "by_readers": growth.by_readers(engine, cases),
        "by_adapters": growth.by_adapters(engine, None, tmp_path, cases),
        "by_lookups": growth.by_lookups(engine, [case.query for case in cases] * 90),
    }
    assert [row["words"] for row in found["by_passage"]] == [3, 3 + 6 + 9]
    assert [row["readers"] for row in found["by_readers"]] == [1, 4]
    assert [row["lookups"] for row in found["by_lookups"]] == [1000]
    draw(found, tmp_path / "growth.svg")
    assert (tmp_path / "growth.svg").read_text().count("<svg") == 1


def test_a_known_click_does_not_wait_for_the_model(engine, cases):
    assert growth.known_click(engine, cases)["median_ms"] < 50


def test_the_roof_counts_calls_and_tokens(engine, cases):
    model, plain = tiny_model(60), engine.decoder.runner.body
    found = roof(engine, model, cases)
    assert engine.decoder.runner.body is plain
    assert found["calls"] >= 3 and found["tokens"] > found["calls"]
    weights = sum(p.numel() for p in model.parameters()) - 60 * 32
    assert found["read_mb"] == pytest.approx(found["calls"] * weights * 4 / 1e6, rel=0.02, abs=0.1)
