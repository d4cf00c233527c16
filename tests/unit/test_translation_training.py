"""Translation as a task of the trainer: sentence pairs, their splits, masked prompts, a run to its
card on a tiny model."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from engine.checking import read_adapter
from engine.models import load_base
from engine.settings import assets, read_settings
from engine.split import split_of
from engine.translation import TranslationPrompt
from tests.tiny import HAN, tiny_base, tiny_model, tiny_tokenizer
from trainer import run
from trainer.distil import teacher
from trainer.distil.recipe import Distil
from trainer.examples import Sentence, TranslationExample, held_out
from trainer.finish import finish
from trainer.loading import load_examples
from trainer.pairs import measure_pair, page, table, write_pairs
from trainer.recipe import Recipe, RecipeError, Source, load_recipe, on_base, save_recipe
from trainer.rows import make_batch, make_translation_packs
from trainer.run import run_recipe
from trainer.sources import pairs
from trainer.splits import load_splits
from trainer.translated import first_of_each

NAMES = ("Tom", "Ann", "Bob", "Sue", "Kim", "Max", "Eve", "Ian", "Lou", "Meg", "Ned", "Pam")
SOURCE = Source("pairs", "pairs.tsv", "pairs")
RECIPE = Recipe(
    name="tiny", task="translation", style="short", sources=(SOURCE,), rank=4, alpha=8, rate=5e-3,
    epochs=1, guard_rows=4, dev_rows=8, scored_rows=6, evaluate_every=20,
)  # fmt: skip


def tokenizer():
    made = tiny_tokenizer()
    made.add_special_tokens({"eos_token": "<eos>"})
    return made


def rows(pair="en-zh", source=SOURCE, *lines):
    return lambda folder: load_examples(source, [write(folder, *lines)], pair)


def write(folder, *lines):
    (folder / "pairs.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "pairs.tsv"


@pytest.fixture
def home(tmp_path, monkeypatch):
    lines = [
        f"{a} calls {b}\t{HAN[i]}打{HAN[j]}"
        for i, a in enumerate(NAMES)
        for j, b in enumerate(NAMES)
    ]
    write(tmp_path, *lines)
    save_recipe(RECIPE, tmp_path / "recipe.json")

    monkeypatch.setattr(run, "load_base", lambda settings, quantised=False: tiny_base(tokenizer()))
    return tmp_path


@pytest.mark.parametrize("layers_out", [0, 1])
def test_a_student_learns_sentences_of_a_teacher_and_is_judged_beside_it(
    home, monkeypatch, layers_out
):
    def load(settings, progress=None, quantised=False):
        if settings.base == "embedded":
            return tiny_base(tokenizer())
        return load_base(settings)

    for module in (run, teacher):
        monkeypatch.setattr(module, "load_base", load)
    settings = read_settings({"CTX_HOME": str(home), "CTX_DTYPE": "float32"})

    def go(recipe, name):
        events = []
        splits, data = load_splits(recipe, home, settings)
        made = run_recipe(
            recipe, splits, data, home / name, settings, events.append,
            finish=lambda done, tell: finish(done, None, tell), home=home,
        )  # fmt: skip
        return made, events

    go(replace(RECIPE, steps=12), "first")[0].rename(home / "teacher")
    monkeypatch.setattr(teacher, "readers_folder", lambda *asked: home / "teacher")
    distil = Distil("present", top=8, layers_out=layers_out)
    made, events = go(replace(RECIPE, rank=2, alpha=4, steps=4, distil=distil), "second")
    (taught,) = (one for one in events if one["event"] == "taught")
    assert taught["tokens"] > 0
    (result,) = (one for one in events if one["event"] == "result")
    card = json.loads((made / "card.json").read_text())
    assert result["gate"]["sentences"] == 6 and card["gate"] == result["gate"]
    assert 0 <= result["gate"]["score"] <= 1 and card["fit"] == result["fit"]
    assert (home / "second" / "student").is_dir() == bool(layers_out)
    if layers_out:
        assert not card["fit"] and card["reason"]


def test_a_students_vocabulary_is_not_cut_for_sentences():
    distil = Distil("teacher", cut_vocabulary=True)
    with pytest.raises(RecipeError, match="distil"):
        replace(RECIPE, distil=distil)


def test_a_line_is_a_sentence_with_its_translation_and_repetitions_are_dropped_and_counted(
    tmp_path,
):
    loaded = rows("en-zh", SOURCE, "Eng\tCmn", "Hi.\t嗨。", "Hi.\t你好。", "Hi.\t嗨。")(tmp_path)
    assert [(e.query.context, e.text) for e in loaded.examples][-2:] == [
        ("Hi.", "嗨。"),
        ("Hi.", "你好。"),
    ]
    assert loaded.refused["repeated"] == 1
    loaded = rows("de-en", replace(SOURCE, swapped=True), "Good day.\tGuten Tag.")(tmp_path)
    (only,) = loaded.examples
    assert (
        only.query == Sentence("Guten Tag.", "de-en") and only.text == only.english == "Good day."
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Hello.", "malformed"),
        ("\tHallo.", "no_context"),
        ("Hello.\t ", "no_context"),
        ("Hel\x07lo.\tHallo.", "control_characters"),
        ("Hello.\t" + "a" * 601, "too_long"),
        ("Berlin\tBerlin", "untranslated"),
    ],
)
def test_what_is_no_pair_is_refused_with_its_reason(tmp_path, line, reason):
    loaded = rows("en-de", SOURCE, "Good evening to you.\tGuten Abend.", line)(tmp_path)
    assert loaded.refused == {reason: 1}


def test_a_first_line_of_names_is_no_pair_and_held_out_sentences_stay_out(tmp_path):
    assert rows("en-hi", SOURCE, "Eng\tHin")(tmp_path).refused == {"header": 1}
    assert rows("en-ta", SOURCE, "english\tTamil")(tmp_path).refused == {"header": 1}
    out = next(s for s in (f"Sentence {n}." for n in range(100)) if held_out(s))
    assert rows("en-hi", SOURCE, f"{out}\tवाक्य।")(tmp_path).refused == {"held_out": 1}


def test_traditional_characters_are_made_simplified_where_the_source_says_so(tmp_path, monkeypatch):
    class OpenCC:
        def __init__(self, way):
            assert way == "t2s"

        def convert(self, text):
            return text.replace("來", "来")

    source = replace(SOURCE, simplified=True)
    monkeypatch.setitem(sys.modules, "opencc", SimpleNamespace(OpenCC=OpenCC))
    monkeypatch.setattr(pairs, "find_spec", lambda name: name)
    lines = ("I come from England.\t我來自英国。", "I come from England.\t我来自英国。")
    loaded = rows("en-zh", source, *lines)(tmp_path)
    assert [e.text for e in loaded.examples] == ["我来自英国。"]
    assert loaded.refused == {"repeated": 1}
    monkeypatch.setattr(pairs, "find_spec", lambda name: None)
    with pytest.raises(RecipeError, match="OpenCC"):
        rows("en-zh", source, *lines)(tmp_path)


def test_no_sentence_is_in_two_splits_whatever_its_translations_and_direction(tmp_path):
    lines = [f"{n} dogs\t狗{n}{k}" for n in range(200) for k in "了的"]
    write(tmp_path, *lines)
    settings = read_settings({"CTX_HOME": str(tmp_path)})
    there, _ = load_splits(RECIPE, tmp_path, settings)
    back, _ = load_splits(
        replace(RECIPE, pair="zh-en", sources=(replace(SOURCE, swapped=True),)), tmp_path, settings
    )
    for name in ("train", "dev", "test"):
        sentences = {e.english for e in there[name]}
        assert sentences == {e.english for e in back[name]}
        assert all(split_of(e.english) == name for e in there[name])
        assert len(there[name]) == 2 * len(sentences) > 0


def test_only_the_answer_counts_and_translations_of_one_sentence_share_its_prompt():
    mine = tokenizer()
    prompt = TranslationPrompt(mine, "short")
    query = Sentence("Tom calls", "en-zh")
    examples = [TranslationExample(query, text, "pairs") for text in ("他打", "他在")]
    (pack,) = make_translation_packs(examples, prompt)
    assert len(pack.rows) == 2
    batch = make_batch([pack])
    asked = prompt.parts(query.context, query.pair)
    assert (*pack.prefix, *pack.rows[0].question) == asked
    assert batch.target.tolist() == [t for e in examples for t in prompt.answer(e.text)]
    assert batch.target.tolist()[-1] == mine.eos_token_id
    assert batch.at[0] == len(asked) - 1 and (batch.weight == 1).all()
    # Each row is as if it stood alone.
    model = tiny_model(len(mine))
    from trainer.losses import answer_losses

    both, _ = answer_losses(model, batch)
    alone = [
        answer_losses(model, make_batch(make_translation_packs([e], prompt)))[0] for e in examples
    ]
    torch.testing.assert_close(both, torch.cat(alone), rtol=1e-4, atol=1e-4)


def test_a_run_ends_with_an_adapter_its_card_and_its_figures(home):
    events, settings = [], read_settings({"CTX_HOME": str(home)})
    splits, data = load_splits(RECIPE, home, settings)
    adapter = run_recipe(
        RECIPE, splits, data, home / "run", settings, events.append,
        finish=lambda done, tell: finish(done, None, tell),
    )  # fmt: skip
    devs = [event for event in events if event["event"] == "dev"]
    assert devs[-1]["dev_loss"] < devs[0]["dev_loss"] and 0 <= devs[-1]["ended"] <= 1
    texts = {"chrf", "bleu", "ter", "rouge_1", "rouge_2", "rouge_l"}
    assert {*texts, "answer_ms", "written", "score", "low", "high"} <= set(devs[0])
    card = read_adapter(adapter).card
    assert (card.pair, card.task, card.style, card.base) == (
        "en-zh",
        "translation",
        "short",
        "tiny@0",
    )
    assert {"dev pairs", "base, dev pairs"} <= set(card.scores)
    told = json.loads((adapter / "card.json").read_text())
    result = next(event for event in events if event["event"] == "result")
    assert result["fit"] == told["fit"] == (told["reason"] == "")
    assert told["examples"] and "chrF++" in (adapter / "SCORES.md").read_text()
    base = run.load_base(settings)
    found = measure_pair(
        adapter, base, read_settings({"CTX_HOME": str(home), "CTX_DATA": str(home)}), 4
    )
    assert set(found["differences"]) == set(found["base"]) - {"n"}
    write_pairs({"en-zh": found}, home / "table.json")
    write_pairs({"en-es": found | {"pair": "en-es"}}, home / "table.json")
    known = json.loads((home / "table.json").read_text())
    assert set(known) == {"en-zh", "en-es"} and table(known) in page(known)
    assert not any(p.requires_grad for p in base.model.parameters())


@pytest.mark.parametrize(
    "changes",
    [
        {"pair": "en-xx"}, {"pair": "en-en"}, {"style": "last"}, {"task": "sense"},
        {"reference": "present"}, {"sources": (Source("rows", "rows.jsonl"),)},
        {"task": "sense", "style": "last"}, {"task": "poem"},
    ],
)  # fmt: skip
def test_a_recipe_of_another_task_s_parts_is_refused(changes):
    with pytest.raises(RecipeError):
        replace(RECIPE, **changes)


def test_first_translations_are_chosen_once_a_sentence_and_always_the_same():
    examples = [
        TranslationExample(Sentence(f"{n % 5}", "en-zh"), f"{n}", "pairs") for n in range(20)
    ]
    chosen = first_of_each(examples, 3)
    assert len(chosen) == 3 and chosen == first_of_each(examples, 3)
    assert all(int(e.text) < 5 for e in chosen)
    assert len(first_of_each(examples, 50)) == 5


def test_the_named_recipes_differ_in_their_base_alone():
    files = sorted((assets() / "recipes" / "en-es").glob("*.json"))
    recipes = {file.stem: load_recipe(file) for file in files}
    assert len({replace(one, base="") for one in recipes.values()}) == 1
    assert {one.base for one in recipes.values()} == {
        "HuggingFaceTB/SmolLM2-135M-Instruct", "meta-llama/Llama-3.2-1B",
        "ModelSpace/GemmaX2-28-2B-v0.1",
    }  # fmt: skip
    one = recipes["smollm2-135m"]
    assert (one.quantised, one.rank, one.alpha, one.dropout) == (True, 16, 32, 0.05)
    assert (one.epochs, one.batch) == (2, 4)
    settings = read_settings({})
    assert on_base(one, settings).base == one.base and on_base(RECIPE, settings) == settings
