"""Whole sentences on a tiny model: prompts by style, writing that streams and stops, a batch that
is measured."""

import pytest
import torch

from engine.greedy import grow
from engine.sense import QueryError
from engine.translation import (
    LANGUAGES,
    STYLES,
    TranslationPrompt,
    Writing,
    translate_all,
    write,
)
from tests.tiny import tiny_model, tiny_tokenizer


class Bytes:
    """A tokenizer of bytes: 0 begins a text, 1 ends it."""

    bos_token_id, eos_token_id = 0, 1

    def __call__(self, text, add_special_tokens=True):
        ids = [byte + 2 for byte in text.encode()]
        return type("Ids", (), {"input_ids": [0, *ids] if add_special_tokens else ids})

    def decode(self, ids, skip_special_tokens=True):
        return bytes(i - 2 for i in ids if i > 1).decode(errors="replace")


class Typist(torch.nn.Module):
    """A model that writes a text behind whatever prompt, and its last token for ever."""

    def __init__(self, text, last=1):
        super().__init__()
        self.text = [*(byte + 2 for byte in text.encode()), last]
        self.head = torch.nn.Linear(4, 258, bias=False)
        self.config = tiny_model(8).config
        self.at = 0

    def get_decoder(self):
        return self.body

    def get_output_embeddings(self):
        return lambda hidden: torch.nn.functional.one_hot(hidden.long()[:, 0], 258)

    def body(self, input_ids, past_key_values, **_):
        token = self.text[min(self.at, len(self.text) - 1)]
        self.at += 1
        hidden = torch.full((len(input_ids), 1, 4), float(token))
        return type("Out", (), {"last_hidden_state": hidden})


def typed(monkeypatch, text, last=1):
    model = Typist(text, last)
    head = model.get_output_embeddings()
    head.weight = torch.zeros(1)
    monkeypatch.setattr(model, "get_output_embeddings", lambda: head)
    return model


def test_prompts_are_those_that_the_styles_name():
    prompt = TranslationPrompt(Bytes(), "short")
    asked = Bytes().decode(prompt.parts("He is\n here.", "en-zh"))
    assert asked == "Translate this from English to Chinese:\nEnglish: He is here.\nChinese:"
    asked = Bytes().decode(TranslationPrompt(Bytes(), "long").parts("He is here.", "en-es"))
    opening = "Translate the following text from English to Spanish:"
    assert asked == f"{opening}\nEnglish: He is here.\nSpanish:"
    assert prompt.parts("Hallo.", "de-en")[0] == Bytes.bos_token_id
    assert prompt.answer(" Hello. ") == (*Bytes()(" Hello.", False).input_ids, 1)


@pytest.mark.parametrize(
    "pair", ["en-en", "en", "", "en-xx", "xx-en", "english-chinese", "en-zh-es"]
)
def test_a_pair_that_is_not_known_is_refused(pair):
    with pytest.raises(QueryError) as refused:
        TranslationPrompt(Bytes()).parts("Hello.", pair)
    assert refused.value.code == "unknown_pair"


def test_a_style_that_is_not_known_and_a_tokenizer_without_an_end_are_refused():
    with pytest.raises(ValueError, match="style"):
        TranslationPrompt(Bytes(), "last")
    with pytest.raises(ValueError, match="ends"):
        TranslationPrompt(tiny_tokenizer())
    assert set(STYLES) == {"short", "long"} and {"en", "zh", "es", "de", "hi", "ta"} < {*LANGUAGES}


@pytest.mark.parametrize("text", ["他在这里。", "Está aquí.", "அவன் யார்?", "क्या?", "𠮷𧉃", "a b"])
def test_a_text_grows_and_no_character_of_it_is_ever_torn(monkeypatch, text):
    seen = list(
        write(typed(monkeypatch, f" {text}"), TranslationPrompt(Bytes()), "x" * 40, "en-zh")
    )
    assert seen[-1] == text
    assert all(text.startswith(one) for one in seen) and sorted(seen, key=len) == seen
    assert len(set(seen)) == len(seen)


def test_writing_stops_at_the_end_of_the_line_of_the_text_and_at_the_most(monkeypatch):
    prompt = TranslationPrompt(Bytes())
    assert [*write(typed(monkeypatch, " Da.\nEnglish: Go"), prompt, "x", "en-de")][-1] == "Da."
    assert [*write(typed(monkeypatch, "\n\n Da."), prompt, "x", "en-de")][-1] == "Da."
    assert [*write(typed(monkeypatch, " abc", 70), prompt, "x", "en-de", most=3)] == ["a", "ab"]
    assert not list(write(typed(monkeypatch, ""), prompt, "x", "en-de"))


def test_a_writing_says_whether_it_came_to_its_end(monkeypatch):
    prompt = TranslationPrompt(Bytes())
    for text, most, ended in ((" ab", 9, True), (" ab", 2, False), (" ab\n", 9, True)):
        writing = Writing(typed(monkeypatch, text), prompt, "x", "en-de", most)
        while writing.step():
            pass
        assert writing.ended is ended


def test_what_is_written_behind_the_end_is_counted(monkeypatch):
    prompt = TranslationPrompt(Bytes())

    def one(text, last=1):
        return translate_all(typed(monkeypatch, text, last), prompt, ["x" * 9], "en-de")[0]

    good = one(" Da.")
    assert (good.text, good.tokens, good.ended, good.over, good.stopped) == (
        "Da.",
        4,
        True,
        0,
        True,
    )
    more = one(" Da.\nEnglish")
    assert (more.text, more.tokens, more.ended, more.over) == ("Da.", 4, True, 8)
    assert not more.stopped
    on = one(" Da", last=70)  # a loop without an end
    assert (on.ended, on.over, on.stopped, on.tokens) == (False, 0, False, prompt.room("x" * 9))


def test_rows_of_a_batch_are_what_each_is_alone():
    tokenizer = tiny_tokenizer()
    model = tiny_model(len(tokenizer), seed=3)
    prompts = [[5, 6, 7, 8, 9], [10, 11], [12, 13, 14]]
    ends = {4: 3, 0: 5}

    def is_over(row, tokens):
        return len(tokens) >= ends.get(row, 12)

    alone = [grow(model, [one], lambda _, tokens: False, 12)[0] for one in prompts]
    together = grow(model, prompts, is_over, 12)
    assert [one[: len(two)] for one, two in zip(alone, together)] == together
    assert list(map(len, together)) == [5, 12, 12]
    narrow = grow(model, prompts, lambda row, tokens: row != 1 and len(tokens) > 2, 12)
    assert list(map(len, narrow)) == [3, 12, 3] and narrow[1] == alone[1]
