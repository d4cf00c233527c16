"""The embedded base's tokenizer with the tokens of the task alone."""

from __future__ import annotations

import json
import shutil

import pytest

from engine.models import embedded_folder, load_tokenizer
from engine.prompt import SensePrompt
from engine.settings import assets
from trainer.distil.vocabulary import as_tokenizer, cut, task_tokens

ROWS = assets() / "datasets" / "en-zh-gold" / "phrasal.jsonl"
ODD = ["Привет 🙂", "naïve café", "ภาษา", "\t\n\n  x", "ｆｕｌｌ", "\u200b", "<bos>", "𝔸"]


@pytest.fixture(scope="module")
def both(models_home, tmp_path_factory):
    """The whole tokenizer, and the smaller one as it comes back from a student's folder."""
    base = embedded_folder(models_home)
    whole = load_tokenizer(str(base))
    contexts = {json.loads(line)["context"] for line in ROWS.read_text("utf-8").splitlines()}
    known = sorted(contexts)
    used = task_tokens(SensePrompt(whole), (), [f" {text}\n" for text in known[:200]])
    smaller = cut(whole, used)
    folder = tmp_path_factory.mktemp("student")
    shutil.copy(base / "config.json", folder)
    as_tokenizer(smaller.text, whole).save_pretrained(folder)
    return whole, load_tokenizer(str(folder)), smaller.kept, known


def tokens(tokenizer, text):
    ids = tokenizer(text, add_special_tokens=False).input_ids
    return ids, tokenizer.convert_ids_to_tokens(ids)


def test_a_tenth_of_the_vocabulary_reads_what_it_was_cut_for_the_same(both):
    whole, small, kept, known = both
    assert len(small) == len(kept) < len(whole) / 10
    for text in known[:200]:
        assert tokens(small, f" {text}\n")[1] == tokens(whole, f" {text}\n")[1]
    assert SensePrompt(small).classes.keys() == SensePrompt(whole).classes.keys()
    assert len(SensePrompt(small).meaning_tokens) == len(SensePrompt(whole).meaning_tokens)
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        assert kept[getattr(small, name)] == getattr(whole, name)


def test_any_other_text_goes_through_and_comes_back(both):
    whole, small, _, known = both
    for text in [*known[200:600], *ODD]:
        ids, _ = tokens(small, text)
        assert small.decode(ids) == whole.decode(tokens(whole, text)[0]), text
