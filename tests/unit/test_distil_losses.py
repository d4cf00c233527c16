"""The distillation loss against a dense reference in float64, and what people answered."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny import tiny_model
from tests.unit.test_training import CANDIDATES, EXAMPLES, PROMPT, lora
from trainer.distil.cache import Kept, make_lesson
from trainer.distil.losses import DistilLoss, Said, WithSaid, divergence, taught_losses
from trainer.distil.recipe import DIVERGENCES, Distil
from trainer.distil.teacher import Asked
from trainer.losses import Weighed, answer_losses, answer_states, logits_of
from trainer.rows import make_batch, make_packs

VOCABULARY, TOKENS = 23, 5


def dense(logits, teacher, top, distil):
    """The same by the definition: all probabilities, in float64, the rest summed to one class."""
    found = []
    for mine, theirs in zip(logits.double(), teacher.double()):
        order = theirs.argsort(descending=True)[:top].tolist()
        others = [i for i in range(len(mine)) if i not in order]
        sides = []
        for one in (mine, theirs):
            shares = one.exp() / one.exp().sum()
            classes = [shares[i] for i in order] + ([shares[others].sum()] if others else [])
            tempered = torch.stack(classes) ** (1 / distil.temperature)
            sides.append(tempered / tempered.sum())
        q, p = sides
        if distil.divergence == "reverse":
            p, q = q, p
        if distil.divergence == "skew":
            q = distil.skew * p + (1 - distil.skew) * q
        found.append((p * (p.log() - q.log())).sum())
    return torch.stack(found)


def said_of(teacher, top):
    logs, ids = teacher.log_softmax(-1).topk(top)
    rest = teacher.log_softmax(-1).scatter(-1, ids, float("-inf")).logsumexp(-1)
    return Said(ids, logs, rest)


@settings(deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(DIVERGENCES),
    st.sampled_from([1, 4, VOCABULARY - 1, VOCABULARY]),
    st.sampled_from([0.5, 1.0, 6.0]),
)
def test_it_is_the_dense_references(seed, kind, top, temperature):
    torch.manual_seed(seed)
    distil = Distil(divergence=kind, temperature=temperature, skew=0.1)
    mine, theirs = torch.randn(2, TOKENS, VOCABULARY, dtype=torch.float64) * 3
    said = said_of(theirs, top)
    found = divergence(mine, said.ids, said, distil)
    torch.testing.assert_close(found, dense(mine, theirs, top, distil), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("kind, top", itertools.product(DIVERGENCES, [1, 4, VOCABULARY]))
def test_its_gradient_is_the_dense_references(kind, top):
    torch.manual_seed(3)
    distil = Distil(divergence=kind, temperature=2.0)
    mine, theirs = torch.randn(2, TOKENS, VOCABULARY, dtype=torch.float64)
    both = [mine.clone().requires_grad_() for _ in range(2)]
    said = said_of(theirs, top)
    divergence(both[0], said.ids, said, distil).sum().backward()
    dense(both[1], theirs, top, distil).sum().backward()
    torch.testing.assert_close(both[0].grad, both[1].grad, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("kind", DIVERGENCES)
def test_a_student_that_says_the_same_loses_nothing_and_any_other_something(kind):
    torch.manual_seed(4)
    distil = Distil(divergence=kind)
    logits = torch.randn(TOKENS, VOCABULARY)
    said = said_of(logits, 6)
    assert divergence(logits, said.ids, said, distil).abs().max() < 1e-5
    assert divergence(logits.flip(-1), said.ids, said, distil).min() > 1e-3


def test_a_teacher_that_is_sure_gives_no_nan():
    logits = torch.randn(1, VOCABULARY, requires_grad=True)
    sure = torch.full((1, VOCABULARY), -1e30)
    sure[0, 3] = 0.0
    for kind in DIVERGENCES:
        said = said_of(sure, 4)
        divergence(logits, said.ids, said, Distil(divergence=kind)).sum().backward()
    assert logits.grad.isfinite().all()


def taught_batch(person=()):
    rows = [
        dataclasses.replace(one, person=number in person) for number, one in enumerate(EXAMPLES)
    ]
    packs = make_packs(rows, PROMPT)
    lesson = make_lesson(packs)
    teacher = tiny_model(len(PROMPT.tokenizer), seed=9).requires_grad_(False)
    said = Asked(teacher, None, None, 8)(make_batch(packs))
    return make_batch([lesson.taught(pack) for pack in packs]), Kept(said), teacher


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("sampled", [False, True])
def test_a_batchs_loss_is_both_parts_and_its_gradient_is_plain_autograds(trained, sampled):
    batch, kept, _ = taught_batch()
    distil = Distil(alpha=0.8, beta=0.2, temperature=3.0, top=8)
    chosen = WithSaid(CANDIDATES, kept).of(batch, 2) if sampled else None
    model = lora()
    torch.manual_seed(5)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.1)
    model.get_base_model().get_output_embeddings().weight.requires_grad_(trained)
    losses, _ = taught_losses(model, batch, chosen, kept(batch), distil)
    (losses * batch.weight).sum().backward()
    found = {n: p.grad.clone() for n, p in model.named_parameters() if "lora" in n}
    model.zero_grad()
    picked, head, cap = answer_states(model, batch)
    ids = chosen.ids if chosen else torch.arange(len(head))
    mine = logits_of(picked, head[ids], cap)
    right = torch.nn.functional.cross_entropy(
        mine, torch.searchsorted(ids, batch.target), reduction="none"
    )
    said = kept(batch)
    soft = divergence(mine, torch.searchsorted(ids, said.ids.long()), said, distil)
    plain = 0.8 * 9 * soft + 0.2 * right
    torch.testing.assert_close(losses, plain, rtol=1e-4, atol=1e-4)
    (plain * batch.weight).sum().backward()
    for name, weight in model.named_parameters():
        if "lora" in name:
            torch.testing.assert_close(found[name], weight.grad, rtol=1e-3, atol=1e-5, msg=name)


def test_rows_that_people_answered_learn_the_answer_alone():
    people = {0, 4}
    batch, kept, _ = taught_batch(people)
    model = lora().eval()
    losses, _ = taught_losses(model, batch, None, kept(batch), Distil(temperature=3.0))
    plain, _ = answer_losses(model, batch)
    theirs = batch.taught < 0
    assert 0 < theirs.sum() < len(theirs)
    torch.testing.assert_close(losses[theirs], plain[theirs])
    assert not torch.isclose(losses[~theirs], plain[~theirs]).any()
    told = make_packs(
        [dataclasses.replace(one, person=n in people) for n, one in enumerate(EXAMPLES)], PROMPT
    )
    marked = [row.person for pack in told for row in pack.rows for _ in row.answer]
    assert marked == theirs.tolist()


def test_asking_at_every_step_is_asking_once():
    batch, kept, teacher = taught_batch()
    distil = Distil(top=8)
    model = lora()
    ask = Asked(teacher, None, None, 8)
    once, _ = DistilLoss(model, torch.float32, distil, kept)(batch)
    always, _ = DistilLoss(model, torch.float32, distil, ask)(batch)
    torch.testing.assert_close(once, always, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("others", [CANDIDATES, Weighed([3], len(PROMPT.tokenizer), 4, 1)])
def test_the_tokens_that_a_teacher_says_are_among_a_steps_candidates(others):
    batch, kept, _ = taught_batch()
    chosen = WithSaid(others, kept).of(batch, 1)
    said = kept(batch).ids.flatten().unique()
    assert set(said.tolist()) <= set(chosen.ids.tolist())
    assert torch.equal(chosen.ids, chosen.ids.unique())
    if chosen.shift is not None:  # and they stand for themselves alone
        assert not chosen.shift[torch.searchsorted(chosen.ids, said)].any()
        assert not set(said.tolist()) <= set(others.of(batch, 1).ids.tolist())
