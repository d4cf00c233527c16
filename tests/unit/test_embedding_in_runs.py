"""The embedding score in a run's evaluations is Evaluate's own: of the base as it was, whatever is
trained on it; where the base is not here it is left out, and the run goes on."""

from dataclasses import replace

import pytest
import torch

from engine.models import load_base
from engine.settings import read_settings
from tests.tiny import tiny_base, tiny_folder, tiny_gemma
from tests.unit.test_scratch_runs import place, write_texts
from tests.unit.test_translation_training import RECIPE, home  # noqa: F401
from trainer import plan
from trainer.distil.recipe import Distil
from trainer.evaluation import during
from trainer.evaluation.embedding import base_vectors, kept_layers, lower_part
from trainer.evaluation.texts import EMBEDDING, TextRow, Texts
from trainer.history import DEV_FIGURES, read_history
from trainer.model import make_trainable
from trainer.recipe import Recipe
from trainer.run import run_recipe
from trainer.scratch.run import finetune
from trainer.shape import read_shape
from trainer.splits import load_splits

TEXTS = ("Tom calls Ann", "打电话", "a", "")


def gemma():
    base = tiny_base()
    return replace(base, model=tiny_gemma(vocabulary=len(base.tokenizer)))


def same(one, other):
    return all(torch.equal(one(text), other(text)) for text in TEXTS)


@pytest.mark.parametrize("more", [{}, {"dora": True}, {"checkpointing": True}, {"matrices": "q,v"}])
def test_the_base_under_a_model_in_training_gives_evaluates_vectors(more):
    base, changed = tiny_base(), tiny_base()
    model = make_trainable(changed.model, replace(Recipe(), rank=4, **more))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    model.eval()
    trained = [p for p in model.parameters() if p.requires_grad]
    layers = len(changed.model.model.layers)
    assert same(during.own_vectors(model, changed), base_vectors(base))
    assert not same(base_vectors(changed), base_vectors(base)), "its adapter is switched on again"
    assert len(changed.model.model.layers) == layers
    assert all(p.requires_grad for p in trained) and trained


def test_the_lower_layers_alone_give_the_same_vectors():
    whole, part = gemma(), lower_part(gemma())
    assert len(part.model.model.layers) == kept_layers(6) == 5 < len(whole.model.model.layers)
    assert same(base_vectors(part), base_vectors(whole))
    ids = whole.tokenizer("a打睡", return_tensors="pt").input_ids
    states = whole.model.get_decoder()(ids, output_hidden_states=True).hidden_states[4]
    first, second = base_vectors(whole)("a打睡")
    wanted = states[0, 1].float() - states[0, 2].float()
    torch.testing.assert_close(first - second, wanted, atol=1e-4, rtol=1e-4)
    assert [kept_layers(n) for n in (1, 2, 18, 30)] == [1, 2, 13, 21]


def test_vectors_of_references_are_worked_out_once():
    asked = []

    def vectors(text):
        asked.append(text)
        return [[1.0]]

    found = during.remembered(vectors, ("a", "b"))
    for text in ("a", "b", "c", "a", "c"):
        assert found(text) == [[1.0]]
    assert asked == ["a", "b", "c", "c"] and during.remembered(None, ("a",)) is None


@pytest.mark.parametrize(
    ("more", "held"),
    [
        ({}, True), ({"base": "embedded"}, True), ({"base": "another/one"}, False),
        ({"matrices": "full"}, False), ({"quantised": True}, False), ({"sharded": True}, False),
        ({"distil": Distil("base")}, True), ({"distil": Distil("base", layers_out=1)}, False),
    ],
)  # fmt: skip
def test_the_runs_own_base_is_taken_only_as_it_was(more, held):
    assert during.holds_base(replace(RECIPE, **more), read_settings({})) == held


def run(home, recipe, settings, name="run"):  # noqa: F811
    events = []
    splits, data = load_splits(recipe, home, settings)
    run_recipe(
        recipe, splits, data, home / name, settings, events.append, finish=lambda *_: None
    )  # fmt: skip
    return events


def scores(events):
    return [e[EMBEDDING] for e in events if e["event"] == "dev"]


def test_a_run_tells_it_as_evaluate_would_and_is_not_changed_by_it(home, monkeypatch):  # noqa: F811
    settings = read_settings({"CTX_HOME": str(home), "CTX_DTYPE": "float32"})
    seen = []
    figures = during.figures_of
    monkeypatch.setattr(
        "trainer.tasks.translation.figures_of",
        lambda rows, *more: seen.append(rows) or figures(rows, *more),
    )
    events = run(home, RECIPE, settings)
    base = base_vectors(tiny_base(load_tokens()))
    evaluate = [Texts([rows], "zh", base, 0).figures(0)[EMBEDDING]["value"] for rows in seen]
    assert scores(events) == evaluate and len(evaluate) > 1
    assert EMBEDDING in DEV_FIGURES and read_history(events).curve(EMBEDDING)
    monkeypatch.setattr("trainer.run._vectors", lambda *_: None)
    plain = run(home, RECIPE, settings, "plain")
    judged = [
        [(e["step"], e["dev_loss"], e["score"], e["best"]) for e in some if e["event"] == "dev"]
        for some in (events, plain)
    ]
    assert judged[0] == judged[1] and not any(EMBEDDING in e for e in plain)


def load_tokens():
    from tests.unit.test_translation_training import tokenizer

    return tokenizer()


@pytest.mark.parametrize("change", [{"matrices": "full"}, {"base": "another"}])
def test_where_the_base_is_not_here_the_figure_is_left_out_and_why_is_told_once(home, change):  # noqa: F811
    settings = read_settings({"CTX_HOME": str(home), "CTX_DTYPE": "float32"})
    events = run(home, replace(RECIPE, steps=2, **change), settings)
    (left_out,) = (e for e in events if e["event"] == "left_out")
    assert left_out["figure"] == EMBEDDING and left_out["code"] == "not_converted"
    devs = [e for e in events if e["event"] == "dev"]
    assert devs and all("chrf" in e and EMBEDDING not in e for e in devs)


def test_a_run_on_other_weights_loads_the_base_beside_it_and_the_plan_counts_it(home):  # noqa: F811
    tiny_folder(home / "base")
    settings = read_settings(
        {"CTX_HOME": str(home), "CTX_DTYPE": "float32", "CTX_BASE": str(home / "base")}
    )
    full = replace(RECIPE, steps=2, matrices="full")
    events = run(home, full, settings)
    assert scores(events) and not [e for e in events if e["event"] == "left_out"]
    shape = read_shape(home / "base")
    assert plan.scoring_gb(full, settings) == pytest.approx(4 * shape.whole / 1e9)
    assert plan.scoring_gb(RECIPE, settings) == 0, "it holds the base itself"
    assert plan.scoring_gb(replace(full, guard_rows=0), settings) == 0


@pytest.mark.parametrize("here", [True, False])
def test_a_fine_tuning_from_nothing_has_the_figures_of_evaluate(tmp_path, here):
    write_texts(tmp_path)
    made, events = place(tmp_path)
    if here:
        settings = replace(made.settings, base=str(tiny_folder(tmp_path / "base")))
        made = replace(made, settings=settings)
    finetune(made, "random")
    devs = [e for e in events if e["event"] == "dev"]
    assert {"chrf", "bleu", "ter", "rouge_1", "rouge_2", "rouge_l", "answer_ms"} <= set(devs[0])
    assert all((EMBEDDING in e) == here for e in devs)
    assert len([e for e in events if e["event"] == "left_out"]) == (not here)


def test_a_score_is_the_one_that_evaluate_gives_for_the_same_texts(tmp_path):
    settings = read_settings(
        {"CTX_HOME": str(tmp_path), "CTX_DTYPE": "float32",
         "CTX_BASE": str(tiny_folder(tmp_path / "base"))}
    )  # fmt: skip
    rows = [TextRow("Tom", "打电话", "打人"), TextRow("Ann", "睡觉", "上床睡觉")]
    mine = during.figures_of(rows, "en-zh", during.load_vectors(settings, print))[EMBEDDING]
    evaluate = Texts([rows], "zh", base_vectors(load_base(settings))).figures(0)[EMBEDDING]
    assert mine == evaluate["value"]
