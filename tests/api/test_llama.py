"""A base of another architecture: SmolLM2, a Llama, goes the whole way that Gemma goes: from a GGUF
file to a base, through QLoRA to an adapter with its card, and to sentences."""

import json
from dataclasses import replace

import pytest
import torch
from transformers import LlamaForCausalLM

from engine.adapters import open_adapter
from engine.checking import AdapterError, read_adapter
from engine.models import load_base
from engine.settings import Settings, assets
from engine.translation import TranslationPrompt, translate_all, write
from tests.smollm2 import smollm2_folder
from trainer.examples import Sentence, TranslationExample
from trainer.losses import AnswerLoss
from trainer.model import make_trainable
from trainer.plan import base_folder, estimate
from trainer.recipe import Source, load_recipe, on_base
from trainer.rows import make_batch, make_translation_packs
from trainer.run import run_recipe
from trainer.splits import load_splits

SUBJECTS = {"I": "Yo", "My mother": "Mi madre", "Our teacher": "Nuestro maestro", "Tom": "Tom"}
THINGS = {
    "bread": "pan", "a house": "una casa", "two books": "dos libros", "a red car": "un coche rojo",
    "a small dog": "un perro pequeño", "an apple": "una manzana", "the door": "la puerta",
    "a new hat": "un sombrero nuevo", "the letter": "la carta", "old shoes": "zapatos viejos",
}  # fmt: skip


LINES = [
    f"{who} wanted {what} yesterday.\t{quien} quería {que} ayer."
    for who, quien in SUBJECTS.items()
    for what, que in THINGS.items()
]


@pytest.fixture(scope="module")
def smollm2(models_home):
    return smollm2_folder(models_home / "bases")


def test_it_is_trained_by_the_named_recipe_and_translates(smollm2, tmp_path, models_home):
    (tmp_path / "pairs.tsv").write_text("\n".join(LINES), encoding="utf-8")
    named = load_recipe(assets() / "recipes" / "en-es" / "smollm2-135m.json")
    recipe = replace(
        named, base=str(smollm2), sources=(Source("own", "pairs.tsv", "pairs"),), steps=8,
        evaluate_every=8, dev_rows=4, guard_rows=2, scored_rows=2,
    )  # fmt: skip
    settings = Settings(home=tmp_path)
    splits, data = load_splits(recipe, tmp_path, settings)
    plan = estimate(recipe, splits, settings, base_folder(on_base(recipe, settings)))
    assert not plan.refusal and plan.steps == 8
    events = []
    folder = run_recipe(recipe, splits, data, tmp_path / "run", settings, events.append)
    first, last = (event["dev_loss"] for event in events if event["event"] == "dev")
    assert last < 0.9 * first
    adapter = read_adapter(folder)
    base = load_base(on_base(recipe, settings))
    assert isinstance(base.model, LlamaForCausalLM)
    assert adapter.card.base == f"{base.name}@{base.revision}" and base.name == smollm2.name
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["scores"]["dev own"]["n"] and card["task"] == "translation"
    model = open_adapter(base.model, adapter, base, "default")
    prompt = TranslationPrompt(base.tokenizer, adapter.card.style)
    sentence = "Tom wanted a house yesterday."
    (whole,) = translate_all(model, prompt, [sentence], "en-es")
    assert whole.text
    assert list(write(model, prompt, sentence, "en-es"))[-1] == whole.text
    other = load_base(Settings(home=models_home))
    with pytest.raises(AdapterError):  # and it fits no other base
        open_adapter(other.model, adapter, other, "default")


def test_an_evaluation_takes_no_gradient_away_from_a_base_in_4_bits(smollm2, tmp_path):
    recipe = load_recipe(assets() / "recipes" / "en-es" / "smollm2-135m.json")
    recipe = replace(recipe, base=str(smollm2), dropout=0.0)
    base = load_base(on_base(recipe, Settings(home=tmp_path)), quantised=True)
    prompt = TranslationPrompt(base.tokenizer, recipe.style)
    query = Sentence("I wanted bread.", "en-es")
    batch = make_batch(
        make_translation_packs([TranslationExample(query, "Yo quería pan.", "own")], prompt)
    )
    model = make_trainable(base.model, recipe)
    loss = AnswerLoss(model, base.choice.dtype)
    found = []
    for evaluated in (False, True):
        if evaluated:
            with torch.no_grad():
                loss.eval()(batch)
        loss.train().zero_grad()
        loss(batch)[0].mean().backward()
        found.append({
            n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad and "B" in n
        })  # fmt: skip
    before, after = found
    for name, gradient in before.items():
        assert gradient.any(), name
        torch.testing.assert_close(after[name], gradient, msg=name)
