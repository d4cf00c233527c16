"""The stages of the corpus pipeline: each drops what it is there for and keeps plain sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny import tiny_tokenizer
from trainer.fields import RecipeError
from trainer.scratch.corpus.languages import identifying
from trainer.scratch.corpus.parallel import comparing, usual_ratio
from trainer.scratch.corpus.recipe import CorpusRecipe, parse_corpus, plain
from trainer.scratch.corpus.repair import BROKEN, EMPTY, UNASSIGNED, repairing
from trainer.scratch.corpus.rules import find_pattern
from trainer.scratch.corpus.shape import (
    counting_repeats,
    counting_stop_words,
    measuring_length,
    measuring_size,
    weighing_signs,
    words_of,
)
from trainer.scratch.corpus.stages import Dropped, Look, on_sides, put_through
from trainer.scratch.corpus.tally import Tally, read_tally
from trainer.scratch.corpus.tokens import counting_tokens, load_tokenizer

RECIPE = CorpusRecipe()
PLAIN = {
    "de": "Zwei junge Männer sitzen am Ufer und warten auf das nächste Boot.",
    "en": "She couldn’t find the 12 keys – so we waited outside (in the rain).",
    "es": "¿Cuándo llega el tren que sale de la estación por la mañana?",
    "hi": "आज शाम को हम सब मिलकर बाज़ार जाएँगे और सब्ज़ियाँ खरीदेंगे।",
    "zh": "今天晚上我们一起去菜市场买菜，然后回家做饭。",
}


def looks(language: str) -> list[Look]:
    return [
        repairing(language),
        find_pattern,
        measuring_length(RECIPE, language),
        weighing_signs(RECIPE),
        counting_repeats(RECIPE, language),
        counting_stop_words(RECIPE, language),
        identifying(language),
        measuring_size(RECIPE),
    ]


@pytest.mark.parametrize("language", PLAIN)
def test_a_plain_sentence_comes_through_as_it_is(language: str) -> None:
    stages = [on_sides(str(n), "", [look]) for n, look in enumerate(looks(language))]
    assert put_through(stages, (PLAIN[language],)) == ((PLAIN[language],), None, None)


@pytest.mark.parametrize(
    "raw, mended",
    [
        ("Die MÃ¤nner gehen.", "Die Männer gehen."),
        ("a\u00a0b\u200b \tc\u00ad", "a b c"),
        ("Cafe\u0301", "Café"),
        ("R&amp;amp;D", "R&D"),
        ("“So”, he said", "“So”, he said"),
        ("\ufb01nal", "final"),
        ("\ufeffStart", "Start"),
    ],
)
def test_what_is_broken_is_mended(raw: str, mended: str) -> None:
    assert repairing("de")(raw) == mended


def test_marks_as_wide_as_characters_stay_where_they_belong() -> None:
    assert repairing("zh")("你好，世界！") == "你好，世界！"
    assert repairing("en")("Ｈｅｌｌｏ") == "Hello"


@pytest.mark.parametrize(
    "raw, dropped", [(" \u200b ", EMPTY), ("ab\ufffdc", BROKEN), ("a\ue000b", UNASSIGNED)]
)
def test_what_cannot_be_mended_is_dropped(raw: str, dropped: Dropped) -> None:
    assert repairing("de")(raw) == dropped


@given(st.text(max_size=60), st.sampled_from(["de", "zh", "hi"]))
def test_mending_twice_changes_nothing(text: str, language: str) -> None:
    look = repairing(language)
    once = look(text)
    if isinstance(once, str):
        assert look(once) == once and once == " ".join(once.split())


@pytest.mark.parametrize(
    "text, rule",
    [
        ("Mehr dazu auf https://example.org im Netz.", "an address"),
        ("Schreib an anna@example.org bitte.", "an address"),
        ("Das ist <b>fett</b> gedruckt.", "markup"),
        ("for (i = 0; i < n; i++) { sum += i; }", "code"),
        ("© 2020 Alle Rechte vorbehalten", "a page's notice"),
        ("Kapitel 1 ......... 12", "a ruled line"),
        ("Liegt unter C:\\Users\\anna bereit", "a path"),
    ],
)
def test_a_pattern_of_no_sentence_is_found(text: str, rule: str) -> None:
    assert find_pattern(text) == Dropped(rule)


@pytest.mark.parametrize(
    "number, text, rule",
    [
        (2, "Zwei Worte", "too few words"),
        (2, "wort " * 201, "too many words"),
        (7, "x" * 1001, "too many characters"),
        (2, f"Das ist {'x' * 41} hier", "a word too long to be one"),
        (3, "Er ★ kam ★ sah ★ siegte ★", "too many symbols"),
        (3, "Tel 030 123 456 78", "too many digits"),
        (3, "a . b , c ! d ? - ( )", "too few letters"),
        (3, "ALLES IN GROSSEN BUCHSTABEN", "capitals throughout"),
        (4, "Neeeeeeeein das geht so nicht", "one character again and again"),
        (4, "ja ja ja ja nein ja ja ja ja", "one word again and again"),
        (4, "er kam an und er kam an und er kam an und er kam", "the same words again and again"),
        (5, "Anna Berta Carla Dora Emil Frida Gustav Heinrich Ida", "too few usual words"),
        (6, PLAIN["en"], "in en, not de"),
    ],
)
def test_each_figure_has_its_bound(number: int, text: str, rule: str) -> None:
    assert looks("de")[number](text) == Dropped(rule)


def test_a_language_without_a_list_of_stop_words_drops_nothing_for_it() -> None:
    assert counting_stop_words(RECIPE, "ta")("a b c d e f g h i") == "a b c d e f g h i"


def test_characters_count_where_words_are_not_parted() -> None:
    assert len(words_of("我们去 Berlin 玩", "zh")) == 5
    assert words_of("Don’t stop, été", "en") == ["don’t", "stop", "été"]


def test_tokens_are_counted_by_the_given_tokenizer(tmp_path) -> None:
    tiny_tokenizer().backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    tokenizer = load_tokenizer(str(tmp_path))
    text = "call the dog"
    count = len(tokenizer.encode(text, add_special_tokens=False))
    fits = CorpusRecipe(tokens=count / len(text), most_tokens=count)
    assert counting_tokens(fits, tokenizer)(text) == text
    few = CorpusRecipe(most_tokens=count - 1)
    assert counting_tokens(few, tokenizer)(text) == Dropped("too many tokens")
    dense = CorpusRecipe(tokens=(count - 0.5) / len(text))
    assert counting_tokens(dense, tokenizer)(text) == Dropped("too many tokens for its characters")
    with pytest.raises(RecipeError, match="tokenizer"):
        load_tokenizer(str(tmp_path / "nothing"))


PAIR = ("Der Hund läuft über die grüne Wiese.", "The dog runs across the green meadow.")


@pytest.mark.parametrize(
    "row, rule",
    [
        (PAIR, None),
        (("Anna Berta", "Anna Berta"), "both sides are the same"),
        ((PAIR[0], "Der Hund läuft über green meadow."), "too many words on both sides"),
        ((PAIR[0], PAIR[1] * 3), "the translation is too long"),
        ((PAIR[0] * 3, PAIR[1]), "the translation is too short"),
        (("Es waren 1.000 Leute da.", "There were 2,000 people."), "other numbers"),
        (("Es waren 1.000 Leute da.", "There were 1,000 people."), None),
        (("Er kam um 10 Uhr 30 an.", "He came at 10:30 there."), None),
        (("Es waren zwölf Leute da.", "There were 12 people there."), None),
        (("Kommst du heute?", "You come today."), "one side only is a question"),
        (("Kommst du heute?", "Are you coming today?”"), None),
    ],
)
def test_what_belongs_together_stays_together(row: tuple[str, str], rule: str | None) -> None:
    stages = comparing(CorpusRecipe(languages="de-en"), usual_ratio([PAIR]))
    found, _, dropped = put_through(stages, row)
    assert found == row and dropped == (Dropped(rule) if rule else None)


@pytest.mark.parametrize(
    "data",
    [
        {"languages": "de-de"}, {"languages": "German"}, {"languages": "a-b-c"}, {"name": "../x"},
        {"fewest_words": 9, "most_words": 8}, {"symbols": 1.5}, {"similar": 0.1}, {"no": 1},
        {"columns": ["a"], "languages": "de-en"}, {"sources": "a.txt"}, {"shard_rows": 0},
        {"index_mb": True}, {"ratio": 0.5},
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_is_refused(data) -> None:
    with pytest.raises(RecipeError):
        parse_corpus(data)


def test_a_recipe_comes_back_from_json_equal() -> None:
    recipe = CorpusRecipe(languages="de-en", sources=("a", "b"), columns=("x", "y"), ratio=3.0)
    assert parse_corpus(plain(recipe)) == recipe


@given(st.lists(st.text("abc", min_size=1, max_size=4), max_size=40), st.integers(0, 40))
def test_tallies_of_parts_add_up_to_that_of_the_whole(texts: list[str], cut: int) -> None:
    def tally(some: list[str]) -> Tally:
        found = Tally(rows=len(some), kept=1)
        for text in some:
            found.drop("stage", f"rule {len(text)}", text)
        return read_tally(found.plain())

    both, whole = tally(texts[:cut]), tally(texts)
    both.merge(tally(texts[cut:]))
    assert both.dropped == whole.dropped and both.rows == whole.rows == len(texts)
    assert whole.dropped_by("stage") == len(texts)
