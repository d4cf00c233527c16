"""WordNet's examples with Chinese Open Wordnet's words, from tiny files in their formats."""

import json
import sys

import pytest

from engine.split import split_of
from trainer.examples import held_out
from trainer.loading import load_examples
from trainer.recipe import RecipeError, Source
from trainer.sources import wordnet
from trainer.sources.lexicon import Index, fixed_entries, read_chinese, read_synsets

FREQUENCY = {"狗": 1e-4, "犬": 1e-5, "踢": 1e-4, "照顾": 1e-4, "昂贵": 1e-5, "线": 1e-4}
HEAD = "  1 the licence stands in lines that begin with blanks\n"
NOUN = (
    HEAD
    + """\
00000011 05 n 02 dog 0 domestic_dog 0 000 | a kind of animal (a "pet"); "the dogs barked all night"
00000012 05 n 01 Paris 0 000 | the capital; "they moved to Paris"; "Paris!"
00000013 05 n 01 straight_line 0 001 @ 00000014 n 0000 | a line; "draw a straight line here"
00000014 05 n 01 line 0 000 | a mark
00000015 05 n 01 axolotl 0 000 | an animal; "an axolotl swam past"
00000016 05 n 01 one 0 000 | the number; "she took one of them"
"""
)
VERB = (
    HEAD
    + """\
00000021 35 v 01 kick 0 000 01 + 08 00 | hit with a foot; "he kicked the ball"; "kick, kick again"
00000022 41 v 01 look_after 0 000 | keep; "she looks well after the cats"; "kicking is bad"
00000023 41 v 01 lose_one's_temper 0 000 | be angry; "he never lost his temper"
"""
)
ADJECTIVE = (
    HEAD
    + """\
00000031 00 s 01 expensive(p) 0 000 | costly; "an expensive dog"
"""
)
INDEX = {
    "index.noun": "dog n 1 0 1 1 00000011\nafter n 1 0 1 0 00000014\n",
    "index.verb": "look v 1 1 @ 1 1 00000021\nkick v 1 0 1 1 00000021\nlose v 1 0 1 0 00000021\n",
    "index.adj": "expensive a 1 0 1 0 00000031\n",
}
CHINESE = """\
# Chinese Open Wordnet
00000011-n\tcmn:lemma\t犬
00000011-n\tcmn:lemma\t狗
00000011-n\tcmn:lemma\t一种有四条腿的动物
00000012-n\tcmn:lemma\t线
00000015-n\tcmn:lemma\t美西螈
00000016-n\tcmn:lemma\t线
00000021-v\tcmn:lemma\t踢
00000022-v\tcmn:lemma\t照顾
00000031-s\tcmn:lemma\t昂贵
00000031-s\tcmn:lemma\t昂贵+的
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(wordnet, "frequency", lambda: lambda word: FREQUENCY.get(word, 0.0))
    monkeypatch.setattr(wordnet, "held_out", lambda sentence: "secret" in sentence)
    texts = {"data.noun": NOUN, "data.verb": VERB, "data.adj": ADJECTIVE, **INDEX}
    texts["cow.tab"] = CHINESE
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return [tmp_path / name for name in texts]


@pytest.fixture
def loaded(files):
    return load_examples(Source("wordnet", "wordnet", "wordnet"), files, "en-zh")


def rows_of(loaded, target):
    return [row for row in loaded.examples if row.query.target == target]


def test_a_word_gives_its_class_and_the_usual_chinese_of_its_sense(loaded):
    (row,) = rows_of(loaded, "dogs")
    assert row.query.context == "the dogs barked all night"
    assert (row.sense.word_class, row.sense.meaning) == ("noun", "狗")
    assert row.sense.phrase is None and row.fields == ("class", "meaning")
    (kicked,) = rows_of(loaded, "kicked")
    assert (kicked.sense.word_class, kicked.sense.meaning) == ("verb", "踢")
    assert [row.sense.meaning for row in rows_of(loaded, "expensive")] == ["昂贵的"]
    assert [row.sense.word_class for row in rows_of(loaded, "Paris")] == ["proper noun"]
    assert [row.fields for row in rows_of(loaded, "one")] == [("meaning",)], "class in doubt"


def test_an_entry_of_several_words_gives_its_members_the_phrase(loaded):
    looks, after = (rows_of(loaded, name)[0] for name in ("looks", "after"))
    assert looks.sense.phrase.members == after.sense.phrase.members == (1, 3), "gap and all"
    assert looks.sense.phrase.meaning == "照顾"
    assert (looks.sense.meaning, looks.fields) == ("踢", ("phrase", "phrase_meaning"))
    (lost,) = rows_of(loaded, "lost")
    assert [lost.query.words[i].text for i in lost.sense.phrase.members] == ["lost", "temper"]
    assert lost.fields == ("phrase",) and lost.sense.meaning == "", "its meaning is unknown"


def test_what_does_not_fit_is_refused_and_counted(loaded):
    assert loaded.refused == {
        "too_short": 1,  # Paris!
        "name_or_free_compound": 1,  # straight line, which is a line
        "no_chinese": 1,  # axolotl: not in common use
        "word_repeated": 1,  # kick, kick again
        "entry_not_in_example": 2,  # the same, and kicking is bad
        "no_class": 1,  # temper
    }


def test_held_out_sentences_are_never_read(files, monkeypatch):
    monkeypatch.setattr(wordnet, "held_out", held_out)
    hidden = [text for i in range(99) if held_out(text := f"he kicked ball number {i}")]
    (verb,) = (file for file in files if file.name == "data.verb")
    verb.write_text(
        "".join(f'{i:08} 35 v 01 kick 0 000 | hit; "{t}"\n' for i, t in enumerate(hidden))
    )
    loaded = load_examples(Source("wordnet", "wordnet", "wordnet"), files, "en-zh")
    assert loaded.refused["held_out"] >= len(hidden) > 0 and not rows_of(loaded, "kicked")


def test_labelled_rows_choose_among_the_chinese_words(files, tmp_path):
    context = next(text for i in range(9) if split_of(text := f"dog {i}") == "train")
    row = {"context": context, "target": "dog", "class": "noun", "zh": "犬"}
    (tmp_path / "gold.jsonl").write_text(json.dumps(row))
    source = Source("wordnet", "wordnet", "wordnet")
    loaded = load_examples(source, [*files, tmp_path / "gold.jsonl"], "en-zh")
    assert [row.sense.meaning for row in rows_of(loaded, "dogs")] == ["犬"]


def test_the_lexicon_reads_the_formats(files):
    synsets = {synset.id: synset for synset in read_synsets(files)}
    assert synsets["00000011-n"].examples == ("the dogs barked all night",)
    assert synsets["00000031-a"].lemmas == ("expensive",), "where it stands is no part of it"
    assert fixed_entries(synsets.values())["00000022-v"] == {"look_after"}
    assert "00000013-n" not in fixed_entries(synsets.values())
    assert Index(files).word_class({"dog"}) == ("noun", True)
    assert Index(files).word_class({"the"}) == ("determiner", False)
    assert Index(files).word_class({"zzz"}) == ("", False)
    assert "美西螈" in read_chinese(files)["00000015-n"]


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "wordfreq", None)
    with pytest.raises(RecipeError, match="pip install"):
        wordnet.frequency()
