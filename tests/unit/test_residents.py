"""Adapters beside one base: each answers as PEFT has it, the base stays as it was, and what is in
memory stays within its budget."""

import threading
from dataclasses import replace

import pytest
import torch
from peft import PeftModel

from engine.adapters import linear_sizes, open_adapter
from engine.checking import AdapterError, BaseShape, read_adapter
from engine.models import Base, Choice
from engine.residents import Residents
from tests.made_adapters import QV, make_adapter
from tests.tiny import tiny_model, tiny_tokenizer

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
KINDS = {
    "q and v": {"targets": QV},
    "all linear layers": {"targets": LINEAR, "rank": 8},
    "rsLoRA": {"targets": LINEAR, "config": {"use_rslora": True}},
}
IDS = torch.arange(5, 25)[None]


@pytest.fixture(scope="module")
def base() -> Base:
    tokenizer = tiny_tokenizer()
    model = tiny_model(len(tokenizer)).requires_grad_(False)
    return Base(model, tokenizer, "tiny", "1", Choice("cpu", torch.float32, "a test"))


@pytest.fixture(scope="module")
def adapters(base, tmp_path_factory):
    """Five adapters of three kinds."""
    shape = BaseShape("tiny", "1", linear_sizes(base.model))
    folder, kinds = tmp_path_factory.mktemp("adapters"), [*KINDS.values(), *KINDS.values()][:5]
    return [
        read_adapter(make_adapter(folder / str(n), shape, seed=n, **kind))
        for n, kind in enumerate(kinds)
    ]


@torch.no_grad()
def logits(model, ids=IDS) -> torch.Tensor:
    return model(input_ids=ids).logits


def peft_logits(base, adapter) -> torch.Tensor:
    """What PEFT makes of the adapter alone."""
    fresh = tiny_model(len(base.tokenizer)).requires_grad_(False)
    tuned = open_adapter(fresh, adapter, base, "alone").eval()
    assert isinstance(tuned, PeftModel)
    return logits(tuned)


def test_each_adapter_answers_as_it_does_alone_in_whatever_order(base, adapters):
    residents = Residents(base)
    alone = [peft_logits(base, adapter) for adapter in adapters]
    for number in (0, 1, 2, 3, 4, 2, 0, 4, 1, 3, 3, 0):
        with residents.using(adapters[number]) as model:
            assert torch.equal(logits(model), alone[number])
    assert not any(torch.equal(alone[0], other) for other in alone[1:])
    assert [one.uses for one in residents.loaded()] == [2, 2, 2, 3, 3]


def test_without_an_adapter_the_base_is_what_it_was_bit_for_bit(base, adapters):
    before, weights = logits(base.model), {n: p.clone() for n, p in base.model.named_parameters()}
    residents = Residents(base)
    for adapter in adapters:
        with residents.using(adapter) as model:
            assert not torch.equal(logits(model), before)
        with residents.using(None) as model:
            assert torch.equal(logits(model), before)
    for adapter in adapters:
        assert residents.unload(adapter.version) and not residents.unload(adapter.version)
    with residents.using(None) as model:
        assert torch.equal(logits(model), before)
    assert torch.equal(logits(base.model), before) and residents.bytes == 0
    assert all(torch.equal(weights[n], p) for n, p in base.model.named_parameters())


def test_rows_of_a_batch_have_their_own_adapters(base, adapters):
    residents, rows = Residents(base), [adapters[0], None, adapters[1], adapters[1], adapters[2]]
    with residents.using(*rows) as model:
        mixed = logits(model, IDS.expand(5, -1))
    for row, adapter in enumerate(rows):
        with residents.using(adapter) as model:
            torch.testing.assert_close(mixed[row : row + 1], logits(model), rtol=1e-4, atol=1e-4)


def test_dora_answers_as_peft_has_it(base, tmp_path):

    from tests.unit.test_adapters import RECIPE
    from trainer.model import make_trainable, save_adapter

    recipe = replace(RECIPE, dora=True)
    tuned = make_trainable(tiny_model(len(base.tokenizer)), recipe)
    torch.manual_seed(3)
    for name, parameter in tuned.named_parameters():
        if "lora_B" in name or "magnitude" in name:
            parameter.data += 0.05 * torch.randn_like(parameter)
    save_adapter(tuned, recipe, tmp_path / "dora")
    adapter = read_adapter(tmp_path / "dora")
    with Residents(base).using(adapter) as model:
        torch.testing.assert_close(logits(model), peft_logits(base, adapter), rtol=1e-4, atol=1e-4)


def test_over_the_budget_the_least_recently_used_goes(base, adapters):
    sizes = []
    for adapter in adapters:
        one = Residents(base)
        with one.using(adapter):
            sizes.append(one.bytes)
    residents = Residents(base, budget=sizes[0] + sizes[3] + sizes[1])
    for number in (0, 1, 3, 0):
        with residents.using(adapters[number]):
            pass
    assert [one.version for one in residents.loaded()] == [adapters[n].version for n in (1, 3, 0)]
    with residents.using(adapters[2]):  # while it is used there may be more
        assert residents.bytes == sum(sizes[:4])
    held = [one.version for one in residents.loaded()]
    assert adapters[2].version in held and adapters[1].version not in held
    assert residents.bytes <= sizes[0] + sizes[3] + sizes[1]
    residents.hold(adapters[:2])
    with residents.using(*adapters):
        pass
    held = {one.version for one in residents.loaded()}
    assert held == {adapters[n].version for n in (0, 1, 4)}  # two are held, one was used last
    residents.let_go(adapters[:2])
    assert residents.bytes <= sizes[0] + sizes[3] + sizes[1]
    tight = Residents(base, budget=1)
    with tight.using(*adapters) as model:
        assert logits(model, IDS.expand(5, -1)).shape[0] == 5
    assert [one.version for one in tight.loaded()] == [adapters[-1].version]


def test_an_adapter_that_went_answers_the_same_when_it_is_back(base, adapters):
    residents = Residents(base, budget=1)
    found = []
    for number in (0, 1, 0, 2, 0):
        with residents.using(adapters[number]) as model:
            found.append(logits(model))
    assert torch.equal(found[0], found[2]) and torch.equal(found[0], found[4])
    assert residents.loaded()[0].seconds > 0


def test_one_that_changed_since_it_was_checked_is_refused(base, adapters, tmp_path):
    shape = BaseShape("tiny", "1", linear_sizes(base.model))
    adapter = read_adapter(make_adapter(tmp_path / "a", shape))
    make_adapter(tmp_path / "b", shape, seed=9)
    (tmp_path / "b/adapter_model.safetensors").replace(tmp_path / "a/adapter_model.safetensors")
    residents = Residents(base)
    with pytest.raises(AdapterError, match="changed"), residents.using(adapter):
        pass
    with residents.using(adapters[0]) as model:  # the lock is free again
        assert torch.equal(logits(model), peft_logits(base, adapters[0]))


def test_one_for_another_base_is_refused_before_it_is_read(base, tmp_path):
    wide = BaseShape("tiny", "1", {n: (r + 1, c) for n, (r, c) in linear_sizes(base.model).items()})
    adapter = read_adapter(make_adapter(tmp_path / "wide", wide))
    with pytest.raises(AdapterError) as caught, Residents(base).using(adapter):
        pass
    assert caught.value.reason == "shapes"


def test_an_error_while_it_is_used_gives_the_base_back(base, adapters):
    residents, before = Residents(base), logits(base.model)
    with pytest.raises(KeyError), residents.using(adapters[0]):
        raise KeyError
    with residents.using(None) as model:
        assert torch.equal(logits(model), before)


def test_threads_never_see_each_others_adapter(base, adapters):
    residents = Residents(base, budget=1)
    alone = [peft_logits(base, adapter) for adapter in adapters]
    wrong: list[int] = []

    def ask(start: int) -> None:
        for turn in range(20):
            number = (start + turn) % len(adapters)
            with residents.using(adapters[number]) as model:
                if not torch.equal(logits(model), alone[number]):
                    wrong.append(number)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
