"""A smaller vocabulary leaves the text side as it is: the same tokens where it has them, pieces or
bytes where it has not, and the same text back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from engine.prompt import SensePrompt
from tests.tiny import tiny_tokenizer
from tests.tiny_bpe import TEXT, bpe_tokenizer
from trainer.distil.vocabulary import as_tokenizer, cut, task_tokens, word_tokens
from trainer.recipe import RecipeError

WHOLE = bpe_tokenizer()
WHOLE_PROMPT = SensePrompt(WHOLE)
USED = task_tokens(WHOLE_PROMPT, (), TEXT[:2])
SMALLER = cut(WHOLE, USED)
SMALL = as_tokenizer(SMALLER.text, WHOLE)


def tokens(tokenizer, text):
    ids = tokenizer(text, add_special_tokens=False).input_ids
    return ids, tokenizer.convert_ids_to_tokens(ids)


@settings(deadline=None, max_examples=300)
@given(st.text())
def test_any_text_goes_through_and_comes_back(text):
    ids, _ = tokens(SMALL, text)
    assert all(0 <= i < len(SMALLER.kept) for i in ids)
    assert SMALL.unk_token_id not in ids
    whole, _ = tokens(WHOLE, text)
    assert SMALL.decode(ids) == WHOLE.decode(whole)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from([*"".join(TEXT), *TEXT, " saw", " bed", " seeing", "睡觉"])))
def test_text_of_kept_tokens_has_the_same_tokens(parts):
    text = "".join(parts)
    whole, named = tokens(WHOLE, text)
    if set(whole) <= set(SMALLER.kept):
        small, mine = tokens(SMALL, text)
        assert mine == named
        assert [SMALLER.kept[i] for i in small] == whole


def test_what_the_task_writes_is_kept_and_the_rest_is_gone():
    prompt = SensePrompt(SMALL)
    assert [SMALL.convert_ids_to_tokens(list(t)) for t in prompt.classes.values()] == [
        WHOLE.convert_ids_to_tokens(list(t)) for t in WHOLE_PROMPT.classes.values()
    ]
    assert len(prompt.meaning_tokens) == len(WHOLE_PROMPT.meaning_tokens)
    assert len(SMALLER.kept) < len(WHOLE)
    gone = [t for t in WHOLE.get_vocab() if t not in SMALL.get_vocab() and len(t) > 3]
    assert gone
    for token in gone:
        text = token.replace("▁", " ")
        assert len(tokens(SMALL, text)[0]) > 1 and SMALL.decode(tokens(SMALL, text)[0]) == text
    assert SMALL.bos_token_id == SMALLER.kept.index(WHOLE.bos_token_id)


def test_forms_of_known_words_are_kept_whether_training_has_them_or_not():
    words = ["▁saw", "▁Saw", "▁see", "▁seen", "▁cat", "saw", "▁SAW", "▁sawx", "▁"]
    other = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, words[-1]))
    found = word_tokens(PreTrainedTokenizerFast(tokenizer_object=other), {"see", "tom"})
    assert {words[i] for i in found} == {"▁saw", "▁Saw", "▁see", "▁seen"}


def test_cutting_again_with_what_was_kept_changes_nothing():
    assert cut(WHOLE, SMALLER.kept).kept == SMALLER.kept


def test_a_tokenizer_without_merges_can_be_cut_too():
    tokenizer = tiny_tokenizer()
    prompt = SensePrompt(tokenizer)
    found = cut(tokenizer, task_tokens(prompt, (), [" abc"]))
    assert set(SensePrompt(as_tokenizer(found.text, tokenizer)).classes) == set(prompt.classes)


def test_another_kind_of_tokenizer_is_refused():
    other = Tokenizer(models.WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>"))
    with pytest.raises(RecipeError, match="byte-pair"):
        cut(PreTrainedTokenizerFast(tokenizer_object=other, unk_token="<unk>"), [0])
