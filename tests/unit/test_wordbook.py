"""Known meanings count for more, by class; the model may still say another."""

import math

import pytest
import torch

from engine.branches import Runner, begin
from engine.meanings import MeaningWriter, Request
from engine.sense import Sense, ask
from engine.wordbook import LISTED, SEEN, Wordbook, read_wordbook, shipped_wordbook
from tests.tiny import tiny_model, tiny_prompt
from trainer.examples import Example
from trainer.wordbook import make_lines, write_wordbook

BOOK = Wordbook(
    ["fig\t无花果", "see\t看 verb=3\t见", "saw\t锯 noun=1\t看", "rose\t玫瑰\t罗斯 proper_noun=2"]
)
PROMPT = tiny_prompt()


@pytest.mark.parametrize(
    "word, word_class, known",
    [
        ("figs", "noun", {"无花果": LISTED}),
        ("Saw", "verb", {"看": LISTED + SEEN * math.log(4), "见": LISTED, "锯": LISTED}),
        ("sees", "noun", {"看": LISTED, "见": LISTED}),
        ("Rose", "proper noun", {"罗斯": LISTED + SEEN * math.log(3)}),
        ("roses", "noun", {"玫瑰": LISTED, "罗斯": LISTED}),
        ("unknown", "noun", {}),
    ],
)
def test_meanings_are_found_by_lemma_and_worth_more_in_their_class(word, word_class, known):
    assert BOOK.find(word, word_class) == pytest.approx(known)


def test_the_shipped_book_knows_what_the_base_does_not():
    book = shipped_wordbook()
    assert len(book) > 25_000 and len(book.version) == 8
    assert "无花果" in book.find("figs", "noun")


@pytest.fixture(scope="module")
def write():
    runner = Runner(tiny_model(len(PROMPT.tokenizer)))
    writer = MeaningWriter(runner, PROMPT)

    @torch.inference_mode()
    def written(**known):
        asked = (*PROMPT.ids(" dog:"), PROMPT.bar)
        requests = [Request(PROMPT.end, known=worths) for worths in (known, {})]

        def task():
            _, branches, hidden = yield from begin(PROMPT.prefix("the dog"), [asked, asked])
            return (yield from writer.write(branches, hidden, requests, 8, 2))

        return runner.run(task())

    return written


@pytest.mark.parametrize("meaning", ["狗", "打回电话", "睡觉", "在上"])
def test_a_known_meaning_wins_if_it_is_worth_enough(write, meaning):
    (best, *_), _ = write(**{meaning: 100.0})
    assert best.text == meaning
    assert 0 <= best.probability <= 1


def test_a_known_meaning_of_no_worth_changes_nothing_and_rows_do_not_mix(write):
    (plain, alone), (_, beside) = write(), write(狗=100.0)
    worthless, _ = write(狗=0.0, 睡觉=0.0)
    for other in (alone, beside, worthless):
        assert [way.text for way in other] == [way.text for way in plain]
        assert [w.score for w in other] == pytest.approx([w.score for w in plain], abs=1e-4)


def test_of_two_known_ones_that_begin_alike_the_model_chooses(write):
    (best, *_), _ = write(打回=100.0, 打人=100.0)
    assert best.text in ("打回", "打人")
    (best, *_), _ = write(打=100.0, 打人=200.0)
    assert best.text == "打人"


def test_what_no_token_spells_is_passed_over(write):
    first, second = write(鑫=100.0)
    assert [way.text for way in first] == [way.text for way in second]


def test_the_book_is_made_of_rows_and_dictionaries(tmp_path):
    rows = [
        gold("two figs", "figs", "noun", "无花果"),
        gold("a blue sea", "blue", "adjective", "蓝色的"),
        gold("the blue sea", "blue", "adjective", "蓝色"),
        gold("in the blue", "blue", "noun", "蓝色"),
        gold("his blue bus", "bus", "noun", "大轿车", fields=("class",)),
    ]
    listed = [
        ("fig", "无花果"),
        ("blue", "忧郁"),
        ("blue", "x"),
        ("blue", "蓝"),
        ("bus", "罕"),
        ("a", "安培"),
    ]
    frequency = {"忧郁": 0.1, "蓝": 0.2, "无花果": 0.1, "x": 1.0}
    lines = list(make_lines(rows, listed, lambda word: frequency.get(word, 0.0)))
    tally = "adjective=2 noun=1"
    articles, lines = lines[:3], lines[3:]
    assert articles[2] == "the\t这 determiner=50"
    assert lines == [f"blue\t蓝色 {tally}\t蓝色的 {tally}\t蓝\t忧郁", "fig\t无花果 noun=1 listed"]
    assert write_wordbook(lines, tmp_path / "book.gz") == 2
    book = read_wordbook(tmp_path / "book.gz")
    assert book.find("Fig", "noun") == pytest.approx({"无花果": LISTED + SEEN * math.log(2)})
    assert book.entries("fig")["无花果"].listed and book.entries("blue")["忧郁"].listed
    assert not book.entries("blue")["蓝色"].listed


def gold(context, target, word_class, meaning, **more):
    sense = Sense(word_class, meaning)
    return Example(ask(context, target), sense, "gold", **more)
