"""Figures of whole sentences: counted by hand, at their limits, and paired."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu

from trainer.evaluation.texts import (
    EMBEDDING,
    TextRow,
    Texts,
    match_vectors,
    rouge_l,
    rouge_n,
    units,
)

PAIRS = (
    ("It rains.", "下雨了。", "下雨了。"),
    ("I like cats.", "我喜欢猫。", "我很喜欢狗。"),
    ("The weather is fine today.", "今天天气很好。", "今天的天气好。"),
    ("He put it off.", "他把它推迟了。", "他推迟了它。"),
)


def summarise_texts(rows, target="zh", vectors=None):
    return Texts([rows], target, vectors).figures(0)


def make_rows(said: list[str] | None = None, over: int = 0) -> list[TextRow]:
    texts = said or [text for _, _, text in PAIRS]
    return [
        TextRow(sentence, reference, text, 5 + over, over, 10.0)
        for (sentence, reference, _), text in zip(PAIRS, texts, strict=True)
    ]


def by_letter(text: str) -> np.ndarray:
    """Each character a direction of its own."""
    vectors = np.zeros((len(text), 0x10000), np.float32)
    vectors[np.arange(len(text)), [ord(c) for c in text]] = 3.0
    return vectors


def test_corpus_scores_are_sacrebleus_own_with_its_signature():
    figures = summarise_texts(make_rows())
    texts, references = [t for *_, t in PAIRS], [[r for _, r, _ in PAIRS]]
    bleu = sacrebleu.BLEU(tokenize="zh").corpus_score(texts, references).score
    chrf = sacrebleu.CHRF(word_order=2).corpus_score(texts, references).score
    ter = sacrebleu.TER(normalized=True, asian_support=True).corpus_score(texts, references).score
    for name, value in (("bleu", bleu), ("chrf", chrf), ("ter", ter)):
        assert figures[name]["value"] == pytest.approx(value, abs=1e-3)
        assert figures[name]["interval"][0] <= value <= figures[name]["interval"][1]
    assert "tok:zh" in figures["bleu"]["signature"] and "asian:yes" in figures["ter"]["signature"]
    assert "nw:2" in figures["chrf"]["signature"]
    assert all(one["n"] == 4 for one in figures.values())


def test_other_languages_get_their_tokenizer():
    rows = [TextRow("Es regnet.", "It rains.", "It rains, I think.")]
    assert "tok:13a" in summarise_texts(rows, "en")["bleu"]["signature"]
    assert "asian:no" in summarise_texts(rows, "en")["ter"]["signature"]
    assert "tok:char" in summarise_texts(rows, "ja")["bleu"]["signature"]


def test_equal_texts_score_the_most_and_empty_ones_nothing():
    equal = summarise_texts(make_rows([r for _, r, _ in PAIRS]), vectors=by_letter)
    empty = summarise_texts(make_rows([""] * 4), vectors=by_letter)
    most = {"bleu": 100, "chrf": 100, "ter": 0, "rouge_1": 1, "rouge_2": 1, "rouge_l": 1}
    for name, value in (most | {EMBEDDING: 1}).items():
        assert equal[name]["value"] == pytest.approx(value, abs=1e-3)
        assert equal[name]["interval"] == [pytest.approx(value, abs=1e-3)] * 2
        assert empty[name]["value"] == (100 if name == "ter" else 0)


def test_units_are_characters_where_no_spaces_are():
    assert units("我用 iPhone 15，很好！") == ["我", "用", "iphone", "15", "很", "好"]
    assert units("Don't call back.") == ["don", "t", "call", "back"]
    assert units("カタカナ、ひら") == list("カタカナひら") and units("…!?") == []


def test_rouge_by_hand():
    text, reference = list("我很喜欢狗"), list("我喜欢猫")
    assert rouge_n(text, reference, 1) == pytest.approx(2 * 3 / (5 + 4))
    assert rouge_n(text, reference, 2) == pytest.approx(2 * 1 / (4 + 3))
    assert rouge_l(text, reference) == pytest.approx(2 * 3 / (5 + 4))
    assert rouge_l(list("abc"), list("cba")) == pytest.approx(2 / 6)
    assert rouge_n(list("aaa"), list("a"), 1) == pytest.approx(2 / 4)
    assert rouge_l([], list("a")) == rouge_n([], list("a"), 1) == 0.0


def test_a_reference_of_one_unit_has_no_pair_to_share():
    figures = summarise_texts([TextRow("Good.", "好。", "好。"), TextRow("Yes.", "是的。", "是。")])
    assert (figures["rouge_1"]["n"], figures["rouge_2"]["n"]) == (2, 1)
    assert "rouge_2" not in summarise_texts([TextRow("Good.", "好。", "好。")])


def test_greedy_matching_by_hand():
    text = np.array([[1.0, 0.0], [0.6, 0.8]])
    reference = np.array([[0.0, 1.0]])
    precision, recall = (0.0 + 0.8) / 2, 0.8
    wanted = 2 * precision * recall / (precision + recall)
    assert match_vectors(text, reference) == pytest.approx(wanted)
    assert match_vectors(text, text) == pytest.approx(1)
    assert match_vectors(text, np.zeros((0, 2))) == 0.0 == match_vectors(text, -text[:1])


def test_what_is_written_after_the_answer_is_counted():
    rows = make_rows(over=40)
    rows[0] = TextRow(*PAIRS[0][:2], "我们今天去公园散步吧，" * 4, 60, 55)
    figures = summarise_texts(rows)
    assert figures["tokens_after_answer"]["value"] == (3 * 40 + 55) / 4
    assert figures["repeats"]["value"] == 0.25


def test_differences_are_paired_and_sentences_drawn_whole():
    rows = make_rows() * 3
    both = Texts([rows, rows, make_rows([""] * 4) * 3])
    assert both.differences(0, 1)["bleu"] == {"value": 0.0, "interval": [0.0, 0.0]}
    worse = both.differences(0, 2)
    assert worse["rouge_1"]["interval"][1] < 0 < worse["ter"]["interval"][0]
    once, thrice = summarise_texts(make_rows()), both.figures(0)
    assert thrice["chrf"]["interval"] == once["chrf"]["interval"]  # three rows of one sentence
    assert thrice["chrf"]["n"] == 12


def test_rows_of_other_sentences_are_not_compared():
    with pytest.raises(ValueError):
        Texts([make_rows(), make_rows()[::-1]])
    with pytest.raises(ValueError):
        summarise_texts([])
