"""The adapters that ship and translate, on the real base: they end where the sentence does, and
what streams is what a batch writes."""

import json

import pytest

from engine.adapters import open_adapter
from engine.checking import read_adapter
from engine.models import load_base
from engine.settings import Settings, assets
from engine.translation import TranslationPrompt, Writing, translate_all, write
from trainer.pairs import shipped_folders
from trainer.recipe import load_recipe

FOLDERS = shipped_folders()
SENTENCES = {
    "en": ("I would like a cup of tea.", "Where do you live?", "It is raining today."),
    "de": ("Wo wohnst du?", "Ich habe heute keine Zeit.", "Das Haus ist sehr alt."),
}


@pytest.fixture(scope="module")
def base(models_home):
    return load_base(Settings(home=models_home))


@pytest.fixture(params=FOLDERS, ids=[folder.name for folder in FOLDERS])
def tuned(request, base):
    adapter = read_adapter(request.param)
    model = open_adapter(base.model, adapter, base, "default")
    yield adapter, model, TranslationPrompt(base.tokenizer, adapter.card.style)
    model.unload()


def test_there_is_one_for_each_pair():
    names = {folder.name for folder in FOLDERS}
    pairs = ("en-zh", "en-es", "de-en", "en-hi", "en-ta")
    assert names == {f"{pair}-translation" for pair in pairs}


def test_it_ends_where_the_sentence_does_and_streams_what_a_batch_writes(tuned):
    adapter, model, prompt = tuned
    pair = adapter.card.pair
    sentences = SENTENCES[pair.partition("-")[0]]
    together = translate_all(model, prompt, sentences, pair)
    assert all(one.stopped and one.text and not one.over for one in together)
    assert not {one.text for one in together} & set(sentences)
    texts = list(write(model, prompt, sentences[0], pair))
    assert all(b.startswith(a) for a, b in zip(texts, texts[1:]))
    writing = Writing(model, prompt, sentences[0], pair)
    while writing.step():
        pass
    assert writing.ended and writing.text == texts[-1]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_says_what_it_is_made_of_and_is_small(folder):
    adapter, recipe = read_adapter(folder), load_recipe(folder / "recipe.json")
    card = adapter.card
    assert adapter.bytes < 10_000_000
    assert (card.name, card.task, card.pair, card.style) == (
        recipe.name, "translation", recipe.pair, recipe.style,
    )  # fmt: skip
    assert card.base.startswith("gemma-3-270m@") and "gemma-3-270m" in card.licence
    (data,) = card.data
    assert data["licence"] in card.licence and data["sha256"] == recipe.sources[0].sha256
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert data["licence"] in readme and "Gemma Terms of Use" in readme
    assert json.loads((folder / "card.json").read_text())["fit"] is True


def test_the_table_is_of_the_adapters_that_ship():
    table = json.loads((assets() / "bench" / "translation.json").read_text(encoding="utf-8"))
    versions = {read_adapter(folder).card.pair: read_adapter(folder).version for folder in FOLDERS}
    assert {pair: one["version"] for pair, one in table.items()} == versions
    for one in table.values():
        assert one["tuned"]["chrf"]["value"] > one["base"]["chrf"]["value"]
        assert one["tuned"]["stopped"]["value"] >= 0.99
