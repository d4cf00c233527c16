"""A known phrase named in a question: the longest one, withheld or wrong in a share of rows."""

from engine.phrasebook import Entry, Phrasebook
from engine.sense import Query, ask
from tests.tiny import tiny_prompt
from trainer.hints import book_hint, training_hint

BOOK = Phrasebook(
    [
        Entry(("put", "up"), "张贴"),
        Entry(("put", "up", "with"), "忍受"),
        Entry(("on", "time"), "准时"),
    ]
)
LAST, HINTED = tiny_prompt(), tiny_prompt("hinted")


def test_the_longest_known_phrase_of_the_word_is_named():
    context = "I put it up with him on time"
    assert book_hint(ask(context, "up"), BOOK) == (1, 3, 4)
    assert book_hint(ask(context, "time"), BOOK) == (6, 7)
    assert book_hint(ask(context, "him"), BOOK) == ()


def test_training_withholds_some_and_gives_some_wrong_ones_and_never_changes_its_mind():
    queries = [Query(f"he came on time for the {n}", 3) for n in range(1000)]
    given = [training_hint(query, BOOK) for query in queries]
    assert given == [training_hint(query, BOOK) for query in queries]
    assert 0.25 < given.count(()) / 1000 < 0.35
    wrong = [hint for hint in given if hint and hint != (2, 3)]
    assert 0.02 < len(wrong) / 1000 < 0.07
    assert all(3 in hint and len(hint) == 2 for hint in wrong)


def test_only_the_style_for_it_names_the_phrase():
    query = ask("call Tom back", "back")
    asked = HINTED.parts(query, (0, 2))[1]
    assert HINTED.tokenizer.decode(asked).replace("▁", " ").replace(" ", "") == "back(callback):"
    assert HINTED.parts(query) == LAST.parts(query) == LAST.parts(query, (0, 2))
