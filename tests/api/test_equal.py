"""What makes the engine fast does not change its answers: 40 words against the slow path, 500 with
the long counts.

A sentence may differ only where some choice in it was a tie but for rounding; such sentences are
counted. How much rounding does is measured: how far apart the plain model finds a word's best and
second-best answer in bfloat16, against the same in float32. Both ways round, so two answers that
change places are at most twice that apart.
"""

from dataclasses import replace
from itertools import product
from statistics import median

import pytest
import torch

from engine import adapters
from engine.bench.sides import read_cases
from engine.checking import read_adapter
from engine.decoding import SenseDecoder
from engine.models import load_base
from engine.phrasebook import favoured
from engine.phrases import score
from engine.sense import Query
from engine.settings import Settings, assets
from engine.trie import Trie
from engine.views import views
from tests.alone import Alone
from tests.real import soak

WORDS, LONGEST = 500 if soak() else 40, 14
NEAR = 0.02  # of a vote to the threshold
MEASURED = 10 if soak() else 5  # sentences
MOST = max(1, WORDS // 80)  # sentences of some WORDS // 11


def alone(models_home, like, dtype):
    """A decoder as `like`, over a plain model that runs every row alone."""
    settings = Settings(home=models_home, dtype=dtype)
    adapter = read_adapter(settings.adapter_folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapters, "lean", lambda model: model)
        model = adapters.merged_copy(load_base(settings), adapter)
    return SenseDecoder(Alone(model), like.prompt, like.books, like.threshold, like.favour)


@pytest.fixture(scope="module")
def slow(models_home, engine):
    return alone(models_home, engine.decoder, "bfloat16")


@pytest.fixture(scope="module")
def rounding(models_home, engine, slow, cut):
    """The most that bfloat16 moved what lies between two answers to a word, in nats."""
    exact = alone(models_home, engine.decoder, "float32")
    moved = []
    for view in cut[:MEASURED]:
        for position, answer in zip(view.asked, engine.decoder.answer(view)):
            if answer.second:
                asked = Query(view.text, position)
                moved.append(
                    abs(gap(slow, asked, *ways(answer)) - gap(exact, asked, *ways(answer)))
                )
    print(f"bfloat16 moves gaps by up to {max(moved):.2f} nats, median {median(moved):.3f}")
    assert median(moved) < 0.1  # it is rounding, not another model
    return max(moved)


@pytest.fixture(scope="module")
def cut():
    """Views of short sentences, as many words."""
    chosen, words = [], 0
    for case in read_cases(assets() / "datasets" / "en-zh-gold", 1000):
        (view, *rest) = views(case.query.context, "en-zh")
        if words < WORDS and not rest and view.last <= LONGEST:
            chosen.append(view)
            words += view.last
    assert words >= WORDS
    return chosen


@torch.inference_mode()
def gap(slow, query, mine, other):
    """How far apart the slow path finds two senses of a word at the first token where their
    answers part, known meanings' worth included: nats, above 0 for the first; 0 where they do not
    part."""
    prompt, runner = slow.prompt, slow.runner
    texts = [[t for part in prompt.answer(query, s).fields() for t in part] for s in (mine, other)]
    pairs = enumerate(zip(*texts))
    at = next((i for i, (a, b) in pairs if a != b), None)
    if at is None:
        return 0.0
    before = prompt.answer(query, mine)
    start = len(before.word_class) + len(before.phrase)
    known = slow.books.words.find(query.target, mine.word_class)
    place = (
        Trie((prompt.ids(text), worth) for text, worth in known.items()) if at >= start else None
    )
    for token in texts[0][start:at]:
        place = place.next.get(token) if place else None
    prefix, question = prompt.parts(query)
    state = runner.last_state((*prefix, *question, *texts[0][:at]))[None]
    logits = []
    for token in (texts[0][at], texts[1][at]):
        branch = place.next.get(token) if place else None
        ends = token in (prompt.bar, prompt.end)
        worth = (place.whole if ends else branch.worth if branch else 0.0) if place else 0.0
        logits.append(float(runner.own_logits(state, [token])) + worth)
    return logits[0] - logits[1]


def ways(answer):
    """The two senses that were written out for a word: the best, and the second best."""
    second = [replace(answer.sense, meaning=answer.second)] if answer.second else []
    return [answer.sense, *second]


def is_near(slow, rounding, view, mine, other):
    """Whether some choice behind two answers to a view was a tie but for rounding: of a token, or
    of a phrase whose votes just reach the threshold or just do not."""
    asked = [Query(view.text, i) for i in view.asked]
    differ = [n for n, (a, b) in enumerate(zip(mine, other)) if a.sense != b.sense]
    if any(
        abs(gap(slow, asked[n], a, b)) <= 2 * rounding
        for n in differ
        for a, b in product(ways(mine[n]), ways(other[n]))
        if a != b and (a is mine[n].sense or b is other[n].sense)
    ):
        return True
    votes, favoured_ones = slow.votes(view), favoured(slow.known(view))
    phrases = {
        a.sense.phrase.members for n in differ for a in (mine[n], other[n]) if a.sense.phrase
    }
    return any(
        abs(score(m, votes) + slow.favour * (m in favoured_ones) - slow.threshold) < NEAR
        for m in phrases
    )


def test_words_get_the_slow_paths_answers(engine, slow, rounding, cut):
    differing, far = [], []
    for view in cut:
        mine, other = engine.decoder.answer(view), slow.answer(view)
        if any(a.sense != b.sense for a, b in zip(mine, other, strict=True)):
            differing.append(view.text)
            if not is_near(slow, rounding, view, mine, other):
                far.append(view.text)
    print(f"{len(differing)} of {len(cut)} sentences differ by rounding")
    assert not far
    assert len(differing) <= MOST, differing
