"""Training on a tiny model: packing and resuming change nothing, adapter off = base."""

import dataclasses
import json

import pytest
import torch

from engine.prompt import FIELDS
from engine.sense import Phrase, Sense, ask, from_wire
from engine.split import split_of
from engine.wordbook import LISTED, Wordbook
from tests.tiny import tiny_model, tiny_prompt
from trainer.examples import Example
from trainer.losses import Candidates, Weighed, answer_losses
from trainer.model import make_trainable
from trainer.order import Order
from trainer.recipe import Recipe, RecipeError, Source, load_recipe, parse_recipe, save_recipe
from trainer.rows import bucketed, make_batch, make_packs
from trainer.wordbook import worths_for, worths_without

PROMPT = tiny_prompt()
RECIPE = Recipe(rank=4, alpha=8, dropout=0.0, batch=6, epochs=4, rate=5e-3, evaluate_every=5)


def example(context, target, word_class, zh, phrase="", idx=1, **more):
    query = ask(context, target, idx)
    sense = from_wire(query, {"class": word_class, "zh": zh, "phrase": phrase})
    return Example(query, sense, "test", **more)


EXAMPLES = [
    made
    for name in ("Tom", "Ann", "him", "her", "them")
    for made in (
        example(f"I call {name} back", "call", "verb", "打电话", "call back|回电话"),
        example(f"I call {name} back", "back", "adverb", "回", "call back|回电话"),
        example(f"I call {name} back", "I", "pronoun", "人"),
        example(f"the dog saw {name} in the bed", "dog", "noun", "狗"),
        example(f"the dog saw {name} in the bed", "bed", "noun", "床"),
    )
]
PACKS = make_packs(EXAMPLES, PROMPT)
CANDIDATES = Candidates(PROMPT.meaning_tokens, len(PROMPT.tokenizer), 4, 1)
WEIGHED = Weighed(PROMPT.meaning_tokens, len(PROMPT.tokenizer), 40, 1)


def lora(seed=0):
    return make_trainable(tiny_model(len(PROMPT.tokenizer), seed), RECIPE)


def test_packed_rows_lose_what_they_lose_alone():
    model = lora().eval()
    together, hits = answer_losses(model, make_batch(PACKS))
    alone = [
        answer_losses(model, make_batch([dataclasses.replace(pack, rows=(row,))]))[0]
        for pack in PACKS
        for row in pack.rows
    ]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-4)
    assert len(hits) == len(together)


def test_the_loss_is_the_plain_models_loss_on_the_answer():
    """Against transformers' own forward over prompt and answer as one text."""
    model = lora().eval()
    (pack,) = make_packs([EXAMPLES[0]], PROMPT)
    row = pack.rows[0]
    tokens = torch.tensor([pack.prefix + row.question + row.answer])
    logits = model(input_ids=tokens).logits[0, -len(row.answer) - 1 : -1]
    plain = torch.nn.functional.cross_entropy(logits, torch.tensor(row.answer), reduction="none")
    losses, _ = answer_losses(model, make_batch([pack]))
    torch.testing.assert_close(losses, plain, rtol=1e-4, atol=1e-4)


def test_masked_fields_have_no_weight_and_teach_nothing():
    known = example("I call Tom back", "back", "adverb", "回", "call back|回电话")
    masked = dataclasses.replace(known, fields=("class", "meaning"))
    batch = make_batch(make_packs([masked], PROMPT))
    assert set(batch.field[batch.weight > 0].tolist()) == {0, 2}
    assert set(batch.field.tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    "meaning, phrase_meaning, numbers",
    [
        ("", "", {0, 1}),
        ("", "回电话", {0, 1}),
        ("回", "", {0, 1, 2}),
        ("回", "回电话", {0, 1, 2, 3}),
    ],
)
def test_the_text_stops_before_the_first_unknown_meaning(meaning, phrase_meaning, numbers):
    query = ask("I call Tom back", "back")
    sense = Sense("adverb", meaning, Phrase((1, 3), phrase_meaning))
    (pack,) = make_packs([Example(query, sense, "test")], PROMPT)
    (row,) = pack.rows
    assert set(row.fields) == numbers
    assert row.answer[-1] in (PROMPT.bar, PROMPT.end), "no field is cut in two"
    whole = PROMPT.answer(query, Sense("adverb", "回", Phrase((1, 3), "回电话")))
    kept = [tokens for tokens in whole.fields()[: max(numbers) + 1] for tokens in tokens]
    assert list(row.answer) == kept


def test_a_word_without_phrase_or_meaning_ends_after_the_bar():
    query = ask("I call Tom back", "Tom")
    answer = PROMPT.answer(query, Sense("proper noun", ""))
    assert answer.phrase == (PROMPT.bar,) and answer.meaning == answer.phrase_meaning == ()


def test_candidates_hold_the_targets_and_repeat_for_a_step():
    batch = make_batch(PACKS)
    for candidates in (CANDIDATES, WEIGHED):
        chosen = candidates.of(batch, 3).ids
        assert set(batch.target.tolist()) <= set(chosen.tolist())
        assert torch.equal(chosen, candidates.of(batch, 3).ids)
        assert torch.equal(chosen, chosen.unique())


def test_weighed_candidates_count_as_many_tokens_as_there_are():
    batch, vocabulary = make_batch(PACKS), len(PROMPT.tokenizer)
    for step in range(20):
        ids, shift = WEIGHED.of(batch, step)
        assert shift.exp().sum().item() == pytest.approx(vocabulary)
        own = {*WEIGHED.task.tolist(), *batch.target.tolist(), *batch.input_ids.flatten().tolist()}
        assert {int(i) for i, more in zip(ids, shift) if more == 0} == own


def test_every_row_is_seen_once_an_epoch_in_an_order_of_the_seed():
    batches = list(bucketed(PACKS, 6, seed=1, epoch=0))
    seen = [pack for batch in batches for pack in batch]
    assert sorted(map(id, seen)) == sorted(map(id, PACKS))
    assert batches == list(bucketed(PACKS, 6, seed=1, epoch=0))
    assert batches != list(bucketed(PACKS, 6, seed=1, epoch=1))
    assert sum(sum(len(p.rows) for p in b) < 6 for b in batches) <= 1


def test_older_rows_make_their_share_of_each_epoch_and_are_others_each_time():
    recipe = dataclasses.replace(RECIPE, replay=0.5)
    own, before = PACKS[:2], PACKS[2:]
    order = Order(recipe, own, before)
    first, second = order.packs_of(0), order.packs_of(1)
    rows = sum(len(pack.rows) for pack in own)
    for packs in (first, second):
        older = packs[len(own) :]
        assert packs[: len(own)] == own
        assert rows <= sum(len(pack.rows) for pack in older) < rows + 8
    assert first[len(own)] != second[len(own)]


def test_a_recipe_is_saved_and_read_back_equal(tmp_path):
    recipe = dataclasses.replace(
        RECIPE, sources=(Source("gold", "gold", fields=("class",), references=("b",)),)
    )
    save_recipe(recipe, tmp_path / "recipe.json")
    assert load_recipe(tmp_path / "recipe.json") == recipe


@pytest.mark.parametrize(
    "data, named",
    [
        ({"rank": 0}, "rank"),
        ({"style": "sideways"}, "style"),
        ({"matrices": "all"}, "matrices"),
        ({"name": "../up"}, "name"),
        ({"colour": "red"}, "colour"),
        ({"sources": [{"name": "a", "path": "b", "format": "xml"}]}, "format"),
        ({"sources": [{"name": "a", "path": "b", "fields": ["sound"]}]}, "fields"),
        ({"sources": [{"title": "a"}]}, "title"),
    ],
)
def test_a_recipe_that_cannot_run_says_which_field(data, named):
    with pytest.raises(RecipeError, match=named):
        parse_recipe(data)


def test_unreadable_recipes_are_refused(tmp_path):
    (tmp_path / "recipe.json").write_text("{")
    with pytest.raises(RecipeError):
        load_recipe(tmp_path / "recipe.json")


def test_a_sentences_split_depends_on_its_words_alone():
    assert split_of("Tom, call me back!") == split_of("tom call  me BACK")
    splits = [split_of(f"sentence number {i}") for i in range(2000)]
    assert 0.85 < splits.count("train") / 2000 < 0.95
    assert splits.count("dev") > 50 and splits.count("test") > 50


def test_gold_is_read_with_its_refusals_counted():
    from engine.settings import assets
    from trainer.loading import find_source, load_examples

    source = Source("gold", "en-zh-gold")
    loaded = load_examples(source, find_source(source, assets() / "datasets", None), "en-zh")
    assert len(loaded.examples) == 14616
    assert loaded.refused == {
        "target_inside_word": 8, "idx_out_of_range": 1, "phrase_not_in_context": 1,
    }  # fmt: skip
    phrases = [e for e in loaded.examples if e.sense.phrase]
    assert all(e.query.position in e.sense.phrase.members for e in phrases)


def test_bad_rows_and_missing_or_changed_files_are_told(tmp_path):
    from trainer.loading import find_source, load_examples

    good = {"context": "a b", "target": "a", "idx": 1, "class": "noun", "zh": "人", "phrase": ""}
    lines = ["{", "[]", json.dumps(good), json.dumps(good), json.dumps({**good, "class": "x"})]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    source = Source("rows", "rows.jsonl")
    loaded = load_examples(source, find_source(source, tmp_path, None), "en-zh")
    assert len(loaded.examples) == 1
    assert loaded.refused == {"malformed": 2, "repeated": 1, "unknown_class": 1}
    (tmp_path / "list.tsv").write_text("")
    both = dataclasses.replace(source, references=("list.tsv",))
    assert [f.name for f in find_source(both, tmp_path, None)] == ["rows.jsonl", "list.tsv"]
    with pytest.raises(RecipeError, match="CTX_DATA"):
        find_source(Source("none", "none.jsonl"), tmp_path, None)
    with pytest.raises(RecipeError, match="not the data"):
        find_source(dataclasses.replace(source, sha256="0" * 64), tmp_path, None)


BOOK = Wordbook(["dog\t狗 noun=1\t人 noun=2 listed\t床", "bed\t床 noun=4 listed"])
DOG = dataclasses.replace(example("the dog saw Tom", "dog", "noun", "狗"), source="gold")


def test_a_known_meaning_of_great_worth_is_sure_in_training_too():
    model = lora().eval()
    plain, sure = (
        make_batch(make_packs([DOG], PROMPT, worths))
        for worths in (None, lambda row: {"狗": 100.0, "打人": 3.0})
    )
    number = FIELDS.index("meaning")
    with torch.no_grad():
        before, _ = answer_losses(model, plain)
        after, _ = answer_losses(model, sure, CANDIDATES.of(sure, 0))
        whole, _ = answer_losses(model, sure)
    meaning = sure.field == number
    assert before[meaning].sum() > 0.1 and after[meaning].sum() < 1e-3
    assert whole[meaning].sum() < 1e-3
    torch.testing.assert_close(whole[~meaning], before[~meaning])
    assert len(sure.gain) == 3  # 狗 and 打 first, then the end after 狗


def test_a_row_does_not_count_in_the_book_it_learns_with():
    assert worths_for(BOOK, DOG)["狗"] > LISTED
    without = worths_without(BOOK, DOG)
    assert set(without) == {"人", "床"} and without["人"] == worths_for(BOOK, DOG)["人"]
    bed = dataclasses.replace(example("a bed", "bed", "noun", "床"), source="gold")
    assert LISTED < worths_without(BOOK, bed)["床"] < worths_for(BOOK, bed)["床"]
    other = dataclasses.replace(DOG, source="other")
    assert worths_without(BOOK, other) == worths_for(BOOK, other)


@pytest.mark.parametrize("cap", [None, 3.0])
@pytest.mark.parametrize("candidates", [None, CANDIDATES, WEIGHED])
def test_the_gradient_is_that_of_plain_cross_entropy(cap, candidates):
    """The shortcut for a head that is not trained, against the one that works logits out again."""
    worths = {"打电话": 2.0, "打": 1.0}
    packs = make_packs(EXAMPLES, PROMPT, lambda example: worths)
    batch = make_batch(packs)
    assert len(batch.gain_at)
    chosen = candidates.of(batch, 1) if candidates else None
    found = []
    for trained in (False, True):
        model = lora()
        torch.manual_seed(5)
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(std=0.1)
        base = model.get_base_model()
        base.config.final_logit_softcapping = cap
        base.get_output_embeddings().weight.requires_grad_(trained)
        losses, hits = answer_losses(model, batch, chosen)
        (losses * batch.weight).sum().backward()
        lora_only = {n: p.grad for n, p in model.named_parameters() if "lora" in n}
        found.append((losses.detach(), hits, lora_only))
    short, plain = found
    torch.testing.assert_close(short[0], plain[0], rtol=1e-4, atol=1e-4)
    assert torch.equal(short[1], plain[1])
    for name, gradient in short[2].items():
        torch.testing.assert_close(gradient, plain[2][name], rtol=1e-3, atol=1e-5, msg=name)
