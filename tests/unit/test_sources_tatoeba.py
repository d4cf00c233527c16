"""Aligned words: which links become rows."""

import pytest

from engine.sense import ask
from trainer.examples import hash_files
from trainer.loading import load_examples
from trainer.recipe import RecipeError, Source
from trainer.sources.align import HEADER, _read_links
from trainer.sources.classes import guess
from trainer.sources.lexicon import Index

LINES = [
    ("The dog sleeps.", "狗在睡觉。"),
    ("I sing a song.", "我唱一首歌。"),
    ("Never give up.", "绝不放弃。"),
    ("Ask Paris.", "问巴黎。"),
    ("A red zebra.", "红斑马。"),
    ("Two zebras.", "两匹斑马。"),
    ("My zebra ran.", "我的斑马跑了。"),
]
LINKS = [
    (0, 1, "dog", "狗", 9),
    (0, 2, "sleeps", "睡觉", 5),  # too few runs
    (0, 2, "sleeps", "在", 9),
    (1, 3, "song", "一首歌", 9),
    (2, 1, "give", "放弃", 9),
    (3, 1, "Paris", "巴黎", 9),
    (4, 1, "red", "红", 9),
    (4, 2, "zebra", "斑马", 9),
    (5, 1, "zebras", "斑马", 9),
    (6, 1, "zebra", "斑马", 9),
]
TEXTS = {
    "index.noun": "dog n 1 0 1 1 00000001\nsong n 1 0 1 1 00000002\nred n 1 0 1 1 00000004\n"
    "zebra n 1 0 1 0 00000003\n",
    "index.verb": "sleep v 1 0 1 1 00000005\ngive v 1 0 1 1 00000006\n",
    "index.adj": "red a 2 0 2 2 00000007\n",
    "cow.tab": "00000001-n\tcmn:lemma\t狗\n00000002-n\tcmn:lemma\t歌\n"
    "00000007-a\tcmn:lemma\t红+的\n00000006-v\tcmn:lemma\t放弃\n",
    "phrases.tsv": "give up\t放弃\t1\n",
}
SOURCE = Source("tatoeba", "pairs.tsv", "tatoeba")


@pytest.fixture
def files(tmp_path):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("\n".join("\t".join(line) for line in LINES) + "\n")
    rows = ["\t".join(map(str, link)) for link in LINKS]
    links = tmp_path / "pairs-links.tsv"
    links.write_text("\n".join([f"{HEADER} {hash_files([pairs])} by hand", *rows]) + "\n")
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text)
    return [pairs, links, *(tmp_path / name for name in TEXTS)]


def test_links_that_hold_become_rows_and_the_others_are_counted(files):
    loaded = load_examples(SOURCE, files, "en-zh")
    rows = {(e.query.target, e.sense.word_class, e.sense.meaning): e for e in loaded.examples}
    assert set(rows) == {
        ("dog", "noun", "狗"),
        ("red", "adjective", "红的"),  # in dictionary form
        ("zebra", "noun", "斑马"),  # in no dictionary, but seen three times
        ("zebras", "noun", "斑马"),
    }
    assert rows["dog", "noun", "狗"].fields == ("class", "meaning"), "WordNet knows one class"
    assert rows["red", "adjective", "红的"].fields == ("meaning",)
    assert all(e.sense.phrase is None for e in loaded.examples)
    assert loaded.refused == {
        "grammar_word": 1,
        "wider_chinese": 1,
        "in_known_phrase": 1,
        "unconfirmed": 1,
    }


def test_links_of_another_file_are_refused(files):
    files[0].write_text("Hello there.\t你好。\n")
    with pytest.raises(RecipeError, match="align again"):
        load_examples(SOURCE, files, "en-zh")
    with pytest.raises(RecipeError, match="links"):
        load_examples(SOURCE, files[:1], "en-zh")


def test_the_aligners_output_is_read(tmp_path):
    (tmp_path / "links").write_text("0-0 2-1\n\n1-3\n")
    assert _read_links(tmp_path / "links") == [{(0, 0), (2, 1)}, set(), {(1, 3)}]


@pytest.mark.parametrize(
    "context, target, word_class",
    [
        ("We sing in the rain.", "rain", "noun"),
        ("It may rain soon.", "rain", "verb"),
        ("Nobody slept.", "slept", "verb"),
        ("Tom sleeps.", "sleeps", "verb"),
        ("The sleeps of cats.", "sleeps", "noun"),
        ("The red car is old.", "red", "adjective"),
        ("We saw Rain there.", "Rain", "proper noun"),
        ("Without the car.", "the", "determiner"),
        ("It is zzz.", "zzz", ""),
    ],
)
def test_a_words_class_is_guessed_from_where_it_stands(tmp_path, context, target, word_class):
    both = "rain {0} 1 0 1 1 00000001\nsleep {0} 1 0 1 1 00000002\n"
    (tmp_path / "index.noun").write_text(both.format("n") + "red n 1 0 1 1 00000003\n")
    (tmp_path / "index.verb").write_text(both.format("v"))
    (tmp_path / "index.adj").write_text("red a 2 0 2 2 00000007\n")
    index = Index(sorted(tmp_path.iterdir()))
    assert guess(index, ask(context, target)) == (word_class, False)
