"""STREUSLE's multiword expressions as phrases of this project's words."""

import json

import pytest

from trainer.examples import held_out
from trainer.loading import load_examples
from trainer.recipe import Source

LOST = [
    *(("I", "PRON"), ("do", "AUX"), ("n't", "PART"), ("look", "VERB"), ("the", "DET")),
    *(("number", "NOUN"), ("up", "ADP"), ("at", "ADP"), ("least", "ADJ"), (".", "PUNCT")),
]


def sentence(tokens, text, strong=(), weak=()):
    toks = [
        {"#": n, "word": word, "upos": upos, "feats": None,
         "deprel": "compound:prt" if word == "up" else "dep"}
        for n, (word, upos) in enumerate(tokens, 1)
    ]  # fmt: skip
    marked = [
        {str(n): {"toknums": numbers} for n, numbers in enumerate(group, 1)}
        for group in (strong, weak)
    ]
    return {"text": text, "toks": toks, "smwes": marked[0], "wmwes": marked[1]}


@pytest.fixture
def load(tmp_path):
    def read(*sentences):
        (tmp_path / "dev.json").write_text(json.dumps(sentences))
        source = Source("streusle", "dev.json", "streusle")
        return load_examples(source, [tmp_path / "dev.json"], "en-zh")

    return read


def test_members_have_their_phrase_and_others_none(load):
    text = "I don't look the number up at least."
    loaded = load(sentence(LOST, text, strong=[[4, 7]], weak=[[8, 9]]))
    rows = {row.query.target: row for row in loaded.examples}
    assert rows["look"].sense.phrase.members == rows["up"].sense.phrase.members == (2, 5)
    assert rows["up"].sense.word_class == "particle"
    assert rows["number"].sense.phrase is None, "a gap word is no member"
    assert not {"at", "least", "don't"} & set(rows), "in doubt, or two words in one"
    assert all(row.fields == ("class", "phrase") for row in loaded.examples)
    assert not any(row.sense.meaning for row in loaded.examples)


def test_expressions_of_one_word_here_are_refused(load):
    tokens = [("Mass", "NOUN"), ("-", "PUNCT"), ("market", "NOUN"), ("food", "NOUN")]
    loaded = load(sentence(tokens, "Mass-market food", strong=[[1, 2, 3]]))
    assert loaded.refused == {"expression_of_one_word": 1}
    assert [row.query.target for row in loaded.examples] == ["food"]


def test_text_that_is_held_out_or_not_the_tokens_is_refused(load):
    text = next(t for i in range(99) if held_out(t := f"food {i}"))
    loaded = load(
        sentence([("food", "NOUN")], text), sentence([("drink", "NOUN")], "nothing of the kind")
    )
    assert loaded.refused == {"held_out": 1, "tokens_not_in_text": 1} and not loaded.examples
