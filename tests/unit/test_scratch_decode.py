"""What a model from nothing writes: with a cache as without, alone as beside others; the best of
all texts where the search is wide enough; draws that follow the probabilities."""

import itertools
import math

import pytest
import torch

from tests.tiny_scratch import tiny_scratch
from trainer.scratch.decode import Rows, Written, beam, greedy, sample

PROMPTS = [[5, 9, 30, 7], [5, 11, 7], [5, 40, 41, 42, 43, 44, 7], [5, 7]]
END, MOST = 3, 12
WAYS = {
    "greedy": greedy,
    "beam": beam,
    "sample": lambda *a, **k: sample(*a, temperature=0.8, top_p=0.9, seeds=[4, 5, 6, 7], **k),
}


@pytest.fixture(scope="module", params=[True, False], ids=["causal", "both ways"])
def model(request):
    return tiny_scratch(causal_prefix=request.param)


def ending(model, end_at: int = 3) -> int:
    """A token with which some rows end and others do not, as none is trained to end."""
    texts = [one.tokens for one in greedy(model, PROMPTS, -1, MOST)]
    return texts[0][end_at]


@pytest.mark.parametrize("way", WAYS)
def test_the_cache_changes_nothing(model, way):
    end = ending(model)
    cached, anew = (WAYS[way](model, PROMPTS, end, MOST, cached=kept) for kept in (True, False))
    assert [one.tokens for one in cached] == [one.tokens for one in anew]
    assert [one.ended for one in cached] == [one.ended for one in anew]
    assert any(one.tokens for one in cached)
    for a, b in zip(cached, anew):
        assert a.score == pytest.approx(b.score, abs=1e-3)


@pytest.mark.parametrize("way", ["greedy", "beam"])
def test_a_row_is_written_as_if_it_were_alone(model, way):
    end = ending(model)
    together = WAYS[way](model, PROMPTS, end, MOST)
    alone = [WAYS[way](model, [prompt], end, MOST)[0] for prompt in PROMPTS]
    assert [one.tokens for one in together] == [one.tokens for one in alone]
    assert {one.ended for one in greedy(model, PROMPTS, end, MOST)} == {True, False}


def test_greedy_takes_the_likeliest_token_of_the_whole_sequence(model):
    (text,) = greedy(model, PROMPTS[:1], -1, 5)
    sequence = [*PROMPTS[0], *text.tokens]
    states = model(torch.tensor([sequence]), torch.tensor([len(PROMPTS[0])]))
    best = model.logits(states)[0].argmax(-1).tolist()
    assert best[len(PROMPTS[0]) - 1 : -1] == list(text.tokens) and not text.ended


def test_one_beam_is_greedy(model):
    end = ending(model)
    one = beam(model, PROMPTS, end, MOST, beams=1, penalty=0.0)
    wanted = greedy(model, PROMPTS, end, MOST)
    assert [(a.tokens, a.ended) for a in one] == [(a.tokens, a.ended) for a in wanted]


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_search_that_is_wide_enough_finds_the_best_of_all_texts(penalty):
    model, end, most = tiny_scratch(1, vocabulary=6), 2, 3
    found = beam(model, [[4, 5]], end, most, beams=6**most, penalty=penalty)[0]

    def worth(tokens: tuple[int, ...]) -> float:
        rows, score = Rows(model, [[4, 5]], most), 0.0
        for token in (*tokens, end):
            score += float(rows.scores()[0, token])
            rows.put(torch.tensor([token]))
        return score / (len(tokens) + 1) ** penalty

    others = [token for token in range(6) if token != end]
    texts = [t for n in range(most) for t in itertools.product(others, repeat=n)]
    best = max(texts, key=worth)
    assert found.ended and found.tokens == best
    assert found.score / (len(best) + 1) ** penalty == pytest.approx(worth(best), abs=1e-4)


def test_draws_follow_the_probabilities_and_the_seed():
    model, many = tiny_scratch(2, vocabulary=8), 4000
    prompt = [4, 5]
    likely = Rows(model, [prompt], 1).scores()[0].exp()
    drawn = [one.tokens[0] for one in sample(model, [prompt] * many, -1, 1)]
    for token, chance in enumerate(likely.tolist()):
        spread = 5 * math.sqrt(many * chance * (1 - chance)) + 1
        assert abs(drawn.count(token) - many * chance) < spread
    kept = [one.tokens[0] for one in sample(model, [prompt] * 500, -1, 1, top_p=0.5)]
    order = likely.sort(descending=True)
    nucleus = order.indices[order.values.cumsum(0) - order.values < 0.5].tolist()
    assert set(kept) <= set(nucleus) and set(nucleus) != set(drawn)
    cold = sample(model, [prompt] * 50, -1, 4, temperature=1e-4)
    assert {one.tokens for one in cold} == {greedy(model, [prompt], -1, 4)[0].tokens}


def test_a_row_draws_alike_whoever_is_beside_it():
    model = tiny_scratch()
    many = sample(model, PROMPTS, -1, 6, seeds=[7, 8, 9, 10])
    assert many[0].tokens != many[1].tokens
    (alone,) = sample(model, PROMPTS[:1], -1, 6, seeds=[7])
    assert many[0].tokens == alone.tokens


def test_what_cannot_be_written_is_refused():
    model = tiny_scratch()
    for prompts in ([[5] * 64], [[]], [[5], []]):
        with pytest.raises(ValueError, match="have room"):
            greedy(model, prompts, END, MOST)
    (text,) = greedy(model, [[5] * 60], -1, MOST)
    assert len(text.tokens) == 4, "as far as the model has positions"
    for bad in ({"temperature": 0}, {"top_p": 0}, {"top_p": 1.5}):
        with pytest.raises(ValueError, match="temperature"):
            sample(model, PROMPTS, END, MOST, **bad)
    assert isinstance(text, Written)
