"""A run on a tiny model: it learns, is the same after a stop or a kill, is rolled back where it
gets worse, and says what it lacks.
"""

import copy
import dataclasses
import errno
import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_training import CANDIDATES, PACKS, RECIPE, lora
from trainer.losses import Whole, answer_losses
from trainer.order import Order
from trainer.rows import make_batch, pieces
from trainer.training import TrainingError, Watched, fit
from trainer.watch import dev_scores


def loss_only(model):
    return Watched(dev_scores(model, PACKS[:2]))


ABSURD = dataclasses.replace(RECIPE, rate=30.0, clip=1e9, epochs=60)


def with_rows(model):
    _, hits = answer_losses(model, make_batch(PACKS))
    rows = tuple(hits.float().split(5)[i].mean().item() for i in range(len(hits) // 5))
    return Watched(dev_scores(model, PACKS), rows)


def run(folder, stop_at=None, recipe=RECIPE, watch=loss_only, candidates=CANDIDATES):
    model, events = lora(), []
    seen = {"steps": 0}

    def stopped():
        seen["steps"] += 1
        return stop_at is not None and seen["steps"] == stop_at

    order = Order(recipe, PACKS)
    done = fit(model, recipe, order, watch, candidates, folder, events.append, stopped)
    return model, done, events


def weights(model):
    return {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}


def test_training_learns_the_rows(tmp_path):
    before = dev_scores(lora(), PACKS)
    longer = dataclasses.replace(RECIPE, epochs=15, rate=2e-2, evaluate_every=20)
    model, done, events = run(tmp_path / "run", recipe=longer)
    after = dev_scores(model, PACKS)
    assert done and after["dev_loss"] < before["dev_loss"] / 2
    assert events[-1]["step"] == Order(longer, PACKS).steps


def test_stopped_and_resumed_is_the_same_as_never_stopped(tmp_path):
    whole, _, _ = run(tmp_path / "whole")
    _, done, _ = run(tmp_path / "parts", stop_at=7)
    assert not done
    again, done, _ = run(tmp_path / "parts")
    assert done
    for name, tensor in weights(whole).items():
        torch.testing.assert_close(tensor, weights(again)[name], msg=name)


def test_a_kill_between_the_renames_leaves_a_checkpoint(tmp_path):
    run(tmp_path / "run", stop_at=7)
    shutil.rmtree(tmp_path / "run" / "checkpoint")  # its last one; the one before is at step 5
    _, done, events = run(tmp_path / "run")
    assert done and events[0] == {"event": "resumed", "step": 5}


@pytest.mark.parametrize("name", ["weights.pt", "trainer.pt", "progress.json"])
def test_a_checkpoint_that_is_not_what_was_written_is_not_resumed_from(tmp_path, name):
    run(tmp_path / "run", stop_at=7)
    file = tmp_path / "run" / "checkpoint" / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    _, done, events = run(tmp_path / "run")
    assert done and events[0] == {"event": "resumed", "step": 5}


def test_accumulated_batches_are_one_large_batch(tmp_path):
    """The same packs in one step, at once or one after the other."""
    short = dataclasses.replace(RECIPE, batch=100, steps=1, warmup=0.0)
    count = len(Order(RECIPE, PACKS).batches_of(0))
    parted = dataclasses.replace(short, batch=RECIPE.batch, accumulation=count)
    whole, _, _ = run(tmp_path / "whole", recipe=short, candidates=Whole())
    parts, _, _ = run(tmp_path / "parts", recipe=parted, candidates=Whole())
    for name, tensor in weights(whole).items():
        torch.testing.assert_close(tensor, weights(parts)[name], rtol=1e-3, atol=1e-5, msg=name)


def test_a_batch_that_is_cut_is_the_same_batch(tmp_path):
    short = dataclasses.replace(RECIPE, batch=100, steps=1, warmup=0.0, tokens_at_once=0)
    few = dataclasses.replace(short, tokens_at_once=1)
    whole, _, _ = run(tmp_path / "whole", recipe=short)
    cut, _, _ = run(tmp_path / "cut", recipe=few)
    assert len(pieces(PACKS, 1)) == len(PACKS) and pieces(PACKS, 0) == [PACKS]
    for name, tensor in weights(whole).items():
        torch.testing.assert_close(tensor, weights(cut)[name], rtol=1e-3, atol=1e-5, msg=name)


@given(st.integers(0, 200))
def test_pieces_keep_order_and_bound(most):
    found = pieces(PACKS, most)
    assert [pack for piece in found for pack in piece] == PACKS
    for piece in found:
        assert most == 0 or len(piece) == 1 or len(piece) * max(map(len, piece)) <= most


def test_an_absurd_rate_is_rolled_back_and_ends_better_than_the_collapse(tmp_path):
    model, done, events = run(tmp_path / "run", recipe=ABSURD, watch=with_rows)
    assert done
    dev = [event for event in events if event.get("event") == "dev"]
    best = [event for event in dev if event["best"]][-1]
    assert dev_scores(model, PACKS)["dev_loss"] == pytest.approx(best["dev_loss"], rel=1e-5)
    back = [event for event in events if event.get("event") in ("rollback", "given_up")]
    assert [event["event"] for event in back] == ["rollback", "rollback", "given_up"]
    assert [round(event["rate"], 1) for event in back] == [15.0, 7.5, 7.5]
    collapsed = max(event["loss"] for event in events if event.get("loss"))
    assert best["dev_loss"] < 0.8 * max(collapsed, *(event["dev_loss"] for event in dev))


@pytest.mark.parametrize("kind", ["given_up", "early"])
def test_a_run_that_its_guard_ended_is_over_when_it_is_resumed(tmp_path, kind):
    recipe = {
        "given_up": ABSURD,
        "early": dataclasses.replace(RECIPE, rate=1e-12, patience=2, epochs=60),
    }[kind]
    first, _, events = run(tmp_path / "run", recipe=recipe, watch=with_rows)
    assert kind in [event["event"] for event in events]
    again, done, events = run(tmp_path / "run", recipe=recipe, watch=with_rows)
    assert done and [event["event"] for event in events] == ["resumed"]
    for name, tensor in weights(first).items():
        torch.testing.assert_close(tensor, weights(again)[name], msg=name)


def test_a_run_without_gain_ends_early(tmp_path):
    still = dataclasses.replace(RECIPE, rate=1e-12, patience=2, epochs=60)
    _, done, events = run(tmp_path / "run", recipe=still)
    assert done and events[-1]["event"] == "early" and events[-1]["step"] <= 15


def test_the_base_is_never_touched(tmp_path):
    model = lora()
    base = copy.deepcopy({n: p for n, p in model.named_parameters() if not p.requires_grad})
    order = Order(RECIPE, PACKS)
    fit(model, RECIPE, order, loss_only, CANDIDATES, tmp_path / "run", lambda event: None)
    now = dict(model.named_parameters())
    assert all(torch.equal(p, now[n]) for n, p in base.items())
    with model.disable_adapter():
        off, _ = answer_losses(model, make_batch(PACKS))
    on, _ = answer_losses(model, make_batch(PACKS))
    fresh, _ = answer_losses(lora(), make_batch(PACKS))  # new LoRA weights change nothing yet
    assert torch.equal(off, fresh) and not torch.equal(on, off)


@pytest.mark.parametrize(
    "error, code",
    [
        (MemoryError(), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), "out_of_memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
    ],
)
def test_too_little_memory_or_disk_is_said_in_plain_words_and_loses_nothing(
    tmp_path, monkeypatch, error, code
):
    seen = []

    def watch(model):
        seen.append(1)
        if len(seen) == 3:
            raise error
        return loss_only(model)

    with pytest.raises(TrainingError) as found:
        run(tmp_path / "run", watch=watch)
    assert found.value.code == code and str(found.value).endswith(".")
    _, done, events = run(tmp_path / "run")
    assert done and events[0] == {"event": "resumed", "step": 5}


def test_other_errors_are_not_taken_for_these(tmp_path):
    def watch(model):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        run(tmp_path / "run", watch=watch)
