"""Teacher rows: what is trusted, what is masked, what is refused."""

import json

import pytest

from trainer.loading import load_examples
from trainer.recipe import Source
from trainer.sources.phrases import Finder, phrase_key

GOLD = [
    ("I'll call Tom back.", "call", "verb", "打电话", "call back|回电话"),
    ("The back of the house is dark.", "back", "noun", "背面", ""),
    ("We met at the end of the day.", "end", "noun", "结束", ""),
    ("She made up her mind.", "made", "verb", "做", "made up mind|下决心"),
]
DATA = """\
00000001 06 n 01 dead_end 0 000 | a street that leads nowhere
00000002 06 n 01 straight_line 0 001 @ 00000003 n 0000 | a line that does not bend
00000003 06 n 01 line 0 000 | a mark
"""


def wire(context, target, word_class, zh, phrase="", idx=1):
    answer = {"class": word_class, "zh": zh, "phrase": phrase}
    question = {"context": context, "target": target, "idx": idx}
    return json.dumps({"prompt": json.dumps(question), "response": json.dumps(answer)})


@pytest.fixture
def load(tmp_path):
    keys = ("context", "target", "class", "zh", "phrase")
    rows = [{**dict(zip(keys, row)), "idx": 1} for row in GOLD]
    (tmp_path / "gold.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "phrases.tsv").write_text("give up\t放弃\t1\n")
    (tmp_path / "data.noun").write_text(DATA)

    def read(*lines):
        (tmp_path / "teacher.jsonl").write_text("\n".join(lines))
        names = ("teacher.jsonl", "gold.jsonl", "phrases.tsv", "data.noun")
        source = Source("teacher", "teacher.jsonl", "teacher", weight=0.5)
        return load_examples(source, [tmp_path / name for name in names], "en-zh")

    return read


def test_rows_that_do_not_fit_are_refused_and_counted(load):
    loaded = load(
        wire("He ran.", "walk", "verb", "走"),
        wire("He ran home.", "ran", "verb", "跑", idx=2),
        wire("He outran me.", "ran", "verb", "跑"),
        wire("He ran.", "ran", "doing word", "跑"),
        "{",
        wire("He ran.", "ran", "VBD", "跑"),
        wire("He ran.", "ran", "verb", "跑步"),
    )
    assert loaded.refused == {
        "target_not_found": 1, "idx_out_of_range": 1, "target_inside_word": 1,
        "unknown_class": 1, "malformed": 1, "repeated": 1,
    }  # fmt: skip
    (row,) = loaded.examples
    assert (row.sense.word_class, row.weight) == ("verb", 0.5)
    assert row.fields == ("class", "phrase", "meaning")


def test_a_phrase_is_kept_where_labels_or_wordnet_have_it(load):
    call, end = load(
        wire("Call Ann back now.", "back", "adverb", "回", "call back|回电话"),
        wire("It's a dead end.", "dead", "adjective", "死的", "a dead end|死胡同"),
    ).examples
    assert call.sense.phrase.members == (0, 2)
    assert call.fields == ("class", "phrase", "meaning", "phrase_meaning")
    assert end.sense.phrase.members == (2, 3), "a leading article is left out"


@pytest.mark.parametrize("phrase", ["red shoes|红鞋", "straight line|直线", "shoes red|红鞋"])
def test_other_phrases_are_unknown_and_dropped(load, phrase):
    context = "Her red shoes drew a straight line."
    target = phrase.split()[0]
    (row,) = load(wire(context, target, "adjective", "某的", phrase)).examples
    assert row.sense.phrase is None and row.fields == ("class", "meaning")


def test_no_phrase_is_known_unless_a_labelled_phrase_stands_there(load):
    plain, doubtful = load(
        wire("We give books.", "give", "verb", "给"),
        wire("Never give it up.", "give", "verb", "给"),
    ).examples
    assert "phrase" in plain.fields and "phrase" not in doubtful.fields


def test_a_meaning_that_repeats_the_phrases_is_masked(load):
    kept, stopped, bare = load(
        wire("Call Ann back now.", "back", "noun", "回电话", "call back|回电话"),
        wire("It's a dead end.", "dead", "adjective", "死胡同", "dead end|死胡同"),
        wire("The red shoes hurt.", "red", "adjective", "红鞋", "red shoes|红鞋"),
    ).examples
    assert kept.sense.meaning == "背面", "another row's meaning stands in its place"
    assert kept.fields == ("class", "phrase", "phrase_meaning")
    assert stopped.sense.meaning == "" and stopped.fields == ("class", "phrase")
    assert bare.sense.meaning == "" and bare.fields == ("class",)


def test_lists_and_gaps_are_no_meanings(load):
    rows = load(
        wire("He is ill.", "ill", "adjective", "生病的；恶心的"),
        wire("It is round here.", "round", "preposition", "在...周围"),
    ).examples
    assert all("meaning" not in row.fields and not row.sense.meaning for row in rows)


def key(text):
    return phrase_key(text.split())


def test_phrases_are_compared_by_lemma_without_articles_and_slots():
    assert key("made up her mind") == key("makes up mind")
    assert key("the last straw") == key("last straw")
    assert len(key("a few")) == 2


def test_phrases_are_found_with_gaps_in_order():
    def found(text):
        return Finder([key("give up")]).members(text.split())

    assert found("She gave the old house up today") == {1, 5}
    assert found("Up she gave it") == frozenset()
