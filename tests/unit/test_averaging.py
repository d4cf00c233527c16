"""The mean of the weights: what it is, that it is seen and put back, that a state holds it."""

import copy

import torch

from trainer.averaging import AveragedAdamW


def made(weight, decay=0.9):
    return AveragedAdamW([{"params": [weight]}], decay, lr=0.1, weight_decay=0.0)


def step(optimizer, weight, slope):
    weight.grad = torch.full_like(weight, slope)
    optimizer.step()


def test_the_mean_follows_the_weights_slower_and_slower_up_to_its_decay():
    weight = torch.nn.Parameter(torch.zeros(3))
    optimizer, mean = made(weight), None
    for number in range(1, 200):
        step(optimizer, weight, 1.0 if number % 3 else -2.0)
        now = weight.detach().clone()
        decay = min(0.9, number / (number + 10))
        mean = now if mean is None else decay * mean + (1 - decay) * now
    with optimizer.averaged():
        torch.testing.assert_close(weight.detach(), mean)
    torch.testing.assert_close(weight.detach(), now)
    optimizer.settle()
    torch.testing.assert_close(weight.detach(), mean)


def test_a_state_that_is_loaded_goes_on_with_its_mean():
    weights = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    first, second = map(made, weights)
    for number in range(9):
        step(first, weights[0], (-1.0) ** number)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    with torch.no_grad():
        weights[1].copy_(weights[0])
    for optimizer, weight in ((first, weights[0]), (second, weights[1])):
        step(optimizer, weight, 0.5)
        optimizer.settle()
    assert torch.equal(*weights)


def test_before_the_first_step_the_weights_are_their_own_mean():
    weight = torch.nn.Parameter(torch.ones(2))
    with made(weight).averaged():
        assert weight.tolist() == [1.0, 1.0]
