"""Every word of any context is asked for exactly once, in a view of bounded size."""

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sense import clean_context, context_words
from engine.views import views

PIECES = st.sampled_from(["word", "a", "x" * 300, ",", "!", "他" * 50, "it's", "…", "one-two"])


@given(st.lists(PIECES, max_size=150))
@settings(max_examples=60, deadline=None)
def test_each_word_is_asked_for_once(pieces):
    context = clean_context(" ".join(pieces))
    cut = views(context, "en-zh")
    asked = [i for view in cut for i in view.asked]
    words = context_words(context)
    assert asked == list(range(len(words)))
    for view in cut:
        assert all(view.text[w.start : w.end] == w.text for w in view.words)
        for i in view.asked:
            assert words[i].text.startswith(view.words[i - view.offset].text)
        assert len(view.text) < 10_000


def test_a_usual_sentence_is_one_view_of_all_of_it():
    context = "“Well,” he said, “I'll call Tom back tomorrow!”"
    (view,) = views(context, "en-zh")
    assert view.text == context and view.offset == 0 and len(view.asked) == 8


def test_a_long_sentence_is_cut_behind_a_clause_with_words_seen_around():
    context = " ".join(["word"] * 30 + ["here,"] + ["word"] * 60)
    first, second, *_ = views(context, "en-zh")
    assert first.asked.stop == 31 and second.asked.start == 31
    assert len(first.words) > 31 and second.offset < 31
