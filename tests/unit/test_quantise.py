"""Runs of quantisation: what is made once, what is refused, the table and its plot, steps, ratios;
and training for a form, on a tiny model.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
import torch
from transformers import Gemma3TextModel

from db.store import open_store
from engine.books import Books
from engine.branches import Runner
from engine.decoding import SenseDecoder
from engine.engine import PLAIN
from engine.forms import Form, parse_form, save_form, shrink
from engine.lean import LeanBody, Part, lean
from engine.matrices import nibbles_of, values_of
from engine.sense import Sense, ask
from engine.settings import Settings
from tests.tiny import tiny_gemma, tiny_prompt, tiny_tokenizer
from trainer.catalogue import ModelError
from trainer.distil import quantise
from trainer.distil import quantise_run as run
from trainer.distil.quantise import Quantiser, Row, Subject
from trainer.distil.quantise_aware import as_held
from trainer.distil.quantise_calibrate import loudness
from trainer.distil.quantise_measure import Answered
from trainer.distil.quantise_plot import frontier, pareto_plot
from trainer.distil.quantise_sensitivity import costs, mixed
from trainer.distil.quantise_smooth import smoothed
from trainer.distil.quantise_table import page, write_table
from trainer.examples import Example

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)
FIGURE = {"value": 0.9, "interval": [0.8, 1.0], "n": 20}


def row(name: str, size: float, fit: bool = True, kept: float = 1.0, **more) -> Row:
    quality = {
        "fit": fit, "reason": "" if fit else f"right keeps {kept}", "kept": kept, "rows": 20,
        "sentences": 9, "figures": {"right": FIGURE}, "shares": {"right": FIGURE},
    }  # fmt: skip
    told = {
        "click": {"median_ms": size / 2, "p95_ms": size, "cpu_ms": size / 4},
        "token_ms": 9.0,
        **more,
    }
    return Row(name, f"text of {name}", "", size, size + 300, quality, **told)


def test_it_says_where_steps_have_ended():
    rows = [row("bf16", 500), row("int8-rows8", 250)]
    assert run._ended_at(rows) == "every step passed; the last is int8-rows8"
    said = run._ended_at([*rows, row("int4-rows8", 200, False)])
    assert "int4-rows8 did not pass" in said and "that did is int8-rows8" in said


def test_the_smallest_that_passed_is_found_whether_it_is_small_enough_or_not():
    rows = [
        row("bf16", 500), row("int8", 400), row("int8-rows8", 250), row("nf4-rows4", 150, False),
        Row("fp16", "", missing="no"),
    ]  # fmt: skip
    assert run.smallest(rows, 0.5).startswith("int8-rows8 is the smallest that passed: 250 MB")
    said = run.smallest(rows, 0.4)
    assert said.startswith("0.4 is not reached") and "nf4-rows4: right keeps" in said
    assert "No form here is so small" in run.smallest(rows[:3], 0.1)


def test_of_points_those_that_no_other_beats():
    points = [(10, 0.9), (5, 0.8), (5, 0.7), (12, 0.9), (20, 1.0)]
    assert frontier(points) == [1, 0, 4]
    assert frontier([(1, 1), (1, 1)]) == [0, 1]


def table(*rows: Row) -> run.Table:
    machine = {"processor": "a <processor>", "threads": 2, "torch": "2"}
    return run.Table("mine", "abc", "gold", "hash", "test", machine, list(rows), ["said"])


def test_the_table_says_what_passed_what_did_not_and_what_cannot_run(tmp_path):
    rows = (
        row("bf16", 500), row("int8", 300), row("nf4", 200, False, 0.7),
        Row("fp16", "half", missing="no such unit"),
    )  # fmt: skip
    write_table(table(*rows), tmp_path / "out" / "forms.json")
    told = json.loads((tmp_path / "out" / "forms.json").read_text())
    assert [one["name"] for one in told["rows"]] == ["bf16", "int8", "nf4", "fp16"]
    text = (tmp_path / "out" / "forms.md").read_text()
    assert text == page(table(*rows))
    read = (tmp_path / "out" / "forms.html").read_text()
    assert "<td>300</td>" in read and "<svg" in read and "a &lt;processor&gt;" in read
    assert "| int8 | 300 | 0.60 | 600 | 9.0 | 75.0 | 0.60 | 150.0 | 1.000 | yes |" in text
    assert "- nf4: right keeps 0.7" in text and "- fp16: no such unit" in text
    drawn = (tmp_path / "out" / "forms.svg").read_text()
    ElementTree.fromstring(drawn)
    assert drawn.count("<circle") == 4 * 3 and "nf4" in drawn and "fp16" not in drawn


def test_the_plot_escapes_names():
    ElementTree.fromstring(pareto_plot([row("bf16", 500), row("<&>", 300)]))


def examples() -> list[Example]:
    asked = (("They will call you back.", "call"), ("He is here.", "is"))
    return [Example(ask(context, word), Sense("verb", "打", None), "t") for context, word in asked]


def tiny():
    return tiny_gemma(vocabulary=len(tiny_tokenizer()))


def test_each_matrix_has_its_cost_and_the_dearest_stay():
    found = costs(tiny(), parse_form("int4-weight"), tiny_prompt(), examples())
    assert len(found) == 24 and all(0 < cost < 2 for cost in found.values())
    form = mixed(parse_form("int4-weight-rows8"), found, 3)
    assert (form.name, len(form.plain)) == ("int4-weight-rows8-mixed", 3)
    assert min(found[place] for place in form.plain) >= sorted(found.values())[-3]
    nothing = costs(tiny(), parse_form("bf16"), tiny_prompt(), examples())
    assert set(nothing.values()) == {0.0}


def test_within_it_a_matrix_is_what_its_form_holds_and_learns():
    model = tiny()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    form = Form("int4-weight", plain=("0.down",))
    with as_held(model, form):
        up, down = model.model.layers[0].mlp.up_proj, model.model.layers[0].mlp.down_proj
        held = values_of(nibbles_of(before["model.layers.0.mlp.up_proj.weight"]))
        assert torch.allclose(up.weight, held, atol=1e-6) and up.weight.dtype == torch.float32
        assert torch.equal(down.weight, before["model.layers.0.mlp.down_proj.weight"])
        trained = [p for p in model.parameters() if p.requires_grad]
        assert len(trained) == 6 * 7 - 1
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(input_ids=torch.tensor([[3, 4, 5]])).logits.float().logsumexp(-1).sum()
        loss.backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in trained)
        torch.optim.SGD(trained, 0.5).step()
    assert not any(p.requires_grad for p in model.parameters())
    after = model.to(torch.bfloat16).state_dict()
    assert after.keys() == before.keys()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed and all("proj" in name for name in changed)
    assert "model.layers.0.mlp.down_proj.weight" not in changed
    shrink(model, replace(form, aware=True))  # and what was trained can be held


@pytest.mark.parametrize("name", ["nf4", "bf16"])
def test_only_bytes_and_nibbles_are_trained_for(name):
    with pytest.raises(RuntimeError, match="cannot be trained for"), as_held(tiny(), Form(name)):
        pass


def test_the_command_says_which_forms_there_are():
    assert all(parse_form(name) for name in run.DEFAULT + run.STEPS)
    assert PLAIN not in run.DEFAULT and lean(tiny()) is not None


def test_a_smoothed_model_computes_the_same_bit_for_bit():
    model = tiny()
    decoder = SenseDecoder(Runner(lean(tiny())), tiny_prompt(), Books())
    loudest = loudness(model, decoder, examples())
    assert len(loudest) == 24 and isinstance(model.model, Gemma3TextModel)
    loudest["0.qkv"][5] *= 1000  # one that shouts
    quiet = smoothed(model, loudest)
    ids = torch.tensor([[3, 4, 5, 6]])
    before, after = model.model.layers[0], quiet.model.layers[0]
    assert after.input_layernorm.weight[5] != before.input_layernorm.weight[5]
    assert not torch.equal(after.self_attn.v_proj.weight, before.self_attn.v_proj.weight)
    assert quiet.lm_head.weight is model.lm_head.weight
    with torch.inference_mode():
        states = [LeanBody(one.model)(ids[0], torch.arange(4), [whole()]) for one in (model, quiet)]
    assert torch.equal(*states)


def whole() -> Part:
    model = tiny()
    return Part(torch.ones(4, 4, dtype=torch.bool).tril(), lean(model).model.cache())


def test_an_adapter_that_translates_has_no_forms(tmp_path):
    with open_store(tmp_path / "ctx.db") as store, pytest.raises(ModelError) as error:
        wanted = run.Wanted("shipped:en-es-translation")
        run.quantise(wanted, store, Settings(home=tmp_path), print)
    assert error.value.code == "not_senses"


class Ready(Quantiser):
    """A quantiser whose forms are there as soon as they are asked for."""

    def _make(self, form: Form, model=None):
        folder = self.folder(form.name)
        if not folder.exists():
            weights = {"x": torch.zeros(100)}
            save_form(folder, tiny().config, form, weights, "tiny", self.version)
        return folder


def test_a_students_forms_are_judged_by_what_another_model_answers(tmp_path, monkeypatch):
    right = tuple(example.sense for example in examples())
    wrong = (right[0], replace(right[1], meaning="狗"))
    whole, small = tmp_path / "whole", tmp_path / "small"
    says = {whole / "bf16": right, small / "bf16": wrong, small / "int8": right}
    asked = []

    def answer(served, rows, so_far):
        asked.append(served.folder)
        return Answered(says[served.folder], 10.0)

    monkeypatch.setattr(quantise, "find_base", lambda settings: ("", "tiny", "0"))
    monkeypatch.setattr(quantise, "form_folder", lambda home, version, name: home / name)
    monkeypatch.setattr(quantise, "answer_apart", answer)
    subject = Subject(None, examples(), [], [])
    standard = Ready(subject, Settings(home=whole), print)
    student = Ready(subject, Settings(home=small), print, standard)
    first = standard.judge("bf16")
    rows = [first, student.judge("bf16"), student.judge("int8")]
    assert [one.name for one in rows] == ["bf16", "student-bf16", "student-int8"]
    assert [one.fit for one in rows] == [True, False, True]
    assert rows[1].quality["shares"]["meaning_match"]["value"] == 0.5
    assert set(student.served(rows)) == {"student-bf16", "student-int8"}
    assert set(standard.served(rows[:1])) == {"bf16"}
    assert asked == [whole / "bf16", small / "bf16", small / "int8"]
    student.judge("int8")
    assert len(asked) == 3, "what was judged against the same model is not judged again"
    alone = Ready(subject, Settings(home=small), print)
    assert alone.judge("bf16").fit and len(asked) == 4
