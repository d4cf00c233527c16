"""Sentences of which every word is labelled: whose phrases are kept."""

import json

import pytest

from trainer.loading import load_examples
from trainer.recipe import Source

KEYS = ("context", "target", "class", "zh", "phrase")


def write(file, *rows):
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(json.dumps({**dict(zip(KEYS, row)), "idx": 1}) for row in rows))
    return file


@pytest.fixture
def load(tmp_path):
    gold = write(
        tmp_path / "gold" / "gold.jsonl",
        ("Call Ann back.", "back", "adverb", "回", "Call back|回电话"),
    )
    (tmp_path / "phrases.tsv").write_text("dozens of\t几十个\n")

    def read(*rows):
        own = write(tmp_path / "own" / "rows.jsonl", *rows)
        files = [own, gold, tmp_path / "phrases.tsv"]
        return load_examples(Source("sentences", "own", "sentences"), files, "en-zh").examples

    return read


def test_a_phrase_of_a_reference_is_kept(load):
    call, dozens = load(
        ("She called me back.", "called", "verb", "打电话", "called back|回电话"),
        ("Dozens of cars left.", "Dozens", "noun", "几十", "Dozens of|几十个"),
    )
    assert call.sense.phrase.members == (1, 3) and "phrase_meaning" in call.fields
    assert dozens.sense.phrase.members == (0, 1)


def test_of_any_other_phrase_nothing_is_said(load):
    (row,) = load(("A series of cars left.", "series", "noun", "系列", "series of|一系列"))
    assert row.sense.phrase is None and row.fields == ("class", "meaning")


def test_no_phrase_is_believed_and_the_references_are_no_rows(load):
    (row,) = load(("The cars left.", "cars", "noun", "汽车", ""))
    assert "phrase" in row.fields and row.query.context == "The cars left."
