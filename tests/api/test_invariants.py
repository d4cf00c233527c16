"""On the real base, for adapters of every kind: off is the base, unloaded is the base, resident is
PEFT, all bit for bit; and a merged copy is the unmerged one but for bfloat16's rounding.

How much rounding does is measured: how far the unmerged model's logits in bfloat16 are from those
in float32. Two ways of rounding may lie twice that apart; merged weights are rounded once more.
"""

import copy
import hashlib

import pytest
import torch

from engine import adapters as loading
from engine.adapters import linear_sizes, merged_copy, open_adapter
from engine.branches import Runner
from engine.checking import BaseShape, check_base, check_fits
from engine.lean import Part
from engine.models import load_base
from engine.residents import Residents
from engine.settings import Settings
from engine.translation import TranslationPrompt
from tests.adapter_kinds import KINDS, make_kind

SENTENCES = ("He is here.", "They turned my application down.", "I'll call you back tomorrow.")


@pytest.fixture(scope="module")
def settings(models_home):
    return Settings(home=models_home, device="cpu", dtype="bfloat16")


@pytest.fixture(scope="module")
def base(settings):
    return load_base(settings)


@pytest.fixture(scope="module")
def exact(models_home):
    """The base in float32."""
    return load_base(Settings(home=models_home, device="cpu", dtype="float32"))


@pytest.fixture(scope="module")
def residents(base):
    return Residents(base)


@pytest.fixture(scope="module")
def prompts(base):
    prompt = TranslationPrompt(base.tokenizer)
    return [torch.tensor([prompt.parts(text, "en-es")]) for text in SENTENCES]


@pytest.fixture(scope="module", params=KINDS)
def adapter(request, settings, base, tmp_path_factory):
    """One of each kind, in turn."""
    folder = tmp_path_factory.mktemp("kind") / "adapter"
    return make_kind(request.param, settings, folder, base, seed=list(KINDS).index(request.param))


@torch.no_grad()
def logits(model, prompts) -> list[torch.Tensor]:
    return [model(input_ids=ids).logits[0] for ids in prompts]


def are_equal(ones, others) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ones, others, strict=True))


def furthest(ones, others) -> float:
    return max(float((a.float() - b.float()).abs().max()) for a, b in zip(ones, others))


def apart(base):
    """The base's weights under a structure of its own."""
    return copy.deepcopy(base.model, {id(one): one for one in base.model.parameters()})


def weights_hash(model) -> str:
    digest = hashlib.sha256()
    for parameter in model.parameters():
        digest.update(parameter.detach().contiguous().view(torch.uint8).numpy())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def untouched(base, prompts):
    """The base's logits and weights before any adapter was near it."""
    return logits(base.model, prompts), weights_hash(base.model)


def test_it_fits_and_was_made_for_this_base(base, adapter):
    shape = BaseShape(base.name, base.revision, linear_sizes(base.model))
    check_base(adapter.card, shape)
    check_fits(adapter, shape)


def test_an_adapter_that_is_off_is_the_base(untouched, residents, adapter, prompts):
    before, _ = untouched
    with residents.using(adapter) as model:
        assert furthest(logits(model, prompts), before) > 1  # it is heard
    with residents.using(None) as model:
        assert are_equal(logits(model, prompts), before)


def test_after_unloading_the_base_is_what_it_was(untouched, base, residents, adapter, prompts):
    before, digest = untouched
    with residents.using(adapter) as model:
        first = logits(model, prompts)
    assert residents.unload(adapter.version)
    with residents.using(None) as model:
        assert are_equal(logits(model, prompts), before)
    assert are_equal(logits(base.model, prompts), before)
    assert weights_hash(base.model) == digest
    with residents.using(adapter) as model:  # and loaded again it is what it was
        assert are_equal(logits(model, prompts), first)


def test_over_a_base_in_four_bits_off_and_unloaded_are_that_base(settings, base, prompts, tmp_path):
    """What QLoRA is trained over, and may be answered over."""
    adapter = make_kind("all linear", settings, tmp_path / "adapter", base)
    small = load_base(settings, quantised=True)
    assert any(one.dtype == torch.uint8 for one in small.model.parameters())
    before, digest = logits(small.model, prompts), weights_hash(small.model)
    assert furthest(before, logits(base.model, prompts)) > 0
    residents = Residents(small)
    with residents.using(adapter) as model:
        heard = logits(model, prompts)
    assert furthest(heard, before) > 1
    with residents.using(None) as model:
        assert are_equal(logits(model, prompts), before)
    assert residents.unload(adapter.version)
    with residents.using(None) as model:
        assert are_equal(logits(model, prompts), before)
    assert are_equal(logits(small.model, prompts), before)
    assert weights_hash(small.model) == digest
    with residents.using(adapter) as model:
        assert are_equal(logits(model, prompts), heard)


def test_a_resident_is_what_peft_makes_of_it(base, residents, adapter, prompts):
    tuned = open_adapter(apart(base), adapter, base, "alone").eval()
    with residents.using(adapter) as model:
        assert are_equal(logits(model, prompts), logits(tuned, prompts))
    with tuned.disable_adapter(), residents.using(None) as model:
        assert are_equal(logits(model, prompts), logits(tuned, prompts))


def test_a_merged_copy_is_the_unmerged_one_but_for_rounding(
    base, exact, residents, adapter, prompts
):
    with residents.using(adapter) as model:
        unmerged = logits(model, prompts)
    with Residents(exact).using(adapter) as model:
        rounding = furthest(unmerged, logits(model, prompts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "lean", lambda model: model)
        plain = furthest(logits(merged_copy(base, adapter), prompts), unmerged)
    with torch.no_grad():
        lean = furthest(lean_logits(merged_copy(base, adapter), prompts), unmerged)
    print(f"rounding {rounding:.3f}, merged {plain:.3f}, merged and lean {lean:.3f}")
    assert 0 < rounding < 2  # of logits up to some 30: rounding, not another model
    # Both ways are rounded so, and the merged weights once more.
    assert plain <= 3 * rounding and lean <= 3 * rounding


def lean_logits(model, prompts) -> list[torch.Tensor]:
    """What readers' copy makes of prompts, through the body that it answers with."""
    runner, found = Runner(model), []
    for ids in prompts:
        count = ids.shape[1]
        mask = torch.ones(count, count, dtype=torch.bool).tril()
        hidden = runner.body(ids[0], torch.arange(count), [Part(mask, runner.body.cache())])
        found.append(runner.logits(hidden, runner.head))
    return found


def test_a_row_among_others_is_the_row_alone_but_for_rounding(exact, residents, adapter, prompts):
    (ids, *_) = prompts
    with residents.using(adapter) as model:
        alone = logits(model, [ids])
    with residents.using(None, adapter, adapter) as model, torch.no_grad():
        found = model(input_ids=ids.expand(3, -1)).logits
    with Residents(exact).using(adapter) as model:
        rounding = furthest(alone, logits(model, [ids]))
    assert furthest([found[1]], alone) <= 2 * rounding
    assert torch.equal(found[1], found[2]) and furthest([found[0]], alone) > 1
