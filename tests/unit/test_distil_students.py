"""Which layers go, and a student that is made again from the little that is kept of it."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from engine.checking import Card
from tests.tiny_bpe import TEXT, bpe_base
from tests.unit.test_training import EXAMPLES
from trainer.distil.layers import layers_of, loss_without, measure, skipped
from trainer.distil.student import Cut, build, bytes_of, read_cut, save_cut, smaller_model
from trainer.distil.teacher import Teacher
from trainer.distil.vocabulary import cut
from trainer.losses import answer_losses
from trainer.recipe import RecipeError
from trainer.rows import make_batch, make_packs
from trainer.wire import prompt_for

BASE = bpe_base()
PACKS = make_packs(EXAMPLES, prompt_for(BASE.tokenizer, "last", "en-zh"))
BATCH = make_batch(PACKS)
TEACHER = Teacher("tiny", "tiny@0/base/float32", BASE, Card("tiny"), "tiny@0")


def loss(model):
    with torch.no_grad():
        losses, _ = answer_losses(model, BATCH)
    return float((losses * BATCH.weight).sum() / BATCH.weight.sum())


@pytest.mark.parametrize("by", ["loss", "cosine"])
def test_the_layer_that_goes_is_the_least_by_its_measure(by):
    found = measure(BASE.model, PACKS, 1, by)
    assert found.loss == pytest.approx(loss(BASE.model), rel=1e-4)
    assert len(found.layers) == 2 and len(found.out) == 1
    least = min(found.layers, key=lambda one: one.worth)
    assert found.out[0].layer == least.layer
    (kept,) = found.kept
    small = smaller_model(BASE.model, (kept,), ())
    assert found.out[0].loss == pytest.approx(loss(small), rel=1e-3)
    assert json.dumps(found.told())


def test_a_layer_that_does_nothing_goes_first():
    idle = bpe_base().model
    layer = layers_of(idle)[1]
    with torch.no_grad():
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    for by in ("loss", "cosine"):
        found = measure(idle, PACKS, 1, by)
        assert found.out[0].layer == 1 and found.out[0].worth == pytest.approx(0, abs=1e-4)


def test_skipping_is_over_when_it_is_over():
    before = loss(BASE.model)
    with skipped(BASE.model, [0]):
        assert loss(BASE.model) != pytest.approx(before)
    assert loss(BASE.model) == before
    with pytest.raises(ZeroDivisionError), skipped(BASE.model, [0]):
        raise ZeroDivisionError
    assert loss(BASE.model) == before


def test_not_all_layers_can_go():
    with pytest.raises(ValueError, match="2 of 2"):
        measure(BASE.model, PACKS, 2)
    assert loss_without(BASE.model, [BATCH], [0, 1]) > 0


def test_kept_rows_have_the_logits_that_they_had():
    used = {i for text in TEXT for i in BASE.tokenizer(text, add_special_tokens=False).input_ids}
    kept = cut(BASE.tokenizer, used).kept
    small = smaller_model(BASE.model, (0, 1), kept)
    mine = torch.arange(4, 12)
    with torch.no_grad():
        theirs = BASE.model(input_ids=torch.tensor(kept)[mine][None]).logits[0][:, list(kept)]
        torch.testing.assert_close(small(input_ids=mine[None]).logits[0], theirs)
    assert bytes_of(small) < bytes_of(BASE.model)
    assert small.get_output_embeddings().weight is small.get_input_embeddings().weight


def test_a_student_is_made_again_from_its_file_the_same_to_the_bit(tmp_path):
    kept = cut(BASE.tokenizer, range(40)).kept
    first = build(Cut("tiny@0", "", 2, (1,), kept), TEACHER, tmp_path / "first")
    again = build(read_cut(first / "student.json"), TEACHER, tmp_path / "again")
    for name in ("model.safetensors", "tokenizer.json", "config.json", "student.json"):
        assert (first / name).read_bytes() == (again / name).read_bytes(), name
    assert not list(tmp_path.glob("*.new*"))


def test_a_student_of_another_teacher_is_refused_and_nothing_is_left(tmp_path):
    for wrong in ({"base": "tiny@1"}, {"adapter": "abc"}):
        asked = dataclasses.replace(Cut("tiny@0", "", 2, (1,)), **wrong)
        with pytest.raises(RecipeError, match="made from"):
            build(asked, TEACHER, tmp_path / "student")
    with pytest.raises(RecipeError, match="not whole"):  # a token without what it is merged from
        whole = max(range(len(BASE.tokenizer) - 300), key=lambda i: i)
        build(Cut("tiny@0", "", 2, (1,), (0, 1, 2, 3, whole)), TEACHER, tmp_path / "student")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"version": 9}'])
def test_a_file_that_states_no_student_is_refused(tmp_path, text):
    (tmp_path / "student.json").write_text(text)
    with pytest.raises(RecipeError, match="no student"):
        read_cut(tmp_path / "student.json")


def test_a_cut_is_read_back_as_it_was(tmp_path):
    made = Cut("tiny@0", "abc", 18, (0, 1, 5), (0, 1, 2, 7, 8, 100))
    save_cut(made, tmp_path / "student.json")
    assert read_cut(tmp_path / "student.json") == made
