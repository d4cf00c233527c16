"""Votes become phrases that all members share; only phrases of the context can be written."""

import random

from hypothesis import given
from hypothesis import strategies as st

from engine.phrases import LONGEST, WIDEST_GAP, MemberPaths, Vote, can_matter, overlay, reconcile
from engine.sense import Answer, Phrase, Sense

VOTES = st.lists(
    st.builds(
        Vote,
        st.floats(0, 1),
        st.sets(st.integers(0, 7), min_size=2, max_size=4).map(lambda s: tuple(sorted(s))),
    ),
    min_size=8,
    max_size=8,
).map(lambda votes: {i: v if i in v.members else Vote(v.probability) for i, v in enumerate(votes)})


@given(VOTES, st.floats(0.1, 0.9))
def test_all_members_are_given_the_same_phrase(votes, threshold):
    given_phrases = reconcile(votes, threshold)
    assert given_phrases.keys() == votes.keys()
    for i, members in given_phrases.items():
        assert not members or i in members
        assert all(given_phrases[m] == members for m in members)


@given(VOTES, st.floats(0.1, 0.9), st.floats(0, 0.5))
def test_words_that_cannot_be_given_a_phrase_need_not_write_it(votes, threshold, favour):
    known = [(0, 1), (2, 3, 5)]
    unwritten = {i: Vote(vote.probability) for i, vote in votes.items()}
    hopeful = can_matter(unwritten, threshold, known, favour)
    spared = {i: votes[i] if i in hopeful else unwritten[i] for i in votes}
    assert reconcile(spared, threshold, known, favour) == reconcile(votes, threshold, known, favour)


def test_a_sure_word_far_above_the_threshold_matters_and_an_unsure_sentence_does_not():
    votes = {0: Vote(0.9), 1: Vote(0.2), 2: Vote(0.01)}
    assert can_matter(votes, 0.5) == {0, 1}
    assert can_matter(votes, 0.6) == set()
    assert can_matter(votes, 0.6, [(1, 2)], 0.55) == {1, 2}


def test_a_member_that_was_unsure_follows_the_sure_ones():
    votes = {0: Vote(0.9, (0, 2)), 1: Vote(0.0), 2: Vote(0.3, (0, 2))}
    assert reconcile(votes, 0.5) == {0: (0, 2), 1: (), 2: (0, 2)}


def test_a_phrase_that_one_word_alone_believes_in_is_dropped():
    votes = {0: Vote(0.9, (0, 2)), 1: Vote(0.0), 2: Vote(0.01)}
    assert reconcile(votes, 0.5) == {0: (), 1: (), 2: ()}


def test_of_two_equally_likely_phrases_the_longer_is_given():
    votes = {0: Vote(1.0, (0, 1)), 1: Vote(1.0, (0, 1)), 2: Vote(1.0, (2, 3, 4))}
    votes |= {3: Vote(1.0, (2, 3, 4)), 4: Vote(1.0, (2, 3, 4))}
    assert reconcile(votes, 0.5)[3] == (2, 3, 4)


@given(st.integers(2, 40), st.data())
def test_whatever_is_written_is_a_phrase_of_the_context_with_the_target(count, data):
    """Spellings overlap on purpose: one token may begin many words."""
    draw = random.Random(data.draw(st.integers(0, 10**6)))
    spelled = [tuple(draw.choices(range(1, 4), k=draw.randint(1, 3))) for _ in range(count)]
    target = data.draw(st.integers(0, count - 1))
    paths = MemberPaths(spelled, target, 0, count)
    tokens = []
    while True:
        allowed = paths.allowed()
        assert allowed, "a dead end"
        if None in allowed and (draw.random() < 0.3 or len(allowed) == 1):
            break
        token = draw.choice([t for t in allowed if t is not None])
        tokens.append(token)
        paths.write(token)
    members = paths.members()
    assert target in members and 2 <= len(members) <= LONGEST
    assert all(0 < b - a <= WIDEST_GAP + 1 for a, b in zip(members, members[1:]))
    assert [t for m in members for t in spelled[m]] == tokens


def _answer(meaning="打", phrase=None, source="model"):
    return Answer(Sense("verb", meaning, phrase), source=source)


def test_a_correction_is_shown_and_reaches_the_phrases_other_members():
    phrase = Phrase((0, 2), "回电话")
    shown = overlay({i: _answer() for i in range(3)}, {0: _answer("叫", phrase, source="person")})
    assert shown[0].source == "person" and shown[2].sense.phrase == phrase
    assert shown[1].sense.phrase is None


def test_a_phrase_that_a_person_denied_is_gone_from_all_its_members():
    phrase = Phrase((0, 1), "踢桶")
    shown = overlay(
        {0: _answer(phrase=phrase), 1: _answer(phrase=phrase)}, {0: _answer(source="person")}
    )
    assert shown[1].sense.phrase is None
