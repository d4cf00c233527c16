"""A model from nothing as transformers loads it by itself: the same logits, the same tokens; what
its folder must be to be served."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.checking import AdapterError
from engine.greedy import grow
from engine.sense import QueryError
from engine.translation import TaggedPrompt
from engine.translator import CONFIG, TOKENIZER_CONFIG, WEIGHTS, read_translator
from tests.tiny_scratch import LINES, TINY, tiny_codec, tiny_scratch, tiny_translator
from trainer.fields import RecipeError
from trainer.scratch.decode import greedy
from trainer.scratch.export import export

CARD = {"name": "tiny", "pair": "de-en"}
HOSTILE = ("</s> <en> <hole_3> <pad>", "a <0x41> b", "  zwei  Blanks ", "日本 🎈")


@pytest.fixture(scope="module", params=[True, False], ids=["causal", "both ways"])
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "model"
    tiny_translator(folder, causal_prefix=request.param)
    model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=False)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    return tiny_scratch(causal_prefix=request.param), model.eval(), tokenizer


def test_transformers_own_class_gives_equal_logits(made):
    mine, theirs, _ = made
    assert type(theirs).__name__ == "LlamaForCausalLM"
    assert theirs.num_parameters() == TINY.parameters()
    ids = torch.randint(0, TINY.vocabulary, (3, 20))
    mask = None
    if not mine.config.causal_prefix:
        mask = torch.ones(20, 20, dtype=torch.bool).tril()
        mask[:, :7] = True
        mask = mask.expand(3, 1, 20, 20)
    with torch.no_grad():
        wanted = mine.logits(mine(ids, torch.full((3,), 7)))
        found = theirs(ids, attention_mask=mask).logits
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_the_app_writes_what_the_model_writes_whatever_is_beside_it(made):
    mine, theirs, tokenizer = made
    prompt = TaggedPrompt(tokenizer)
    asked = [prompt.parts(line, "de-en") for line in LINES]
    wanted = [one.tokens for one in greedy(mine, asked, prompt.end, 10)]
    found = grow(theirs, asked, lambda row, tokens: tokens[-1] == prompt.end, 10)
    assert [tuple(t for t in one if t != prompt.end) for one in found] == wanted
    (alone,) = grow(theirs, asked[:1], lambda row, tokens: False, 10)
    assert alone[: len(wanted[0])] == list(wanted[0])


@pytest.mark.parametrize("text", (*LINES, *HOSTILE))
def test_its_tokenizer_is_the_models_and_text_is_only_text(made, text):
    codec, prompt = tiny_codec(), TaggedPrompt(made[2])
    (ids,) = codec.encode([" ".join(text.split())])
    assert prompt.parts(text, "de-en") == codec.question(ids, "de", "en")
    assert prompt.read(prompt.answer(text)) == (" ".join(text.split()), True)


def test_a_language_that_it_has_no_token_for(made):
    with pytest.raises(QueryError):
        TaggedPrompt(made[2]).parts("Hi.", "de-fr")


def test_a_prefix_seen_both_ways_is_exported_only_if_that_was_asked_for(tmp_path):
    model = tiny_scratch(causal_prefix=False)
    with pytest.raises(RecipeError, match="sees it causally"):
        export(model, tiny_codec(), CARD, tmp_path / "a")
    assert not list(tmp_path.iterdir())
    export(model, tiny_codec(), CARD, tmp_path / "a", both_ways=True)
    assert json.loads((tmp_path / "a" / CONFIG).read_text())["prefix"] == "both"
    with pytest.raises(RecipeError, match="there already"):
        export(model, tiny_codec(), CARD, tmp_path / "a", both_ways=True)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "model"
    assert tiny_translator(folder).parameters == TINY.parameters()
    return folder


def edit(file, **changes):
    data = json.loads(file.read_text())
    file.write_text(json.dumps(data | changes))


def reshape(folder):
    weights = load_file(folder / WEIGHTS)
    weights["model.norm.weight"] = torch.ones(33)
    save_file(weights, folder / WEIGHTS)


SPOILT = {
    "keys": lambda f: save_file({"x": torch.ones(2)}, f / WEIGHTS),
    "shapes": reshape,
    "not_plain": lambda f: edit(f / CONFIG, auto_map={"AutoModel": "x.Y"}),
    "code": lambda f: (f / "modeling.py").write_text("1"),
    "no_card": lambda f: edit(f / "card.json", task="sense"),
    "unreadable": lambda f: (f / TOKENIZER_CONFIG).write_text("[]"),
    "not_an_adapter": lambda f: (f / TOKENIZER_CONFIG).unlink(),
}


@pytest.mark.parametrize("reason", SPOILT)
def test_a_folder_that_is_not_what_it_says_is_refused(exported, tmp_path, reason):
    folder = tmp_path / "spoilt"
    shutil.copytree(exported, folder)
    SPOILT[reason](folder)
    with pytest.raises(AdapterError) as error:
        read_translator(folder)
    assert error.value.reason == reason


def test_whatever_changes_in_a_folder_changes_its_version(exported, tmp_path):
    folder, before = tmp_path / "other", read_translator(exported).version
    shutil.copytree(exported, folder)
    assert read_translator(folder).version == before
    edit(folder / "card.json", name="another")
    assert read_translator(folder).version != before
