"""Distillation as a run on a tiny model: its students, its cache, its gate, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from db.store import open_store
from engine.checking import CARD, WEIGHTS
from engine.models import load_base
from engine.settings import read_settings
from tests.reviewed import propose
from tests.tiny import tiny_base
from tests.tiny_bpe import bpe_base
from tests.tiny_runs import USUAL, begin, go, load
from trainer import run
from trainer.distil import gate, setting, teacher
from trainer.distil.cache import FOLDER as TAUGHT
from trainer.distil.cache import WHOLE, make_lesson
from trainer.distil.gate import held
from trainer.distil.recipe import Distil
from trainer.distil.student import FILE, FOLDER, read_cut
from trainer.examples import parse_row
from trainer.finish import finish
from trainer.jobs import train
from trainer.jobs.work import work
from trainer.plan import Plan
from trainer.promote import PromotionRefused, promote
from trainer.recipe import RecipeError, Source, load_recipe, save_recipe
from trainer.rows import Pack, Row

PLAN = Plan(200, 100, 2000, 4, 1000, 1.0, 8.0, None, "", "")


def from_row(line):
    return parse_row(line, "flat", "en-zh")


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A folder with rows, and a teacher: an adapter of the tiny base that learnt them."""
    return begin(tmp_path_factory.mktemp("begun"))


@pytest.fixture
def home(tmp_path, begun, monkeypatch):
    for module in (run, teacher):
        monkeypatch.setattr(module, "load_base", load)
    monkeypatch.setattr(setting, "MEASURED_ROWS", 20)
    monkeypatch.setattr(setting, "shipped_wordbook", lambda: SimpleNamespace(words=("bed",)))
    shutil.copy(begun / "rows.jsonl", tmp_path)
    shutil.copytree(begun / "teacher", tmp_path / "teacher")
    return tmp_path


def plain(recipe):
    return json.loads(json.dumps(dataclasses.asdict(recipe)))


def distilled(**more):
    return dataclasses.replace(USUAL, distil=dataclasses.replace(USUAL.distil, **more))


def of_kind(events, kind):
    return [event for event in events if event.get("event") == kind]


def test_an_adapter_of_lower_rank_learns_from_another(home):
    events = []
    made = go(home, USUAL, events=events, end=finish)
    assert next(iter(load_file(made / WEIGHTS).values())).shape[0] in (2, 32)
    (taught,) = of_kind(events, "taught")
    assert taught["k"] == 8 and taught["bytes"] > 0 and taught["seconds"] >= 0
    (result,) = of_kind(events, "result")
    assert result["gate"]["sentences"] > 0
    card = json.loads((made / CARD).read_text())
    assert card["gate"] == result["gate"] and card["fit"] == result["fit"]
    assert not (home / "run" / FOLDER).exists()


def test_a_student_is_cut_from_its_teacher_and_loads_like_any_base(home):
    events = []
    made = go(home, distilled(layers_out=1, cut_vocabulary=True), events=events, end=finish)
    student = home / "run" / FOLDER
    (told,) = of_kind(events, "student")
    assert (told["layers"], told["of_layers"]) == (1, 2)
    assert told["tokens"] < told["of_tokens"] and told["bytes"] < told["teacher_bytes"] * 2
    (layers,) = of_kind(events, "layers")
    assert len(layers["worth"]) == 2 and len(layers["out"]) == 1
    cut = read_cut(student / FILE)
    assert set(cut.layers) == {0, 1} - set(layers["out"])
    settings = read_settings({"CTX_BASE": str(student), "CTX_DTYPE": "float32"})
    base = load_base(settings)
    assert base.model.config.vocab_size == len(base.tokenizer) == len(cut.tokens)
    card = json.loads((made / CARD).read_text())
    assert card["base"] == f"{base.name}@{base.revision}"


def test_a_student_with_nothing_lost_is_its_teacher(home):
    """A vocabulary cut alone changes no probability of what it keeps."""
    events = []
    recipe = dataclasses.replace(distilled(cut_vocabulary=True), rate=1e-12, steps=1)
    go(home, recipe, events=events, end=finish)
    (result,) = of_kind(events, "result")
    assert result["gate"]["kept"] == pytest.approx(1.0) and result["gate"]["passed"]
    assert (result["fit"], result["reason"]) == (False, "other_base")


def test_a_student_that_holds_too_little_fails_the_gate(home, monkeypatch):
    real = gate.sentence_scores
    calls = []

    def scores(decoder, rows):
        calls.append(1)
        found = real(decoder, rows)
        return [0.8] * len(found) if len(calls) % 2 else [0.95] * len(found)

    monkeypatch.setattr(gate, "sentence_scores", scores)
    events = []
    made = go(home, USUAL, events=events, end=finish)
    (result,) = of_kind(events, "result")
    assert (result["fit"], result["reason"]) == (False, "failed_gate")
    assert result["gate"]["kept"] == pytest.approx(0.8 / 0.95, abs=1e-3)
    assert json.loads((made / CARD).read_text())["reason"] == "failed_gate"


def test_a_teacher_is_asked_once_for_all_runs_of_a_home(home):
    first, again = [], []
    go(home, USUAL, "one", events=first)
    go(home, dataclasses.replace(USUAL, rate=1e-3), "two", events=again)
    assert of_kind(first, "asking") and not of_kind(again, "asking")
    assert of_kind(again, "taught")[0]["again"]
    assert len(list((home / TAUGHT).iterdir())) == 1
    go(home, distilled(top=4), "three")
    assert len(list((home / TAUGHT).iterdir())) == 2


def test_a_cache_that_was_cut_short_is_made_whole(home, monkeypatch):
    monkeypatch.setattr("trainer.distil.cache._PART", 20)
    asked = [0]

    def stopped():
        asked[0] += 1
        return asked[0] > 2

    events = []
    assert go(home, USUAL, stopped=stopped, events=events) is None
    (place,) = (home / TAUGHT).iterdir()
    assert len(list(place.glob("part-*"))) == 2 and not (place / WHOLE).exists()
    (place / "part-00001.safetensors").write_bytes(b"half")
    events = []
    go(home, USUAL, events=events)
    assert len(of_kind(events, "asking")) == taught_parts(place) - 1
    assert (place / WHOLE).exists()
    whole = go(home, USUAL, "other")
    for name, tensor in load_file(whole / WEIGHTS).items():
        torch.testing.assert_close(tensor, load_file(home / "run/adapter" / WEIGHTS)[name])


def taught_parts(place):
    return len(list(place.glob("part-*")))


def test_a_run_that_is_stopped_goes_on_where_it_was(home):
    whole = go(home, distilled(layers_out=1), "whole")
    seen = [0]

    def stopped():
        seen[0] += 1
        return seen[0] == 4

    assert go(home, distilled(layers_out=1), "parts", stopped=stopped) is None
    events = []
    parts = go(home, distilled(layers_out=1), "parts", events=events)
    assert of_kind(events, "resumed") and not of_kind(events, "layers")
    for name, tensor in load_file(whole / WEIGHTS).items():
        torch.testing.assert_close(tensor, load_file(parts / WEIGHTS)[name], msg=name)


def test_another_tokenizer_is_refused_with_the_reason(home):
    with pytest.raises(RecipeError, match="another tokenizer"):
        teacher.shared_tokens(bpe_base().tokenizer, tiny_base().tokenizer)
    mine = bpe_base().tokenizer
    assert teacher.shared_tokens(mine, mine) is None


@pytest.mark.parametrize("name", ["nobody", "present"])
def test_a_teacher_that_is_not_there_is_refused(home, name):
    settings = read_settings({"CTX_HOME": str(home), "CTX_ADAPTER": "none"})
    with pytest.raises(RecipeError, match=r"distil\.teacher"):
        teacher.load_teacher(distilled(teacher=name), home, settings)


def test_the_base_alone_and_a_models_folder_teach_too(home):
    settings = read_settings({"CTX_HOME": str(home), "CTX_DTYPE": "float32"})
    alone = teacher.load_teacher(distilled(teacher="base"), home, settings)
    assert alone.plain == "tiny@0" and not alone.adapter
    whole = dataclasses.replace(USUAL, matrices="full", rate=1e-4, steps=2, distil=Distil())
    go(home, whole, "whole")
    found = teacher.load_teacher(distilled(teacher="whole/model"), home, settings)
    assert found.plain.startswith("model@") and found.version != alone.version
    events = []
    go(home, distilled(teacher="whole/model"), "under", events=events)
    assert of_kind(events, "taught")


def test_a_lesson_counts_each_pack_once():
    row = Row((1,), (2, 3), (0, 0), (1.0, 1.0))
    pack = Pack((1, 2), (row, dataclasses.replace(row, person=True)))
    lesson = make_lesson([pack, pack])
    assert lesson.tokens == 4 and len(lesson.packs) == 1
    assert [one.taught for one in lesson.taught(pack).rows] == [0, -1]


def test_a_job_distils_a_frozen_dataset_and_ends_as_failed_where_it_holds_too_little(
    home, monkeypatch
):
    """By way of the queue's own process: its events, its figures, its verdict."""
    monkeypatch.setattr(train, "estimate", lambda *_: PLAN)
    monkeypatch.setattr(train, "base_folder", lambda settings: home)
    poor = held("teacher", [0.1] * 40, [1.0] * 40, 40, 0.9, 0.88)
    monkeypatch.setattr(gate, "held", lambda *_: poor)
    settings = read_settings({"CTX_HOME": str(home), "CTX_DTYPE": "float32"})
    with open_store(home / "ctx.db") as store:
        with (home / "rows.jsonl").open(encoding="utf-8") as lines:
            first = [from_row(line) for line in list(lines)[:200]]
        for query, sense in first:
            propose(store, query, sense)
            store.labels.add_label(query, sense, "person", "Ann", "accepted")
        store.datasets.freeze("mine", "en-zh")
        source = Source("mine", "mine", "dataset")
        recipe = dataclasses.replace(USUAL, sources=(source,), distil=Distil(str(home / "teacher")))
        made = store.jobs.add("train", "compute", train.prepare(plain(recipe)).recipe, "Ann")
        assert work(store, settings, made, lambda: False) == "done"
        job = store.jobs.get(made)
        told = [one.data for one in store.events.read(made)]
        assert (job.figures["fit"], job.figures["reason"]) == (False, "failed_gate")
        assert {"taught", "dev", "errors", "result"} <= {one["event"] for one in told}
        with pytest.raises(PromotionRefused) as refused:
            promote(f"run:{made}", store, settings, "Ann", "I know better")
        assert refused.value.code == "failed_gate"
    (marked,) = (home / "datasets").glob("*.marked.jsonl")
    rows = [json.loads(line) for line in marked.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 200 and all(row["person"] for row in rows)


def test_the_recipe_of_a_student_is_saved_and_read_back_equal(home):
    recipe = distilled(layers_out=1, divergence="skew")
    save_recipe(recipe, home / "recipe.json")
    assert load_recipe(home / "recipe.json") == recipe
