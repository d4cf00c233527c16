"""The report of runs from nothing: what stands in it is what the runs told and the scores are."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from tests.unit.test_scratch_runs import PAIRS, STEPS, place, write_texts
from trainer.fields import RecipeError
from trainer.scratch import prefix, report
from trainer.scratch.folder import load_model
from trainer.scratch.run import finetune, pretrain
from trainer.scratch.tokenizer import load_codec


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    write_texts(folder)
    one, _ = place(folder)
    pretrain(one)
    finetune(one)
    finetune(one, "random")
    texts = folder / "texts" / "de"
    texts.mkdir(parents=True)
    (texts / "a1.txt").write_text(f"{PAIRS[0][0]}\n", encoding="utf-8")
    (texts / "judged.json").write_text("{}")
    return folder


@pytest.fixture
def found(runs, monkeypatch):
    monkeypatch.setattr(report, "assets", lambda: runs)
    return report.make_report(place(runs)[0])


def test_it_holds_both_starts_with_each_search_and_what_they_took(found):
    assert list(found.test) == ["finetune 4", "finetune 1", "random 4", "random 1"]
    for one in found.test.values():
        assert one["bleu"]["n"] == len(PAIRS[::7]) and "nrefs:1" in one["bleu"]["signature"]
    for beams in ("4", "1"):
        values = [found.test[f"{name} {beams}"]["bleu"]["value"] for name in ("finetune", "random")]
        assert found.gain[beams]["bleu"]["value"] == pytest.approx(values[0] - values[1], abs=1e-3)
    assert [one["step"] for one in found.runs["random"].dev] == [0, 3, 6]
    assert all(run.seconds > 0 and run.steps == 6 for run in found.runs.values())
    scores = {
        name: max(one["score"] for one in found.runs[name].dev) for name in ("finetune", "random")
    }
    assert scores[found.best] == max(scores.values())
    assert [row["text"] for row in found.texts["A1"]] == [PAIRS[0][0]]


def test_it_is_written_as_figures_a_page_and_curves(found, tmp_path):
    file = tmp_path / "scratch.json"
    report.write_report(found, file)
    assert json.loads(file.read_text())["parameters"] == found.parameters
    text = file.with_suffix(".md").read_text()
    assert "| 6 | " in text and "](scratch.svg)" in text and PAIRS[0][0] in text
    drawn = ElementTree.fromstring(file.with_suffix(".svg").read_text())
    assert len(drawn.findall(".//{*}polyline")) == 4


def test_both_ways_to_see_a_prefix_are_run_alike_and_stand_in_a_report(runs, found, tmp_path):
    file = tmp_path / "scratch.json"
    one, events = place(runs)
    with pytest.raises(RecipeError, match="is no report"):
        report.add_prefix({}, one.recipe, file)
    report.write_report(found, file)
    before = file.with_suffix(".md").read_text()
    models = prefix.train_ways(one, 2)
    nets = {way: load_model(folder) for way, folder in models.items()}
    assert [nets[way].net.config.causal_prefix for way in ("causal", "both")] == [True, False]
    texts = {one.codec.tokenizer.to_str() for one in nets.values()}
    assert texts == {load_codec(one.folder).tokenizer.to_str()}
    assert {net.card["steps"] for net in nets.values()} == {3}
    scored = prefix.score_ways(one, models)
    values = {name: told["chrf"]["value"] for name, told in scored["dev"].items()}
    adds = scored["gain"]["1"]["chrf"]["value"]
    assert adds == pytest.approx(values["both 1"] - values["causal 1"], abs=1e-3) and adds
    report.add_prefix(scored, one.recipe, file)
    assert json.loads(file.read_text())["prefix"]["dev"].keys() == values.keys()
    after = file.with_suffix(".md").read_text()
    part = "\n".join(prefix.section(scored))
    assert part in after and after.replace(part + "\n", "") == before
    with pytest.raises(RecipeError, match="is of tiny, not of other"):
        report.add_prefix(scored, replace(one.recipe, name="other"), file)
    events.clear()
    assert prefix.train_ways(place(runs)[0], 2) == models and not events, "done once"


@pytest.mark.parametrize(
    "low, high, told", [(0.1, 2, "Both ways was"), (-2, -0.1, "Causally was"), (-1, 1, "Neither")]
)
def test_a_difference_within_chance_is_not_called_better(low, high, told):
    gain = {n: {"bleu": {"interval": [low, high]}} for n in ("4", "1")}
    assert prefix._verdict(gain).startswith(told)
    mixed = gain | {"1": {"bleu": {"interval": [-1, 1]}}}
    assert prefix._verdict(mixed).startswith("Neither")


def test_it_is_made_of_weights_from_elsewhere_that_only_the_loss_was_watched_of(
    runs, monkeypatch, tmp_path
):
    monkeypatch.setattr(report, "assets", lambda: tmp_path)
    fields = {"finetune": STEPS | {"guard_rows": 0}}
    start = str(runs / "run" / "pretrain" / "model")
    finetune(place(runs, "elsewhere", **fields)[0], start)
    one, _ = place(runs, "elsewhere", **fields)
    assert not (one.folder / "tokenizer.costs.json").exists()
    told = report.make_report(one)
    assert told.best == "finetune" and set(told.tokenizer) == {"a.de", "a.en"}
    assert told.tokenizer == report.make_report(place(runs)[0]).tokenizer
    text = report.page(told)
    assert "| 6 | " in text and " | – |" in text and "Loss on 8 pairs of the dev text." in text


def test_its_page_says_on_how_much_of_the_dev_text_figures_are(found):
    told = "Loss on 8 pairs of the dev text, BLEU on 4 of its sentences, written greedily."
    assert told in report.page(found)


def test_without_a_fine_tuned_model_there_is_nothing_to_report(runs):
    with pytest.raises(RecipeError, match="no fine-tuned model"):
        report.make_report(place(runs, "nowhere")[0])
